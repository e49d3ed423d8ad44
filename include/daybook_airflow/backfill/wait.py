"""The waiting of `airflow dags backfill`: until the backfill before this one is closed, and until this one ends."""

import sys
import time
from collections.abc import Callable

from daybook.text import counted
from daybook_airflow.api import AirflowApi
from daybook_airflow.api_requests import Json
from daybook_airflow.backfill import ask, look
from daybook_airflow.backfill.ask import NotReady
from daybook_airflow.backfill.plan import Plan
from daybook_airflow.backfill.progress import Sight, bar, has_ended, missed, progress
from daybook_airflow.errors import ApiError

# The scheduler closes ended backfills by a timer of 30 s, and may be busy.
CLOSED_WITHIN_S = 45
LOOK_EVERY_S = 1
# A look at many runs takes the API server some tenths of a second, on the machine that does the days.
RUNS_LOOKED_AT_IN_A_S = 100
# If the line cannot be rewritten (in a log file), it is repeated this often.
SAY_EVERY_S = 15
LOOK = "Look: `airflow dags list-runs {}`, or the UI."


def for_the_one_before(api: AirflowApi, dag_id: str, say: Callable[[str], None]) -> None:
    """Wait until the DAG has no open backfill. Raises NotReady if one is still at work or is not closed in time."""
    until = time.monotonic() + CLOSED_WITHIN_S
    is_said = False
    while before := ask.open_backfill(api, dag_id):
        _refuse_if_hopeless(api, before)
        if time.monotonic() > until:
            raise NotReady(
                f"{dag_id}: backfill {before['id']} has ended but is not closed; expected a scheduler to close it"
            )
        if not is_said:
            say(
                f"waiting up to {CLOSED_WITHIN_S} s until the scheduler closes backfill {before['id']}, which has ended"
            )
            is_said = True
        time.sleep(LOOK_EVERY_S)


def create(api: AirflowApi, plan: Plan, is_waiting: bool) -> int:
    """Make the runs, and wait for their end if that is asked. Returns the exit code: then 0 only if every day is a
    success."""
    dag_id = plan.dag.dag_id
    dates = look.dates_taken_in(api, plan) if is_waiting else []
    backfill = None
    try:
        backfill = ask.create(api, plan)
        return _outcome(plan, _watch(api, plan, lambda: look.sight(api, plan, dates))) if is_waiting else 0
    except KeyboardInterrupt:
        print(f"\n{_after_ctrl_c(dag_id, backfill)}", flush=True)
        return 130


def trigger(api: AirflowApi, plan: Plan, is_waiting: bool) -> int:
    """Start the runs of several days each, and wait as `create` does. Returns the exit code."""
    dag_id = plan.dag.dag_id
    try:
        ask.trigger(api, plan)
        return _outcome(plan, _watch(api, plan, lambda: look.sight_of_batches(api, plan))) if is_waiting else 0
    except KeyboardInterrupt:
        print(f"\n{dag_id}: the runs that were made go on without this command. {LOOK.format(dag_id)}", flush=True)
        return 130


def _refuse_if_hopeless(api: AirflowApi, before: Json) -> None:
    dag_id = before["dag_id"]
    if at_work := ask.runs_at_work(api, before):
        raise NotReady(
            f"{dag_id}: backfill {before['id']} still has {counted(at_work, 'run')} queued or running, "
            f"and Airflow does one backfill of a DAG at a time; {ask.ONE_AT_A_TIME}"
        )
    if look.concern(api.health()):
        raise NotReady(
            f"{dag_id}: backfill {before['id']} has ended, but only a scheduler can close it; start `airflow scheduler`"
        )


def _watch(api: AirflowApi, plan: Plan, see: Callable[[], Sight]) -> Sight:
    line = _Line()
    while True:
        try:
            seen = see()
        except ApiError as error:
            dag_id = plan.dag.dag_id
            raise NotReady(f"{error} The runs go on without this command. {LOOK.format(dag_id)}") from None
        is_last = has_ended(seen)
        worry = "" if is_last else look.concern(api.health())
        line.show(f"{progress(plan, seen)}{worry and f' ({worry})'}", seen, is_last=is_last)
        if is_last:
            return seen
        time.sleep(max(LOOK_EVERY_S, len(seen.runs) / RUNS_LOOKED_AT_IN_A_S))


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


def _outcome(plan: Plan, seen: Sight) -> int:
    dag_id, not_done = plan.dag.dag_id, missed(plan, seen)
    if not not_done:
        ended = f"{len(seen.runs)} of {counted(len(seen.runs), 'run')} ended in success"
        print(f"{dag_id}: all is well, {ended}", flush=True)
        return 0
    print(f"{dag_id}: not done: {', '.join(not_done)}", flush=True)
    print("their tasks and logs are in the UI; failed days run again with --rerun-failed-tasks", flush=True)
    return 1


def _after_ctrl_c(dag_id: str, backfill: int | None) -> str:
    if backfill is None:
        return f"{dag_id}: stopped while runs were being made; `airflow dags list-runs {dag_id}` shows which there are"
    look_there = LOOK.format(dag_id)
    return f"{dag_id}: backfill {backfill} goes on without this command. {look_there} Cancel: in the UI, DAG, Backfills"
