"""Waiting, for `airflow dags backfill`: for the backfill before this one to be closed, and for this one to end."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from daybook.errors import DaybookError
from daybook_airflow.backfill import metadata
from daybook_airflow.backfill.plan import Plan
from daybook_airflow.backfill.progress import Sight, bar, has_ended, missed, progress

# The scheduler closes ended backfills by a timer of 30 s, and is allowed to be busy.
CLOSED_WITHIN_S = 45
LOOK_EVERY_S = 1
# Where the line cannot be rewritten (a log file), it is repeated this often.
SAY_EVERY_S = 15
TRIGGER_RUNS = str(Path(__file__).with_name("trigger_runs.py"))
LOOK = "Look: `airflow dags list-runs {}`, or the UI."
# A scheduler reports every few seconds; one that is silent this long is not there.
SILENT_S = 60


class NotReady(DaybookError):
    """Wait or decide: the command is right, but Airflow cannot do it now. Nothing was made."""


def for_the_one_before(dag_id: str, say: Callable[[str], None]) -> None:
    """Wait until the DAG has no open backfill. Raises NotReady if one is still at work or is not closed in time."""
    until = time.monotonic() + CLOSED_WITHIN_S
    is_said = False
    while (before := metadata.open_backfill(dag_id)) is not None:
        _refuse_if_hopeless(dag_id, before)
        if time.monotonic() > until:
            raise NotReady(f"{dag_id}: backfill {before} has ended but is not closed; expected a scheduler to close it")
        if not is_said:
            say(f"waiting up to {CLOSED_WITHIN_S} s until the scheduler closes backfill {before}, which has ended")
            is_said = True
        time.sleep(LOOK_EVERY_S)


def create_and_wait(plan: Plan, is_verbose: bool) -> int:
    """Make the runs and wait until all have ended. Returns the exit code: 0 only if every day asked for is a
    success."""
    dag_id, before = plan.dag.dag_id, metadata.last_backfill(plan.dag.dag_id)
    backfill = before
    try:
        code = _child(["-m", "airflow", *plan.words], is_verbose)
        backfill = metadata.last_backfill(dag_id)
        if code or backfill == before:
            return code or 1
        return _outcome(plan, _watch(plan, lambda: metadata.sight(dag_id, backfill)))
    except KeyboardInterrupt:
        print(f"\n{_after_ctrl_c(dag_id, backfill if backfill > before else None)}", flush=True)
        return 130


def trigger_and_wait(plan: Plan, is_verbose: bool, is_waiting: bool) -> int:
    """Trigger the runs of several days, and wait for their end where that is asked. Returns the exit code, as above."""
    dag_id = plan.dag.dag_id
    try:
        words = [[dag_id, "--run-id", run.run_id, "--conf", json.dumps(run.conf)] for run in plan.runs]
        code = _child([TRIGGER_RUNS], is_verbose, json.dumps(words))
        if code or not is_waiting:
            return code
        return _outcome(plan, _watch(plan, lambda: metadata.sight_of(dag_id, [run.run_id for run in plan.runs])))
    except KeyboardInterrupt:
        print(f"\n{dag_id}: the runs that were made go on without this command. {LOOK.format(dag_id)}", flush=True)
        return 130


def _refuse_if_hopeless(dag_id: str, backfill: int) -> None:
    if at_work := metadata.runs_at_work(backfill):
        raise NotReady(
            f"{dag_id}: backfill {backfill} still has {at_work} runs queued or running, and Airflow does one backfill "
            "of a DAG at a time; wait for it, or cancel it in the UI, page of the DAG, Backfills"
        )
    silent_s = metadata.seconds_without_scheduler()
    if silent_s is None or silent_s > SILENT_S:
        raise NotReady(
            f"{dag_id}: backfill {backfill} has ended, but only a scheduler can close it; start `airflow scheduler`"
        )


def _child(words: list[str], is_verbose: bool, told: str | None = None) -> int:
    # Airflow's own command, in a process of its own: it can end, or fail, and this one goes on. It logs a line a run.
    words = [sys.executable, *words]
    # No shell is between: what was typed stays one word each.
    made = subprocess.run(words, input=told, capture_output=not is_verbose, text=True, check=False)  # noqa: S603
    if made.returncode and not is_verbose:
        print(made.stdout + made.stderr, file=sys.stderr, end="")
    return made.returncode


def _watch(plan: Plan, look: Callable[[], Sight]) -> Sight:
    line = _Line()
    while True:
        seen = look()
        line.show(f"{progress(plan, seen)}{_concern()}", seen, is_last=has_ended(seen))
        if has_ended(seen):
            return seen
        time.sleep(LOOK_EVERY_S)


class _Line:
    """One line: rewritten on a terminal; elsewhere printed when it has changed, not too often, and at the end."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.said = ""
        self.next_s = 0.0

    def show(self, line: str, seen: Sight, *, is_last: bool) -> None:
        passed = time.monotonic() - self.started
        if sys.stdout.isatty():
            print(f"\r\x1b[K{bar(seen)} {line}, {passed:.0f} s", end="\n" if is_last else "", flush=True)
        elif line != self.said and (is_last or passed >= self.next_s):
            self.said, self.next_s = line, passed + SAY_EVERY_S
            print(f"{line}, {passed:.0f} s", flush=True)


def _concern() -> str:
    silent_s = metadata.seconds_without_scheduler()
    if silent_s is None:
        return " (no scheduler is running: nothing will move until one is)"
    return f" (the scheduler has been silent for {silent_s:.0f} s)" if silent_s > SILENT_S else ""


def _outcome(plan: Plan, seen: Sight) -> int:
    dag_id, not_done = plan.dag.dag_id, missed(plan, seen)
    if not not_done:
        print(f"{dag_id}: all is well, {len(seen.runs)} of {len(seen.runs)} runs ended in success", flush=True)
        return 0
    print(f"{dag_id}: not done: {', '.join(not_done)}", flush=True)
    print("their tasks and logs are in the UI; failed days run again with --rerun-failed-tasks", flush=True)
    return 1


def _after_ctrl_c(dag_id: str, backfill: int | None) -> str:
    if backfill is None:
        return f"{dag_id}: stopped while runs were being made; `airflow dags list-runs {dag_id}` shows which there are"
    look = LOOK.format(dag_id)
    return f"{dag_id}: backfill {backfill} goes on without this command. {look} Cancel: in the UI, DAG, Backfills"
