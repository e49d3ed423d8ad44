"""A plan done by Airflow, for `./daybook backfill` and the demo. Days that need no work get no run."""

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import NamedTuple

from rich.console import Console

from commands import connections
from commands.output import say, tell_table
from commands.plan import made_plan
from daybook.ledger import step_log
from daybook.ledger.first_load import is_first_load
from daybook.ledger.queries import is_begun
from daybook.ledger.receipt import NotPublished, Receipt
from daybook.planning.plan import Limited, Planned
from daybook.planning.standing import Failure
from daybook.postgres.session import Connection, at_once
from daybook.spec import Pipeline
from daybook.text import spell
from daybook_airflow.api import AirflowApi
from daybook_airflow.backfill.runs import in_batches
from deployment.control.runs import follow, start

LEFT_OUT = "left out by the limit"


class Known(NamedTuple):
    """The ledger's facts about the days after a backfill: published or not, the last ended run, the last failure."""

    published: set[date]
    ended: dict[date, dict[str, Receipt]]
    failures: dict[date, Failure]


class Done(NamedTuple):
    """The result of a day: `is_well` if readers see it and its plan is done, or if it was left for later by the limit,
    as asked. rows_refused and rows_dropped are those of all sources, in its last run that came to its end. held_for:
    what was found and expected of a day that is held."""

    day: date
    action: str
    result: str
    seconds: float
    is_well: bool
    rows_refused: int
    rows_dropped: int
    is_held: bool = False
    held_for: str = ""


def backfill(
    api: AirflowApi,
    pipeline: Pipeline,
    days: list[date],
    console: Console,
    *,
    batch: int = 1,
    limit: int | None = None,
    is_forced: bool = False,
    check: Callable[[], None] = lambda: None,
) -> list[Done]:
    """Carry out the plan of some days, in runs of up to `batch` days; return the result of each, newest first.

    The newest days run first, so that readers see them first; in a first load the oldest, since each day is compared
    with those before it. check: called at every look at the runs.
    """
    made = made_plan(pipeline, days, limit, is_forced=is_forced)
    to_run = [day.day for day in made.planned if day.action == "run"]
    if to_run and _is_first_load(pipeline, max(to_run)):
        to_run.reverse()
    run_ids = _run(api, pipeline, in_batches(to_run, batch), console, check, is_forced=is_forced)
    return _results(pipeline, made, run_ids)


def _is_first_load(pipeline: Pipeline, last: date) -> bool:
    connect = partial(connections.postgres, pipeline.target.connection)
    return at_once(connect, lambda session: not is_begun(session) or is_first_load(session, pipeline.name, last))


def release_days(
    api: AirflowApi,
    pipeline: Pipeline,
    held: list[date],
    console: Console,
    why: str,
    check: Callable[[], None] = lambda: None,
) -> list[Done]:
    """Run held days with the reason why each is published; return the result of each, newest first."""
    made = Limited([Planned(day, "run", "held", (), None) for day in sorted(held, reverse=True)], [])
    batches = in_batches([day.day for day in made.planned], 1)
    return _results(pipeline, made, _run(api, pipeline, batches, console, check, release=why))


def _results(pipeline: Pipeline, made: Limited, run_ids: Mapping[date, str]) -> list[Done]:
    days = [day.day for day in (*made.planned, *made.left_out)]
    connect = partial(connections.postgres, pipeline.target.connection)
    known = at_once(connect, lambda connection: _known(connection, pipeline.name, days))
    return outcomes(made, known, run_ids)


def tell(done: list[Done]) -> None:
    """Print the result of each day, and a last line of counts."""
    tell_table(("day", "plan", "result", "refused", "dropped", "seconds"), [_cells(day) for day in done], cut="result")
    missing = sum(not day.is_well for day in done)
    run = sum(day.action == "run" for day in done)
    later = sum(day.result == LEFT_OUT for day in done)
    well = len(done) - missing - later
    left = f", {later} left out by the limit" if later else ""
    say(f"{len(done)} days: {run} to run, {well} are as they should be, {missing} are not{left}")
    tell_held(done)


