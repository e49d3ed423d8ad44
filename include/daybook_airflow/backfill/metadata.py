"""Airflow's metadata database, read only: the few columns that `airflow dags backfill` looks at.

Airflow's own models cannot be imported yet where this is used (see command.py), and a command line call costs
five seconds each: so it is plain SQL, over the address that Airflow's configuration gives.
"""

from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from airflow.configuration import conf
from sqlalchemy import Boolean, DateTime, Engine, Executable, case, column, create_engine, func, select, table
from sqlalchemy.engine import make_url
from sqlalchemy.pool import NullPool

from daybook_airflow.backfill.progress import Run, Sight

_WHEN = DateTime(timezone=True)
_dag = table(
    "dag",
    column("dag_id"),
    column("is_paused", Boolean),
    column("is_stale", Boolean),
    column("max_active_runs"),
)
_backfill = table("backfill", column("id"), column("dag_id"), column("completed_at", _WHEN))
_asked = table("backfill_dag_run", column("backfill_id"), column("logical_date", _WHEN))
_run = table(
    "dag_run",
    column("dag_id"),
    column("run_id"),
    column("backfill_id"),
    column("logical_date", _WHEN),
    column("state"),
)
_task = table("task_instance", column("dag_id"), column("run_id"), column("state"))
_job = table("job", column("job_type"), column("state"), column("latest_heartbeat", _WHEN))

_TASK_HAS_ENDED = ("success", "failed", "skipped", "upstream_failed", "removed")
_ENDED = func.sum(case((_task.c.state.in_(_TASK_HAS_ENDED), 1), else_=0))


class DagRow(NamedTuple):
    """A DAG as Airflow knows it."""

    dag_id: str
    is_paused: bool
    max_active_runs: int


def address() -> str:
    """Return the database's address without its password."""
    return make_url(conf.get("database", "sql_alchemy_conn")).render_as_string(hide_password=True)


def dags() -> dict[str, DagRow]:
    """Return the DAGs that are in the DAG folder as it was last read, by id."""
    rows = _rows(select(_dag.c.dag_id, _dag.c.is_paused, _dag.c.max_active_runs).where(_dag.c.is_stale.is_(False)))
    # A DAG without a limit of its own has that of the configuration.
    limit = conf.getint("core", "max_active_runs_per_dag")
    return {row.dag_id: DagRow(row.dag_id, row.is_paused, row.max_active_runs or limit) for row in rows}


def open_backfill(dag_id: str) -> int | None:
    """Return the id of the backfill that Airflow holds for running, or None. Airflow allows one for each DAG."""
    is_open = (_backfill.c.dag_id == dag_id, _backfill.c.completed_at.is_(None))
    found: int | None = _value(select(func.max(_backfill.c.id)).where(*is_open))
    return found


def last_backfill(dag_id: str) -> int:
    """Return the id of the DAG's newest backfill, or 0."""
    return _value(select(func.max(_backfill.c.id)).where(_backfill.c.dag_id == dag_id)) or 0


def runs_at_work(backfill_id: int) -> int:
    """Count the runs of a backfill that are queued or running."""
    at_work = (_run.c.backfill_id == backfill_id, _run.c.state.in_(("queued", "running")))
    return _value(select(func.count()).select_from(_run).where(*at_work)) or 0


def sight(dag_id: str, backfill_id: int) -> Sight:
    """See how far a backfill is: every run that it was asked for, made by it or there before, and their tasks."""
    same_run = (_run.c.dag_id == dag_id) & (_run.c.logical_date == _asked.c.logical_date)
    mine = _asked.c.backfill_id == backfill_id
    runs = select(_asked.c.logical_date, _run.c.state).select_from(_asked.outerjoin(_run, same_run))
    its_tasks = (_task.c.dag_id == _run.c.dag_id) & (_task.c.run_id == _run.c.run_id)
    tasks = select(func.count(), _ENDED).select_from(_asked.join(_run, same_run).join(_task, its_tasks))
    seen = _rows(runs.where(mine).order_by(_asked.c.logical_date))
    count, count_ended = _rows(tasks.where(mine))[0]
    return Sight(tuple(Run(_instant(row.logical_date), row.state) for row in seen), count, count_ended or 0)


def sight_of(dag_id: str, run_ids: list[str]) -> Sight:
    """See how far some runs of a DAG are, in their order, and their tasks."""
    runs = _run.c.dag_id == dag_id, _run.c.run_id.in_(run_ids)
    states = {row.run_id: row.state for row in _rows(select(_run.c.run_id, _run.c.state).where(*runs))}
    tasks = select(func.count(), _ENDED).where(_task.c.dag_id == dag_id, _task.c.run_id.in_(run_ids))
    count, count_ended = _rows(tasks)[0]
    return Sight(tuple(Run(None, states.get(run_id)) for run_id in run_ids), count, count_ended or 0)


def seconds_without_scheduler() -> float | None:
    """Return the time since a scheduler last reported, or None if none is running."""
    schedulers = (_job.c.job_type == "SchedulerJob", _job.c.state == "running")
    heard = _value(select(func.max(_job.c.latest_heartbeat)).where(*schedulers))
    return (datetime.now(UTC) - _instant(heard)).total_seconds() if heard else None


def _instant(found: datetime) -> datetime:
    # SQLite keeps no offset; Airflow stores UTC.
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _value(query: Executable) -> Any:
    return _rows(query)[0][0]


def _rows(query: Executable) -> Any:
    with _engine().connect() as connection:
        return connection.execute(query).all()


@cache
def _engine() -> Engine:
    # A connection for each question: nothing is held open between two looks, and each look sees what is committed.
    arguments = conf.getimport("database", "sql_alchemy_connect_args", fallback=None) or {}
    engine = create_engine(conf.get("database", "sql_alchemy_conn"), connect_args=arguments, poolclass=NullPool)
    return engine.execution_options(postgresql_readonly=True)
