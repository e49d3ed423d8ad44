"""The ledger's log of single steps: one writer per pipeline and day, and one row per step with its outcome.

A step holds the day's lock while it works, across scheduler, UI, backfill and command line: another run's step on the
same day waits for it. The lock belongs to a transaction that does nothing else until the step is over, and then writes
the step's row: so it ends with the process, however that ends, and holds behind a pooler too. A process that hangs is
overtaken after a while: the lock only saves work, the fence of publish/deploy.py keeps readers safe.
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date, datetime
from typing import Any, NamedTuple

import psycopg

from daybook.environment import ledger_schema
from daybook.errors import DaybookError, NotYet, SourceUnavailable
from daybook.ledger import runs
from daybook.ledger.code import digest
from daybook.ledger.fingerprint import READS
from daybook.ledger.receipt import Fingerprint, Receipt
from daybook.postgres.session import Connection, OpenPostgres, begin, limited, translated_errors, warehouse_settings

# A step takes seconds. If one holds the day for longer, it hangs, or has so much to do that we do not wait for it.
# Checked each time that the session's lock_timeout has passed.
PATIENCE_S = 60
# The holder's transaction takes the lock and then waits for the step's end, and no snapshot of it holds up a vacuum. So
# it may be idle for as long as the step works, and its last change of state is when it took the lock.
HOLDING = "set local idle_in_transaction_session_timeout = 0"
OVERTAKE = """
    select pg_terminate_backend(pid) from pg_locks join pg_stat_activity using (pid)
    where locktype = 'advisory' and objsubid = 2 and granted and datname = current_database()
    and classid = hashtext(%s)::oid and objid = %s::int::oid and state_change < now() - make_interval(secs => %s)
"""
log = logging.getLogger(__name__)


class Trying(NamedTuple):
    """One try of a step: of which run on which day, started by whom or what, and when."""

    pipeline: str
    day: date
    run: str
    step: str
    started_by: str
    started_at: datetime


@contextmanager
def one_writer(connect: OpenPostgres, trying: Trying) -> Iterator[Connection]:
    """Be the only writer of this pipeline's day until the block ends; yield the session that holds the lock.

    Its transaction is open, and only for `done` or `failed`. Raises SourceUnavailable if the warehouse cannot be
    reached.
    """
    with ExitStack() as opened:
        with translated_errors("the warehouse"):
            session = opened.enter_context(connect())
            _lock(session, trying)
        yield session
        _unlock(session)


def _lock(session: Connection, trying: Trying) -> None:
    while not _is_taken(session, trying):
        log.warning("%s %s: waits for another run's step on this day", trying.pipeline, trying.day)


def _is_taken(session: Connection, trying: Trying) -> bool:
    with limited(session):
        begin(session, f"{warehouse_settings()}; {HOLDING}")
        try:
            session.execute("select pg_advisory_xact_lock(hashtext(%s), %s)", _key(trying))
        except psycopg.errors.LockNotAvailable:
            session.rollback()
            _overtake(session, trying)
            return False
    return True


def _overtake(session: Connection, trying: Trying) -> None:
    begin(session)
    session.execute(OVERTAKE, [*_key(trying), PATIENCE_S])
    session.commit()


def _unlock(session: Connection) -> None:
    # If the session is broken, the lock is gone already; after any other error it is not used again.
    try:
        with limited(session):
            session.rollback()
    except psycopg.Error:
        session.close()


def _key(trying: Trying) -> list[object]:
    return [_lock_of(trying.pipeline), trying.day.toordinal()]


def _lock_of(pipeline: str) -> str:
    return f"{ledger_schema()}.write {pipeline}"


def check_none_at_work(connection: Connection, pipeline: str) -> None:
    """Raise SourceUnavailable if a step of a pipeline is at work on any day."""
    rows = connection.execute(
        "select distinct objid::bigint from pg_locks where locktype = 'advisory' and objsubid = 2 and granted "
        "and database = (select oid from pg_database where datname = current_database()) "
        "and classid = hashtext(%s)::oid order by 1",
        [_lock_of(pipeline)],
    ).fetchall()
    if rows:
        days = ", ".join(str(date.fromordinal(ordinal)) for (ordinal,) in rows)
        raise SourceUnavailable(f"{pipeline}: a step is at work on {days}; nothing was changed; wait for its end")


def done(session: Connection, trying: Trying, receipt: Receipt) -> None:
    """Log that a step was done, or reused from an earlier run. session: the one that holds the lock."""
    state = "reused" if receipt.reused_from else "done"
    rows = receipt.rows.values()
    _write(
        session,
        trying,
        state=state,
        **_columns(receipt.fingerprint),
        outputs_sha256=digest({name: output.sha256 for name, output in receipt.outputs.items()}),
        rows_read=sum(row.read for row in rows),
        rows_refused=receipt.refused,
        receipt=receipt.model_dump_json(),
    )


def failed(session: Connection, trying: Trying, error: Exception, ground: Fingerprint | None) -> None:
    """Log that a step failed, or waits. session: the one that holds the lock. ground: the step's fingerprint."""
    is_ours = isinstance(error, DaybookError)
    # A foreign error's message may quote a value of a row; its traceback is in the task's log.
    message = str(error) if is_ours else "see the log of the task"
    state = "waiting" if isinstance(error, NotYet) else "failed"
    words = {"state": state, "error_kind": type(error).__name__, "error": message}
    _write(session, trying, **words, **_columns(ground))


