"""Lookups as of the day: an extract takes the copy that was read when the day was first published, or says why not."""

import csv
import logging
from collections.abc import Iterable
from io import TextIOWrapper
from typing import NamedTuple

from daybook.errors import BrokenChain
from daybook.ledger.as_of import Copied, copies
from daybook.ledger.queries import is_begun
from daybook.ledger.receipt import Origin, Rows
from daybook.postgres.day_state import DayState
from daybook.postgres.session import Connection, at_once
from daybook.run.step_run import StepRun
from daybook.spec import Source, Table
from daybook.storage.folder import Folder

log = logging.getLogger(__name__)


class Taken(NamedTuple):
    """What an extract took of the day's first publication, by source; the words are those of `Done`.

    instead_of: the runs whose copies were not taken, by source, because this run was forced.
    """

    rows: dict[str, Rows]
    origins: dict[str, Origin]
    slices: dict[str, DayState]
    instead_of: dict[str, str]

    def noted(self, source: str, origin: Origin) -> Origin:
        """Return the origin of a source that was read anew, with the run whose copy it stands for."""
        run = self.instead_of.get(source)
        return origin.model_copy(update={"instead_of": run}) if run else origin


def take_copies(step: StepRun, sources: Iterable[Source]) -> Taken:
    """Put the copies that the day keeps of some sources into the step's folder; all others have to be read.

    Raises BrokenChain, with the way out, if a copy is gone, damaged, or without a column of the spec.
    """
    taken = Taken({}, {}, {}, {})
    asked = [source for source in sources if source.name in step.pipeline.as_of_day]
    kept = at_once(step.warehouse, lambda session: _kept(session, step)) if asked else {}
    for source in asked:
        if (copied := kept.get(source.name)) is None:
            continue
        if step.day_run.is_forced:
            taken.instead_of[source.name] = _run_of(copied)
            log.warning("%s is read as it is now, since the run is forced: %s", source.name, _was(copied))
            continue
        _take(step, source, copied)
        log.info("%s is as it was when the day was first published: %s", source.name, _was(copied))
        taken.origins.update({stem: _as_of(origin, copied) for stem, origin in copied.origins.items()})
        taken.rows.update({source.name: copied.rows} if copied.rows else {})
        taken.slices.update({source.name: copied.state} if copied.state else {})
    return taken


def _kept(session: Connection, step: StepRun) -> dict[str, Copied]:
    day = step.day_run.day
    return copies(session, step.pipeline, day, day).get(day, {}) if is_begun(session) else {}


def _take(step: StepRun, source: Source, copied: Copied) -> None:
    day_run = step.day_run
    folder = day_run.data.run(day_run.pipeline.name, day_run.day, copied.run) / copied.step
    for name, output in copied.files.items():
        if fault := folder.fault(name, output.sha256):
            raise BrokenChain(
                f"{folder.path / name}: the copy of {source.name} that {day_run.pipeline.name} {day_run.day} keeps "
                f"(as_of='day', {_was(copied)}) {'is gone' if fault == 'gone' else 'was changed or damaged'}; nothing "
                f"was read; {_WAY_OUT}, or bring the file back from a backup"
            )
    if isinstance(source, Table):
        _check_columns(folder, source, copied)
    for name, output in copied.files.items():
        step.folder.take(name, folder)
        step.note_output(name, output.rows)


def _check_columns(folder: Folder, table: Table, copied: Copied) -> None:
    with folder.open(f"{table.name}.csv") as file, TextIOWrapper(file, "utf-8", newline="") as text:
        there = next(csv.reader(text), [])
    if missing := [column.header for column in table.columns if column.header not in there]:
        raise BrokenChain(
            f"{table.name}: its copy (as_of='day', {_was(copied)}) has no column {', '.join(map(repr, missing))}, "
            f"which the spec reads since; nothing was read; {_WAY_OUT}, or declare the table twice, and take the "
            "column from the second"
        )


_WAY_OUT = "force the day (./daybook day DAY --force) to take the rows of now"


def _was(copied: Copied) -> str:
    return f"as of the run of {_run_of(copied)}"


def _run_of(copied: Copied) -> str:
    """Return the run that read the rows: the one that has them, or an earlier one from which it took them."""
    return next((origin.as_of for origin in copied.origins.values() if origin.as_of), copied.run)


def _as_of(origin: Origin, copied: Copied) -> Origin:
    return origin.model_copy(update={"as_of": _run_of(copied), "instead_of": ""})
