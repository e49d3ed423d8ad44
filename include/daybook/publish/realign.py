"""Brings the published folder into line with the ledger: `./daybook restore`. Nothing that is there is removed.

For each day that readers of the warehouse see, the link and the files of its run: files that are missing or changed are
written again from the warehouse's rows. All that the ledger does not know goes to the data folder's `set_aside`. Run
numbers go on above every number that warehouse, folder or receipts show. It may run beside tasks, and be run again.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import partial

import pyarrow as pa

from daybook.errors import BadSpec
from daybook.ledger import queries, runs
from daybook.ledger.queries import Published
from daybook.postgres.session import Connection, OpenPostgres, at_once
from daybook.publish.agreement import (
    REPORT,
    WRITTEN_AGAIN,
    Seen,
    ledger_of,
    written_again,
    wrong_files,
    wrong_periods,
)
from daybook.publish.files import saved_rows, write_files
from daybook.publish.finished_periods import Period, follow_periods, noted, take_away
from daybook.publish.published_folder import Pointer, lock_links, note_followed
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder

WriteReport = Callable[[Pipeline, dict[str, pa.Table], Published], bytes]


@dataclass
class Realigned:
    """What was done, a line each, and the days that could not be brought into line, with the reason."""

    done: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def realign(
    connect: OpenPostgres,
    data: DataFolder,
    names: Iterable[str],
    specs: Mapping[str, Pipeline],
    report: WriteReport,
) -> Realigned:
    """Let the published folder show exactly what the ledger says.

    connect: opens a session with the warehouse, for each pipeline and day anew, so no lock is held for long. names: of
    the pipelines in the folder that belong to this warehouse, beside those that its ledger knows. specs: the pipelines
    that load, by name; without its spec, files of a run cannot be written again. report: returns the report's page of a
    publication.
    """
    work = _Work(data, specs, report)
    done = at_once(connect, work.number_above)
    left: list[str] = []
    for pipeline in sorted({*at_once(connect, ledger_of).seen, *names}):
        done += at_once(connect, partial(work.set_aside, pipeline=pipeline))
        for day, seen in at_once(connect, ledger_of).seen.get(pipeline, {}).items():
            told = at_once(connect, partial(work.follow, pipeline=pipeline, day=day, seen=seen))
            done += told.done
            left += told.left
        told = at_once(connect, partial(work.periods, pipeline=pipeline))
        done += told.done
        left += told.left
    return Realigned(done, left)


@dataclass(frozen=True)
class _Work:
    """The units of the work, each of which may run again from its start."""

    data: DataFolder
    specs: Mapping[str, Pipeline]
    report: WriteReport

    def number_above(self, connection: Connection) -> list[str]:
        """Let run numbers go on above all that the folder and the receipts show."""
        data = self.data
        shown = {run_id for pipeline in data.published_pipelines() for _, run_id in data.saved_runs(pipeline)}
        highest = max({*shown, *data.run_ids_of_receipts()}, default=0)
        with connection.transaction():
            runs.prepare(connection)
            before = runs.highest_number(connection)
            runs.number_above(connection, highest)
        if highest <= before:
            return []
        return [f"run numbers go on after {highest}; by the warehouse alone they would go on after {before}"]

    def set_aside(self, connection: Connection, pipeline: str) -> list[str]:
        """Set aside the links, the copies of days and the files of runs that the ledger does not know."""
        data = self.data
        with connection.transaction():
            lock_links(connection, pipeline)
            # List first, then ask the ledger: what a run makes after that is not on the list.
            shown, copied, saved = data.shown(pipeline), data.copied_days(pipeline), data.saved_runs(pipeline)
            ledger = ledger_of(connection)
            links = {day: run for day, run in shown.items() if day not in ledger.seen.get(pipeline, {})}
            unknown = [(day, run_id) for day, run_id in saved if (pipeline, day, run_id) not in ledger.runs]
            for day in links:
                data.published(pipeline).remove_pointer(str(day))
            return [
                *(
                    f"{pipeline} {day}: not published in the warehouse; its link to {links[day]} is gone"
                    for day in links
                ),
                *(self._moved(pipeline, day, "", str(day), "a folder in place of its link") for day in copied),
                *(
                    self._moved(pipeline, day, f".runs/{day}", str(run_id), f"the files of run {run_id}")
                    for day, run_id in unknown
                ),
            ]

    def follow(self, connection: Connection, pipeline: str, day: date, seen: Seen) -> Realigned:
        """Let the day's link show the run that readers of the warehouse see, with all its files."""
        told = Realigned()
        with connection.transaction():
            lock_links(connection, pipeline)
            published = queries.published(connection, pipeline, day)
            # A run that was published meanwhile waits for our lock, and links next.
            if published is None or published.run_id != seen.run_id:
                return told
            try:
                told.done += self._written_again(connection, pipeline, day, seen, published)
            except BadSpec as error:
                told.left.append(f"{error}; its files were not written again; `./daybook day {day} --force` does it")
            told.done += self._linked(connection, pipeline, day, seen)
        return told

    def periods(self, connection: Connection, pipeline: str) -> Realigned:
        """Let the folder show the files of all finished periods, and no others."""
        with connection.transaction():
            lock_links(connection, pipeline)
            finished = noted(connection, pipeline).get(pipeline, {})
            wrong = wrong_periods(self.data, pipeline, finished)
            take_away(connection, self.data, pipeline, wrong)
        told = [f"{pipeline}, {summary} {period}: {what}" for (summary, period), what in wrong.items()]
        spec = self.specs.get(pipeline)
        if spec is None:
            lost = [one for one in wrong if one in finished]
            return Realigned([f"{line}; it is taken away" for line in told], self._left(pipeline, lost))
        while follow_periods(connection, self.data, spec):
            pass
        return Realigned([f"{line}; now it shows what the warehouse does" for line in told])

    def _left(self, pipeline: str, lost: list[Period]) -> list[str]:
        names = ", ".join(f"{summary} {period}" for summary, period in lost)
        return [f"{pipeline}: {names} cannot be written again, as its pipeline does not load"] if lost else []

    def _written_again(
        self, connection: Connection, pipeline: str, day: date, seen: Seen, published: Published
    ) -> list[str]:
        wrong = wrong_files(self.data, pipeline, day, seen)
        if not wrong:
            return []
        what = ", ".join(f"{name} is {how}" for name, how in wrong.items())
        spec = self.specs.get(pipeline)
        if spec is None:
            raise BadSpec(f"{pipeline} {day}: {what}, and its pipeline does not load")
        with connection.transaction():
            rows = saved_rows(connection, spec, day, seen.run_id)
        folder = self.data.published_files(pipeline, day, seen.run_id)
        for name in (name for name, how in wrong.items() if how == "changed"):
            folder.move(name, self.data.set_aside(pipeline, day) / str(seen.run_id))
        again = written_again(folder)
        for name, table in rows.items():
            if {f"{name}.parquet", f"{name}.csv"} & wrong.keys():
                again |= {file: output.sha256 for file, output in write_files(folder, name, table).items()}
        with folder.new_file(WRITTEN_AGAIN) as file:
            file.write(json.dumps(again).encode())
        if REPORT in wrong:
            with folder.new_file(REPORT) as file:
                file.write(self.report(spec, rows, published))
        return [f"{pipeline} {day}: {what}; written again from the warehouse's rows of run {seen.run_id}"]

    def _linked(self, connection: Connection, pipeline: str, day: date, seen: Seen) -> list[str]:
        before = self.data.published_run_id(pipeline, day)
        if self.data.is_saved(pipeline, day, seen.run_id):
            self.data.publish(pipeline, day, seen.run_id)
            note_followed(connection, pipeline, Pointer(day, seen.run_id))
            now = f"run {seen.run_id}"
        else:
            # Better nothing than the numbers of another run.
            self.data.published(pipeline).remove_pointer(str(day))
            now = "nothing"
        showed = f"run {before}" if before else "nothing"
        return [] if showed == now else [f"{pipeline} {day}: the folder shows {now}; it showed {showed}"]

    def _moved(self, pipeline: str, day: date, folder: str, name: str, what: str) -> str:
        place = self.data.set_aside(pipeline, day)
        new = (self.data.published(pipeline) / folder).move(name, place)
        return f"{pipeline} {day}: {what} is set aside as {place.path}/{new}"