def _columns(ground: Fingerprint | None) -> dict[str, str | None]:
    parts = ground.model_dump() if ground else {}
    hashes = {f"{part}_sha256": parts.get(part) for part in ("inputs", "spec", "code")}
    return {**hashes, "libraries": parts.get("libraries")}


def _write(session: Connection, trying: Trying, **words: Any) -> None:
    columns = {**trying._asdict(), **words}
    names = ", ".join(columns)
    values = ", ".join(f"%({name})s" for name in columns)
    cleared = {"error_kind", "error", "receipt", "outputs_sha256"} - set(words)
    changes = [f"{name} = excluded.{name}" for name in columns if name not in ("pipeline", "day", "run", "step")]
    changes += [f"{name} = null" for name in sorted(cleared)]
    statement = (
        f"insert into step ({names}) values ({values}) on conflict (pipeline, day, run, step) do update set "  # noqa: S608 - our own words
        f"{', '.join(changes)}, attempts = step.attempts + 1, ended_at = clock_timestamp()"
    )
    try:
        with limited(session):
            _execute(session, statement, columns)
            session.commit()
    except psycopg.Error as error:
        # The step's own outcome counts, not its log: we were overtaken, or the warehouse is down, full or a standby.
        log.warning("%s %s, %s: not written into the ledger: %s", *trying[:2], trying.step, type(error).__name__)


def _execute(session: Connection, statement: str, columns: dict[str, Any]) -> None:
    try:
        with session.transaction():
            session.execute(statement.encode(), columns)
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        with session.transaction():
            runs.prepare(session)
        session.execute(statement.encode(), columns)


def receipts_of_last_deployed(
    connection: Connection, pipeline: str, first: date, last: date
) -> dict[date, dict[str, Receipt]]:
    """Return, for each day, the receipts by step of the last run that came to its end."""
    return _receipts(connection, pipeline, first, last, has_failed=False)


def receipts_of_last_failed(
    connection: Connection, pipeline: str, first: date, last: date
) -> dict[date, dict[str, Receipt]]:
    """Return, for each day, the receipts of the steps that its last failed run had done."""
    return _receipts(connection, pipeline, first, last, has_failed=True)


def _receipts(
    connection: Connection, pipeline: str, first: date, last: date, *, has_failed: bool
) -> dict[date, dict[str, Receipt]]:
    rows = connection.execute(
        "with last as (select distinct on (day) day, run from step where pipeline = %(pipeline)s and "
        "case when %(has_failed)s then state = 'failed' else step = 'deploy' and receipt is not null end "
        "and day between %(first)s and %(last)s order by day, ended_at desc) "
        "select day, step, receipt::text from step join last using (day, run) "
        "where pipeline = %(pipeline)s and receipt is not null",
        {"pipeline": pipeline, "first": first, "last": last, "has_failed": has_failed},
    )
    found: dict[date, dict[str, Receipt]] = {}
    for day, step, receipt in rows:
        found.setdefault(day, {})[step] = Receipt.model_validate_json(receipt)
    return found


