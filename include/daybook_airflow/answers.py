"""What becomes of held days by a person's answer: each is released and done up to the task's step, or left as it is."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import NoReturn

from daybook.errors import DaybookError, Implausible, SourceUnavailable
from daybook.ledger import step_log
from daybook.ledger.left_out import LeftOut, leave_out, left_out_of, take_in
from daybook.ledger.receipt import STEPS, Done
from daybook.postgres.session import at_once
from daybook.run.day_run import DayRun
from daybook.run.several_days import Step, check_none_left_out
from daybook.run.step_run import StepRun, run_step
from daybook_airflow.decision import Decided


def held_days(day_runs: Sequence[DayRun]) -> list[DayRun]:
    """Return the days that a run holds for their numbers. If it has one day, it is asked only because that is held."""
    if len(day_runs) == 1:
        return [*day_runs]
    found = ((day_run, left_out_of(day_run.folder)) for day_run in day_runs)
    return [day_run for day_run, left_out in found if left_out and left_out.kind == Implausible.__name__]


def settle(steps: Sequence[Step], day_runs: Sequence[DayRun], decided: Decided) -> None:
    """Do with each held day as a person decided.

    steps: the last is the task's own; before it, those that may have held a day of several, and all between. Raises
    Implausible if the run's one day is left as it is; DaysLeftOut if it has several, and some are not published;
    SourceUnavailable if a server is away.
    """
    is_alone = len(day_runs) == 1
    for day_run in held_days(day_runs):
        left_out = left_out_of(day_run.folder)
        to_do = [step for step in steps if left_out and not _is_before(step, left_out)] or [steps[-1]]
        try:
            _settle_day(to_do, day_run, decided)
            take_in(day_run.folder)
        except SourceUnavailable:
            raise
        except DaybookError as error:
            if is_alone:
                raise
            # What nobody decided is asked again if the task is cleared.
            kind = Implausible.__name__ if isinstance(decided.by, str) else "decided"
            leave_out(day_run.folder, LeftOut(to_do[0].__name__, kind, str(error)))
    if not is_alone:
        check_none_left_out(day_runs)


def _is_before(step: Step, left_out: LeftOut) -> bool:
    return STEPS.index(step.__name__) < STEPS.index(left_out.step)


def _settle_day(to_do: list[Step], day_run: DayRun, decided: Decided) -> None:
    if isinstance(decided.by, str) or (decided.days is not None and str(day_run.day) not in decided.days):
        _leave(to_do[0], day_run, decided.left)
    for step in to_do:
        run_step(step, replace(day_run, release=decided.by))


def _leave(step: Step, day_run: DayRun, why: str) -> NoReturn:
    """Write into the ledger why a day stays as it is, and raise it."""
    error = Implausible(f"{_found(day_run)}; {why}")

    def left(_: StepRun) -> Done:
        raise error

    left.__name__ = step.__name__
    with suppress(Implausible):
        run_step(left, day_run)
    raise error


def _found(day_run: DayRun) -> str:
    """Return why a day was held, as the ledger says it."""
    name, day = day_run.pipeline.name, day_run.day
    connect = partial(day_run.postgres, day_run.pipeline.target.connection)
    failures = at_once(connect, lambda session: step_log.failures(session, name, day, day))
    return str(failures[day][2]).partition("; look at")[0] if day in failures else f"{name} {day}: the day is held"
