"""The progress of a backfill: takes the runs and tasks that were seen, returns messages and the verdict. Pure."""

from collections import Counter
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from daybook.text import counted, spell
from daybook_airflow.backfill.plan import Plan

_BAR = 24
_NO_RUN = "no run"


class Run(NamedTuple):
    """One run that was asked for. `state` is None if Airflow has no such run (it was deleted).

    `logical_date` is None if it does several days."""

    logical_date: datetime | None
    state: str | None


class Sight(NamedTuple):
    """The runs at one moment, and how many of their tasks have ended."""

    runs: tuple[Run, ...]
    tasks: int
    tasks_ended: int


def has_ended(sight: Sight) -> bool:
    """Return whether no run is at work or queued."""
    return not any(run.state in ("queued", "running") for run in sight.runs)


def bar(sight: Sight) -> str:
    """Return a bar of the tasks that have ended, of a fixed width."""
    filled = _BAR * sight.tasks_ended // max(sight.tasks, 1)
    return f"[{'#' * filled}{'.' * (_BAR - filled)}]"


def progress(plan: Plan, sight: Sight) -> str:
    """Return one line of counts: days done of all, failed, running, tasks ended of all."""
    states = Counter(run.state for run in sight.runs)
    return (
        f"{plan.dag.dag_id}: {states['success']} of {counted(len(sight.runs), _unit(plan))} done, "
        f"{states['failed']} failed, {states['running']} running, {sight.tasks_ended} of {sight.tasks} tasks"
    )


def missed(plan: Plan, sight: Sight) -> tuple[str, ...]:
    """Name the days that are not a success, by state: "2013-01-05 (failed)". Empty if all is well."""
    if plan.runs:
        return _missed_runs(plan, sight)
    if plan.dag.schedule is None:
        dated = [(run.logical_date.isoformat(), run) for run in sight.runs if run.logical_date]
        return tuple(f"{logical_date} ({_state(run)})" for logical_date, run in dated if run.state != "success")
    states = dict.fromkeys(plan.days, _NO_RUN)
    states |= {_day(plan, run.logical_date): _state(run) for run in sight.runs if run.logical_date}
    states |= dict.fromkeys(plan.left_out, "not over yet, left out")
    by_state: dict[str, list[date]] = {}
    for day, state in sorted(states.items()):
        by_state.setdefault(state, []).append(day)
    return tuple(f"{spell(tuple(days))} ({state})" for state, days in by_state.items() if state != "success")


def _day(plan: Plan, logical_date: datetime) -> date:
    return logical_date.astimezone(ZoneInfo(plan.dag.time_zone)).date()


def _missed_runs(plan: Plan, sight: Sight) -> tuple[str, ...]:
    # A failed run may have published some of its days; its last task names the others.
    states = [
        (asked.days, f"{_state(run)}, see the log of its deploy")
        for asked, run in zip(plan.runs, sight.runs, strict=True)
        if run.state != "success"
    ]
    left_out = [(plan.left_out, "not over yet, left out")] if plan.left_out else []
    return tuple(f"{spell(tuple(sorted(days)))} ({state})" for days, state in [*states, *left_out])


def _state(run: Run) -> str:
    return run.state or _NO_RUN


def _unit(plan: Plan) -> str:
    return "run" if plan.runs or plan.dag.schedule is None else "day"