def failures(connection: Connection, pipeline: str, first: date, last: date) -> dict[date, tuple[Any, ...]]:
    """Return the words of a Failure (planning/plan.py) for each day whose last try failed, after any deployment."""
    rows = connection.execute(
        "select distinct on (day) day, state, step, error_kind, error, ended_at, spec_sha256, "
        "code_sha256, libraries, inputs_sha256 from step "
        "where pipeline = %s and day between %s and %s and (state = 'failed' or step = 'deploy') "
        "order by day, ended_at desc",
        [pipeline, first, last],
    )
    return {day: tuple(words) for day, state, *words in rows if state == "failed"}


def waiting(connection: Connection, pipeline: str, first: date, last: date) -> list[tuple[date, str, str, str]]:
    """Return the steps that wait: the day, the run, the step and its last message; none of a day that another step has
    ended since, by failing or by deploying it."""
    rows = connection.execute(
        "select day, run, step, error from step where pipeline = %s and day between %s and %s and state = "
        "'waiting' and not exists (select from step later where later.pipeline = step.pipeline and later.day = "
        "step.day and later.ended_at > step.ended_at and (later.state = 'failed' or later.step = 'deploy' and "
        "later.receipt is not null)) order by day, run, step",
        [pipeline, first, last],
    )
    return rows.fetchall()


def published_days(connection: Connection, pipeline: str, first: date, last: date) -> set[date]:
    """Return the days that readers see."""
    rows = connection.execute(
        "select day from published where pipeline = %s and day between %s and %s", [pipeline, first, last]
    )
    return {day for (day,) in rows}


def first_published_day(connection: Connection, pipeline: str) -> date | None:
    """Return the first day that readers see, or None."""
    row = connection.execute("select min(day) from published where pipeline = %s", [pipeline]).fetchone()
    return row[0] if row else None


def begun_days(connection: Connection, pipeline: str, first: date, last: date) -> set[date]:
    """Return the days of which a run has done a step, failed at one, or waits at one."""
    rows = connection.execute(
        "select distinct day from step where pipeline = %s and day between %s and %s", [pipeline, first, last]
    )
    return {day for (day,) in rows}


def published_contents(connection: Connection, pipeline: str, first: date, last: date) -> dict[date, str]:
    """Return the hash of what readers see of each published day."""
    rows = connection.execute(
        "select published.day, content_sha256 from published join ledger using (run_id) "
        "where published.pipeline = %s and published.day between %s and %s",
        [pipeline, first, last],
    )
    return dict(rows.fetchall())


def reused_days(connection: Connection, pipeline: str, first: date, last: date) -> set[date]:
    """Return the days whose last finished run reused all that it could from earlier runs."""
    rows = connection.execute(
        "with ended as (select distinct on (day) day, run from step where pipeline = %(pipeline)s and step = "
        "'deploy' and receipt is not null and day between %(first)s and %(last)s order by day, ended_at desc) "
        "select day from step join ended using (day, run) "
        "where pipeline = %(pipeline)s and step = any(%(steps)s) group by day having bool_and(state = 'reused')",
        {"pipeline": pipeline, "first": first, "last": last, "steps": [step for step in READS if READS[step]]},
    )
    return {day for (day,) in rows}


def came_to_its_end(connection: Connection, pipeline: str, run: str) -> bool:
    """Return whether every day that a run began is finished: published, or found unchanged."""
    row = connection.execute(
        "select count(distinct day), count(distinct day) filter (where step = 'deploy' and receipt is not null) "
        "from step where pipeline = %s and run = %s",
        [pipeline, run],
    ).fetchone()
    return row is not None and row[0] > 0 and row[0] == row[1]
