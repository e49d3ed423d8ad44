"""Notices what goes wrong, writes it into the outbox, and starts the sender. It waits for no server.

Airflow calls the hooks of tasks in the task's process, or in the scheduler if that process was killed; those of runs in
the scheduler; those of files in the DAG processor. `tell_failed` is the DAG's own callback, for an Airflow that does
not load the plugin: the same failure is told once.
"""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from airflow.listeners import hookimpl

from daybook.alerts.outbox import LONGEST, Outbox, Words, outbox_folder
from daybook.alerts.tries import Tries
from daybook.errors import NOT_KEPT

SENDER = "daybook_airflow.alerts.sender"
log = logging.getLogger(__name__)


@hookimpl
def on_dag_run_failed(dag_run: Any, msg: str) -> None:
    """Note that a run has failed."""
    _safely(lambda: _keep_killed(dag_run))
    _safely(lambda: _tell(_of_run("run_failed", dag_run, msg)))


@hookimpl
def on_dag_run_success(dag_run: Any, msg: str) -> None:
    """Note that a run went well, if there is anything to be told of."""
    _safely(lambda: _tell(_of_run("run_done", dag_run, msg)))


@hookimpl
def on_task_instance_failed(previous_state: Any, task_instance: Any, error: Any) -> None:
    """Keep the error of a task until its run fails."""
    _safely(lambda: _keep(task_instance, error))


@hookimpl
def on_task_instance_success(previous_state: Any, task_instance: Any) -> None:
    """Forget the errors of a task's earlier tries."""
    ti = task_instance
    _safely(lambda: Outbox(outbox_folder()).forget_failure(ti.dag_id, ti.run_id, ti.task_id))


@hookimpl
def on_new_dag_import_error(filename: str, stacktrace: str) -> None:
    """Note that a file of DAGs cannot be loaded."""
    _safely(lambda: _tell(_of_file(filename, stacktrace)))


def tell_file_broken(file: str, why: str) -> None:
    """Note that a file of DAGs cannot be loaded, for one more reason than Airflow's hook has told."""
    _safely(lambda: _tell(_of_file(file, why)))


def tell_file_mended(file: str) -> None:
    """Note that a file of DAGs can be loaded again."""
    _safely(lambda: _tell({**mended(os.path.basename(file)), "at": _now()}))


def mended(name: str) -> Words:
    """Return the words of a file of DAGs, by its name alone, that has no error any more."""
    return {"kind": "mended", "subject": name, "about": [f"import {name}"]}


def tell_failed(context: Any) -> None:
    """Note that a run has failed: a DAG's on_failure_callback."""
    _safely(lambda: _tell(_of_run("run_failed", context["dag_run"], str(context.get("reason") or ""))))


def tell_held(dag_id: str, run_id: str, days: Sequence[str], why: str) -> None:
    """Note that days of a run wait for a person's decision."""
    _safely(lambda: _tell(_of_held(dag_id, run_id, days, why)))


def _of_held(dag_id: str, run_id: str, days: Sequence[str], why: str) -> Words:
    first = f"{days[0]} " if len(days) == 1 else f"--from {days[0]} --to {days[-1]} "
    return {
        "kind": "held",
        "at": _now(),
        "subject": dag_id,
        "dag_id": dag_id,
        "run_id": run_id,
        "about": [f"day {dag_id} {day}" for day in days],
        "days": [*days],
        "error": why[:LONGEST],
        "mend": "look at the numbers in Airflow's Required Actions, and publish the day or leave it",
        "again": f'./daybook release {first}--pipeline {dag_id} --why "REASON"',
    }


def _of_run(kind: str, run: Any, why: str) -> Words:
    end = run.end_date.isoformat(timespec="seconds") if run.end_date else ""
    interval = run.data_interval_start
    return {
        "kind": kind,
        "identity": f"{kind} {run.dag_id} {run.run_id} {end}",
        "at": _now(),
        "dag_id": run.dag_id,
        "run_id": run.run_id,
        "run_type": str(getattr(run.run_type, "value", run.run_type)),
        "conf": run.conf or {},
        "interval_start": interval.isoformat() if interval else None,
        "seen_from": (run.logical_date or run.run_after).isoformat(),
        "why": why,
    }


def _of_file(file: str, trace: str) -> Words:
    return {"kind": "import_error", "at": _now(), "file": str(file), "why": trace[-LONGEST:]}


def _keep(task: Any, error: Any) -> None:
    is_ours = "DaybookError" in _kinds(error)
    line = str(error)[:LONGEST] if is_ours or isinstance(error, str) else NOT_KEPT
    words = {
        "at": _now(),
        "task_id": task.task_id,
        "error_kinds": _kinds(error),
        "error": line,
        "try_number": task.try_number,
        "log": str(getattr(task, "log_url", "") or ""),
    }
    Outbox(outbox_folder()).note_failure(task.dag_id, task.run_id, task.task_id, words)


def _keep_killed(run: Any) -> None:
    """Keep that a task's process ended without a word: if the kernel killed it, Airflow calls no hook."""
    for one in Tries(outbox_folder()).dead(run.dag_id, run.run_id):
        error = f"the process of try {one.number} is gone"
        words = {"at": _now(), "error_kinds": ["Killed"], "error": error, "try_number": one.number}
        Outbox(outbox_folder()).note_failure(
            one.dag_id, one.run_id, one.task_id, {**words, "task_id": one.task_id, "log": ""}
        )


def _kinds(error: Any) -> list[str]:
    """Return the names of an error's classes; the scheduler has only words, of a task whose process was killed."""
    return [base.__name__ for base in type(error).__mro__] if isinstance(error, BaseException) else ["Killed"]


def _tell(event: Words) -> None:
    outbox = Outbox(outbox_folder())
    if event["kind"] == "run_done" and not outbox.awaits(event["dag_id"]):
        return
    outbox.note(event)
    start_sender()


def start_sender() -> None:
    """Start the sender in a process of its own; if one is at work, the new one ends at once."""
    # In the session of its parent, which ends it with a deployment. Its output would keep a parent's pipes open.
    subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", SENDER],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )


def _safely(do: Callable[[], None]) -> None:
    try:
        do()
    except Exception:
        log.exception("An alert could not be written down")


def _now() -> str:
    return datetime.now(UTC).isoformat()
