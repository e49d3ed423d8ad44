"""Takes a day back to an earlier run, or to nothing: the warehouse's rows and a decision in the ledger.

Not a step: publish/rollback_everywhere.py calls it for people. The runs that a day can go back to are those that the
spec keeps. The content rolled back stays hidden: publish/deploy.py holds a later run with the same result.
"""

from datetime import date
from typing import NamedTuple

from daybook.errors import BadSpec
from daybook.ledger import decisions, exports, runs
from daybook.postgres.session import Connection
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder


class RolledBack(NamedTuple):
    """The run that readers of the day saw, and the one that they see now; None if there is none."""

    before: int | None
    now: int | None


class KeptRun(NamedTuple):
    """A publication of a day whose rows are kept."""

    run_id: int
    is_seen: bool


def rollback(
    connection: Connection,
    pipeline: Pipeline,
    day: date,
    data: DataFolder,
    who: str,
    why: str,
    run_id: int | None = None,
) -> RolledBack:
    """Show readers of a day the run before the one they see, or the run of that number.

    Raises BadSpec, and changes nothing, if no such run is kept, or if the day is not published and no run is named.
    """
    with connection.transaction():
        runs.prepare(connection)
        runs.lock_day(connection, pipeline.name, day)
        kept = _kept(connection, pipeline.name, day)
        seen = _seen(kept)
        if seen is None and (run_id is None or not kept):
            raise _not_published(pipeline.name, day, kept)
        target = _target(f"{pipeline.name} {day}", kept, run_id)
        _check_is_there(connection, f"{pipeline.name} {day}", data.published_files(pipeline.name, day, target), target)
        runs.point(connection, pipeline.name, day, target)
        exports.owe(connection, pipeline, day, target)
        decisions.decide(connection, pipeline.name, day, target, _decision(connection, pipeline, day, seen, who, why))
    return RolledBack(seen, target)


def take_back(connection: Connection, pipeline: Pipeline, day: date, who: str, why: str) -> RolledBack:
    """Show readers no run of a day; its rows and files are kept, as those of other runs are.

    Raises BadSpec, and changes nothing, if the day is not published.
    """
    with connection.transaction():
        runs.prepare(connection)
        runs.lock_day(connection, pipeline.name, day)
        kept = _kept(connection, pipeline.name, day)
        seen = _seen(kept)
        if seen is None:
            raise _not_published(pipeline.name, day, kept)
        runs.point_to_nothing(connection, pipeline.name, day)
        exports.owe_removal(connection, pipeline, day, seen)
        decisions.decide(connection, pipeline.name, day, seen, decisions.taken_back(seen, who, why))
    return RolledBack(seen, None)


def _seen(kept: list[KeptRun]) -> int | None:
    return next((run.run_id for run in kept if run.is_seen), None)


def _not_published(pipeline: str, day: date, kept: list[KeptRun]) -> BadSpec:
    numbers = ", ".join(str(run.run_id) for run in kept)
    also = f", or name a run that is kept by `--to` ({numbers})" if kept else ""
    return BadSpec(f"{pipeline} {day}: not published; nothing was changed; run the day to publish it{also}")


def _decision(
    connection: Connection, pipeline: Pipeline, day: date, seen: int | None, who: str, why: str
) -> decisions.Decision:
    if seen is not None:
        return decisions.rolled_back(seen, who, why)
    left = decisions.last_taken_back(connection, pipeline.name, day)
    return decisions.shown_again(left or 0, who, why)


def _kept(connection: Connection, pipeline: str, day: date) -> list[KeptRun]:
    """Return the publications of a day whose rows are kept, newest first."""
    rows = connection.execute(
        "select ledger.run_id, published.run_id is not null from ledger join run using (run_id) "
        "left join published using (run_id) "
        "where ledger.pipeline = %s and ledger.day = %s and removed_at is null order by published_at desc, run_id desc",
        [pipeline, day],
    )
    return [KeptRun(*row) for row in rows]


def _target(where: str, kept: list[KeptRun], asked: int | None) -> int:
    numbers = [run.run_id for run in kept]
    target = asked or next(iter(_before_seen(kept)), None)
    if target not in numbers:
        what = f"run {asked} is not" if asked else "no run before the one that readers see is"
        raise BadSpec(
            f"{where}: {what} kept; kept are {', '.join(map(str, numbers))}; nothing was changed; "
            "the spec's `keep_runs` says how many are; `--to nothing` shows readers no run of the day"
        )
    return target


def _before_seen(kept: list[KeptRun]) -> list[int]:
    seen = _seen(kept)
    numbers = [run.run_id for run in kept]
    return numbers[numbers.index(seen) + 1 :] if seen else []


def _check_is_there(connection: Connection, where: str, files: Folder, run_id: int) -> None:
    # The claim holds off publish/cleanup.py, which may be removing the run's rows right now.
    if runs.claim(connection, run_id) is None:
        raise BadSpec(f"{where}: run {run_id} was removed this moment; nothing was changed; name another run")
    if not files.exists():
        raise BadSpec(
            f"{where}: the files of run {run_id} are not in {files.path}; nothing was changed; "
            "is DAYBOOK_DATA the folder that the tasks publish to?"
        )