def tell_held(done: list[Done]) -> None:
    """Print the days that are held, each with what was found and expected, and the command that publishes them."""
    held = sorted((day for day in done if day.is_held), key=lambda day: day.day)
    if not held:
        return
    what = "day is" if len(held) == 1 else "days are"
    say(f"{len(held)} {what} held: {spell(tuple(day.day for day in held))}")
    tell_table(("held day", "found and expected"), [(str(day.day), day.held_for) for day in held])
    say(
        f"If these numbers are right, publish them: `./daybook release --from {held[0].day} --to {held[-1].day} "
        "--why REASON`; `./daybook why DAY` says more about a day"
    )


def _cells(day: Done) -> tuple[str, ...]:
    seconds = f"{day.seconds:.2f}" if day.seconds else ""
    return str(day.day), day.action, day.result, f"{day.rows_refused:,}", f"{day.rows_dropped:,}", seconds


def outcomes(made: Limited, known: Known, run_ids: Mapping[date, str]) -> list[Done]:
    """Return the result of each day of a plan. run_ids: by day, the run that was started for it."""
    left_out = [day._replace(action="skip", reason=LEFT_OUT) for day in made.left_out]
    planned = sorted([*made.planned, *left_out], key=lambda day: day.day, reverse=True)
    return [_with_hold(_outcome(day, known, run_ids.get(day.day)), known) for day in planned]


def _with_hold(done: Done, known: Known) -> Done:
    failure = known.failures.get(done.day)
    if done.is_well or failure is None or failure.kind != "Implausible":
        return done
    return done._replace(is_held=True, held_for=_doubt(done.day, failure.message))


def _doubt(day: date, message: str) -> str:
    """Return what was found and expected, from the message of a held day."""
    why = message.partition(f" {day}: ")[2] or message
    return why.partition("; the day is held")[0]


def _run(
    api: AirflowApi,
    pipeline: Pipeline,
    batches: list[tuple[date, ...]],
    console: Console,
    check: Callable[[], None],
    *,
    is_forced: bool = False,
    release: str = "",
) -> dict[date, str]:
    if not batches:
        return {}
    api.wait_for_dag(pipeline.name, check=check)
    api.unpause(pipeline.name)
    console.print(f"{sum(map(len, batches))} days to run, in {len(batches)} runs of Airflow.")
    run_ids = start(api, pipeline.name, batches, is_forced=is_forced, release=release)
    follow(api, pipeline.name, run_ids, console, check)
    return {day: run_id for days, run_id in zip(batches, run_ids, strict=True) for day in days}


def _known(connection: Connection, pipeline: str, days: list[date]) -> Known:
    if not is_begun(connection):
        return Known(set(), {}, {})
    asked = (connection, pipeline, min(days), max(days))
    failures = {day: Failure(*words) for day, words in step_log.failures(*asked).items()}
    return Known(step_log.published_days(*asked), step_log.receipts_of_last_deployed(*asked), failures)


def _outcome(planned: Planned, known: Known, run_id: str | None) -> Done:
    day, is_seen = planned.day, planned.day in known.published
    receipts = known.ended.get(day, {})
    lost = NotPublished.of_run(receipts)
    if planned.action != "run":
        is_well = planned.action == "skip" and (is_seen or planned.reason == LEFT_OUT)
        return Done(day, planned.action, planned.reason, 0.0, is_well, *lost)
    if receipts and receipts["deploy"].run == run_id:
        seconds = sum(receipt.seconds for receipt in receipts.values())
        return Done(day, "run", receipts["deploy"].outcome, seconds, is_seen, *lost)
    failure = known.failures.get(day)
    result = f"failed: {failure.step}, {failure.kind}: {failure.message}" if failure else "not run: it was cancelled"
    return Done(day, "run", result, 0.0, False, *lost)
