"""What the ledger knows of one day: every run of it, what was published, what people decided, and the days before it.

Reads only. Every function works in the transaction of the connection it gets.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from daybook.ledger import exports, first_load, queries, turns
from daybook.ledger.decisions import Rollback, rollbacks
from daybook.ledger.queries import Decided
from daybook.ledger.receipt import Receipt
from daybook.postgres.session import Connection

# Of the runs of a day; the older ones are counted.
RUNS = 30
DAYS_BEFORE = 7


class StepOfRun(NamedTuple):
    """What became of a step of a run: "done", "reused", "waiting" or "failed", when, and its error."""

    step: str
    state: str
    ended_at: datetime
    error_kind: str | None
    error: str | None


class RunOfDay(NamedTuple):
    """A run's work on the day. run: the scheduler's name. outcome: of deploying; "" if it has not come to that."""

    run: str
    started_by: str
    began_at: datetime
    ended_at: datetime
    steps: dict[str, StepOfRun]
    outcome: str

    @property
    def failure(self) -> StepOfRun | None:
        """Return the step that failed, or None: a step that is tried again replaces its failure."""
        return next((step for step in self.steps.values() if step.state == "failed"), None)

    @property
    def waits(self) -> list[StepOfRun]:
        """Return the steps that wait."""
        return [step for step in self.steps.values() if step.state == "waiting"]


class PublishedRun(NamedTuple):
    """A publication of the day. run: the scheduler's name. totals: the row count and the measures that can be summed.
    changes: by summary, the rows added, removed and changed. is_kept: whether readers can be shown it again."""

    run_id: int
    run: str
    published_at: datetime
    rows_read: int
    rows_refused: int
    totals: dict[str, Decimal]
    changes: dict[str, dict[str, int]]
    is_kept: bool
    is_seen: bool


class KnownDay(NamedTuple):
    """A day in the ledger. runs: the last ones, newest first; more_runs: how many are older. published: newest first.
    rollback: the one that still stands.

    run: whose account it is; None if no run is known. receipts: its own, by step; receipts_before: those of the run
    before it. days_before: the totals of the last days before this one. sent: what exports and further targets got
    last. owed: what they are still to get.
    """

    runs: tuple[RunOfDay, ...] = ()
    more_runs: int = 0
    published: tuple[PublishedRun, ...] = ()
    decisions: tuple[Decided, ...] = ()
    rollback: Rollback | None = None
    is_at_work: bool = False
    run: str | None = None
    receipts: dict[str, Receipt] = {}
    run_before: str | None = None
    receipts_before: dict[str, Receipt] = {}
    days_before: dict[date, dict[str, Decimal]] = {}
    sent: tuple[exports.Sent, ...] = ()
    owed: tuple[exports.Owed, ...] = ()

    @property
    def seen(self) -> PublishedRun | None:
        """Return the publication that readers see, or None."""
        return next((one for one in self.published if one.is_seen), None)

    def named(self, run: str | None) -> RunOfDay | None:
        """Return the run of a name, or None."""
        return next((one for one in self.runs if one.run == run), None)


def known_day(connection: Connection, pipeline: str, day: date, run: str | None = None) -> KnownDay:
    """Return what the ledger knows of a day; nothing if there is no ledger yet.

    run: whose account is asked for; without it, that of the last run, or if that has not come to its end, of the one
    that readers see.
    """
    if not queries.is_begun(connection):
        return KnownDay(run=run)
    runs, published = _runs(connection, pipeline, day), _published(connection, pipeline, day)
    chosen = run or _run_to_show(runs, published)
    before = _run_before(runs, chosen)
    asking = chosen or (runs[0].run if runs else "")
    return KnownDay(
        runs=tuple(runs[:RUNS]),
        more_runs=len(runs[RUNS:]),
        published=tuple(published),
        decisions=tuple(queries.decisions(connection, pipeline, day)),
        rollback=rollbacks(connection, pipeline, day, day).get(day),
        is_at_work=day in turns.days_at_work(connection, pipeline),
        run=chosen,
        receipts=_receipts(connection, pipeline, day, chosen),
        run_before=before,
        receipts_before=_receipts(connection, pipeline, day, before),
        days_before=first_load.days_before(connection, pipeline, day, DAYS_BEFORE, asking),
        sent=tuple(exports.last_sent(connection, pipeline, day)),
        owed=tuple(exports.owed_of_day(connection, pipeline, day)),
    )


def _run_to_show(runs: list[RunOfDay], published: list[PublishedRun]) -> str | None:
    seen = next((one.run for one in published if one.is_seen), None)
    if not runs:
        return seen
    return runs[0].run if runs[0].outcome or seen is None else seen


def _run_before(runs: list[RunOfDay], chosen: str | None) -> str | None:
    """Return the last run before the chosen one that did a step; None if there is none."""
    names = [run.run for run in runs]
    older = runs[names.index(chosen) + 1 :] if chosen in names else []
    did = (run for run in older if any(step.state in ("done", "reused") for step in run.steps.values()))
    return next((run.run for run in did), None)


def _runs(connection: Connection, pipeline: str, day: date) -> list[RunOfDay]:
    """Return the runs of a day, newest first by their last step."""
    rows = connection.execute(
        "select run, started_by, started_at, coalesce(receipt ->> 'outcome', ''), step, state, ended_at, error_kind, "
        "error from step where pipeline = %s and day = %s order by ended_at, step",
        [pipeline, day],
    )
    found: dict[str, list[tuple[str, datetime, str, StepOfRun]]] = {}
    for run, started_by, started_at, outcome, *words in rows:
        found.setdefault(run, []).append((started_by, started_at, outcome, StepOfRun(*words)))
    return sorted((_run(run, lines) for run, lines in found.items()), key=lambda run: run.ended_at, reverse=True)


def _run(run: str, lines: list[tuple[str, datetime, str, StepOfRun]]) -> RunOfDay:
    steps = {step.step: step for _, _, _, step in lines}
    began_at = min(started_at for _, started_at, _, _ in lines)
    outcome = next((found for _, _, found, step in lines if step.step == "deploy"), "")
    return RunOfDay(run, lines[-1][0], began_at, lines[-1][3].ended_at, steps, outcome)


def _published(connection: Connection, pipeline: str, day: date) -> list[PublishedRun]:
    rows = connection.execute(
        "select run_id, run.started_by, published_at, rows_read, rows_refused, totals, changes, removed_at is null, "
        "seen.run_id is not null from ledger join run using (run_id) left join published seen using (run_id) "
        "where ledger.pipeline = %s and ledger.day = %s order by published_at desc, run_id desc",
        [pipeline, day],
    )
    return [PublishedRun._make([*words[:5], _numbers(words[5]), *words[6:]]) for words in rows]


def days_of_run(connection: Connection, pipeline: str, run: str) -> list[date]:
    """Return the days of which a run did a step, failed at one, or waits at one; in order."""
    if not queries.is_begun(connection):
        return []
    rows = connection.execute(
        "select distinct day from step where pipeline = %s and run = %s order by 1", [pipeline, run]
    )
    return [day for (day,) in rows]


def _numbers(totals: dict[str, str]) -> dict[str, Decimal]:
    return {name: Decimal(total) for name, total in totals.items()}


def _receipts(connection: Connection, pipeline: str, day: date, run: str | None) -> dict[str, Receipt]:
    """Return the receipts of a run, by step, in the order of the work."""
    rows = connection.execute(
        "select step, receipt::text from step where pipeline = %s and day = %s and run = %s and receipt is not null "
        "order by ended_at",
        [pipeline, day, run],
    )
    return {step: Receipt.model_validate_json(receipt) for step, receipt in rows}
