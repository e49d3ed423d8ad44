"""`airflow dags backfill`, which Airflow 3 dropped: checks what was typed, then becomes `airflow backfill create`.

airflow_local_settings.py calls this while `import airflow` is half done: Airflow's configuration can be read, its
models and its command line are not there yet. So it reads the metadata database with plain SQL expressions
(metadata.py) and leaves the making of runs to Airflow: by rewriting sys.argv, or, with --wait, by a child.
"""

import shlex
import sys
from datetime import UTC, datetime
from difflib import get_close_matches
from types import TracebackType
from typing import NoReturn

from sqlalchemy.exc import SQLAlchemyError

from daybook.errors import DaybookError
from daybook.text import spell
from daybook_airflow.backfill import metadata, wait
from daybook_airflow.backfill.options import PROGRAM, BadBackfill, Request, parse
from daybook_airflow.backfill.plan import Dag, Plan, plan
from daybook_airflow.backfill.wait import NotReady

# What Airflow refuses, by the name of its exception, and what a person does about it.
ADVICE = {
    "AlreadyRunningBackfill": "wait for it, or cancel it in the UI, page of the DAG, Backfills",
    "DagNonPeriodicScheduleException": "a backfill needs a schedule in time; trigger the DAG instead",
    "DagNotFound": "`airflow dags list` shows the DAGs that are known, `airflow dags reserialize` reads them again",
    "DagRunTypeNotAllowed": "the DAG's allowed_run_types leave backfills out",
    "InvalidBackfillConf": "mend --conf; the DAG's params say what it takes",
    "InvalidBackfillDate": "ask for days that are over",
    "InvalidBackfillDirection": "leave --run-backwards out: a task needs the day before",
    "InvalidReprocessBehavior": "add --rerun-failed-tasks or --reset-dagruns",
}


def become_backfill_create() -> None:
    """Put the words of `airflow backfill create` into sys.argv; with --wait, do it all here and exit.

    Exits 2 where the command is wrong, 1 where Airflow is not ready for it; both with one line that says why.
    """
    try:
        sys.argv[1:] = _words_for_airflow(sys.argv[3:])
    except BadBackfill as error:
        _leave(2, str(error))
    except DaybookError as error:
        _leave(1, str(error))
    except SQLAlchemyError as error:
        found = f"{metadata.address()}: {_one_line(error)}"
        _leave(1, f"{found}; expected Airflow's tables; is the database up, and `airflow db migrate` done?")
    except KeyboardInterrupt:
        _leave(130, "stopped by Ctrl-C; nothing was made")


def explain_refusals() -> None:
    """Have Airflow's refusal of a backfill shown as one line in place of a traceback; bugs keep theirs. Exit is 1."""
    as_before = sys.excepthook

    def explain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if kind.__name__ in ADVICE:
            _say(f"{_one_line(error)}; {ADVICE[kind.__name__]}")
        else:
            as_before(kind, error, trace)

    sys.excepthook = explain


def _words_for_airflow(typed: list[str]) -> list[str]:
    request = parse(typed)
    row = _known(request.dag_id)
    planned = plan(request, _dag(row), datetime.now(UTC))
    _say_what_will_be_done(request, planned, row)
    if planned.runs:
        sys.exit(_in_batches(request, planned))
    if not request.is_dry_run:
        _ask(request, planned)
        wait.for_the_one_before(planned.dag.dag_id, _say)
        if request.is_waiting:
            sys.exit(wait.create_and_wait(planned, request.is_verbose))
    return list(planned.words)


def _in_batches(request: Request, planned: Plan) -> int:
    for run in planned.runs:
        _say(f"one run for {spell(tuple(sorted(run.days)))}: {run.run_id}")
    if request.reprocess != "none":
        _say("with --batch days that were done are looked at again in any case, and take over what has not changed")
    if request.is_dry_run:
        return 0
    return wait.trigger_and_wait(planned, request.is_verbose, request.is_waiting)


def _known(dag_id: str) -> metadata.DagRow:
    rows = metadata.dags()
    if dag_id not in rows:
        near = get_close_matches(dag_id, rows, n=1)
        hint = f"did you mean {near[0]!r}? " if near else ""
        raise NotReady(f"{dag_id}: Airflow knows no such DAG; {hint}{ADVICE['DagNotFound']}")
    return rows[dag_id]


def _dag(row: metadata.DagRow) -> Dag:
    # Imported here: a pipeline that is wrong raises BadSpec, which becomes one line.
    from daybook.pipelines import load_pipelines

    pipeline = load_pipelines().good.get(row.dag_id)
    if pipeline is None:
        return Dag(row.dag_id, "UTC", None, row.max_active_runs)
    return Dag(row.dag_id, pipeline.schedule.time_zone, pipeline.schedule.cron, pipeline.max_active_runs)


def _say_what_will_be_done(request: Request, planned: Plan, row: metadata.DagRow) -> None:
    for option in request.ignored:
        _say(f"{option.flags[-1]} is ignored: {option.says}")
    if planned.left_out:
        _say(f"left out, not over yet in {planned.dag.time_zone}: {spell(planned.left_out)}")
    if row.is_paused:
        _say(f"{row.dag_id} is paused: its runs stay queued until `airflow dags unpause {row.dag_id}`")
    if request.is_verbose and not planned.runs:
        _say(f"becomes: airflow {shlex.join(planned.words)}")
    _say(_days(planned))


def _days(planned: Plan) -> str:
    dag = planned.dag
    if dag.cron is None:
        return f"{dag.dag_id} (no Daybook pipeline): runs dated from {planned.first} to {planned.last}"
    count = f"{len(planned.days)} day{'s' if len(planned.days) > 1 else ''}"
    return f"{dag.dag_id}: {count} of {dag.time_zone}, {spell(planned.days)}"


def _ask(request: Request, planned: Plan) -> None:
    # As in Airflow 2; where nobody can answer, a script has been asked to do it and does it.
    if request.reprocess != "completed" or request.is_agreed or not sys.stdin.isatty():
        return
    if input("The days among these that have run already are run again. Go on? [y/N] ").lower() not in ("y", "yes"):
        raise NotReady(f"{planned.dag.dag_id}: not confirmed; nothing was made")


def _one_line(error: BaseException) -> str:
    # Of a database error only what the driver said: SQLAlchemy adds the statement and a link.
    return " ".join(str(getattr(error, "orig", error)).split())


def _say(line: str) -> None:
    print(f"{PROGRAM}: {line}", file=sys.stderr, flush=True)


def _leave(code: int, line: str) -> NoReturn:
    _say(line)
    sys.exit(code)
