"""Takes a day back to an earlier run: the warehouse's rows, the published files, and a decision in the ledger.

Not a step: `./daybook rollback` calls it. The runs that a day can go back to are those that the spec keeps.
The content rolled back stays hidden: publish/deploy.py holds a later run with the same result.
"""

from datetime import date
from typing import NamedTuple

from daybook.errors import BadSpec
from daybook.ledger import decisions, runs
from daybook.postgres.session import Connection
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder


class RolledBack(NamedTuple):
    """The run that readers of the day saw, and the one that they see now."""

    before: int
    now: int


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

    Raises BadSpec, and changes nothing, if the day is not published or no such run is kept.
    """
    with connection.transaction():
        runs.lock_day(connection, pipeline.name, day)
        kept = _kept(connection, pipeline.name, day)
        seen = next((run.run_id for run in kept if run.is_seen), None)
        if seen is None:
            raise BadSpec(f"{pipeline.name} {day}: not published; nothing was changed; run the day to publish it")
        target = _target(f"{pipeline.name} {day}", kept, run_id)
        _check_is_there(connection, f"{pipeline.name} {day}", data.published_files(pipeline.name, day, target), target)
        runs.point(connection, pipeline.name, day, target)
        decisions.decide(connection, pipeline.name, day, target, decisions.rolled_back(seen, who, why))
    return RolledBack(seen, target)


def _kept(connection: Connection, pipeline: str, day: date) -> list[KeptRun]:
    """Return the publications of a day whose rows are kept, newest first."""
    rows = connection.execute(
        "select ledger.run_id, published.run_id is not null from daybook.ledger join daybook.run using (run_id) "
        "left join daybook.published using (run_id) "
        "where ledger.pipeline = %s and ledger.day = %s and removed_at is null order by published_at desc, run_id desc",
        [pipeline, day],
    )
    return [KeptRun(*row) for row in rows]


def _target(where: str, kept: list[KeptRun], asked: int | None) -> int:
    numbers = [run.run_id for run in kept]
    before_seen = numbers[[run.is_seen for run in kept].index(True) + 1 :]
    target = before_seen[0] if asked is None and before_seen else asked
    if target not in numbers:
        what = f"run {asked} is not" if asked else "no run before the one that readers see is"
        raise BadSpec(
            f"{where}: {what} kept; kept are {', '.join(map(str, numbers))}; nothing was changed; "
            "the spec's `keep_runs` says how many are"
        )
    return target


def _check_is_there(connection: Connection, where: str, files: Folder, run_id: int) -> None:
    # The claim holds off publish/cleanup.py, which may be removing the run's rows right now.
    if runs.claim(connection, run_id) is None:
        raise BadSpec(f"{where}: run {run_id} was removed this moment; nothing was changed; name another run")
    if not files.exists():
        raise BadSpec(
            f"{where}: the files of run {run_id} are not in {files.path}; nothing was changed; "
            "is DAYBOOK_DATA the folder that the tasks publish to?"
        )
