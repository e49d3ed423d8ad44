"""A run of several days: each step goes over all of them, and later steps skip a day that failed.

Each day has its own folder, receipts and publication. A day left out is logged at once, and reported again at the end
of `deploy`, which then fails the run; the other days are published. If a day's file is not there yet, the run waits for
it, up to its cut-off; days already done are not done again at each look. A run of one day simply does it.

Connections are opened once for all the days of a task: opening one takes longer than a day's use of it.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Any, Self

from psycopg.pq import TransactionStatus

from daybook.errors import BrokenChain, DaybookError, NotYet, SourceUnavailable
from daybook.ledger.left_out import LeftOut, leave_out, left_out_of, take_in
from daybook.ledger.receipt import STEPS, Done
from daybook.ledger.turns import Turns
from daybook.postgres.session import Connection
from daybook.run.day_run import DayRun
from daybook.run.step_run import StepRun
from daybook.run.told import tell_progress, tell_range, told_step
from daybook.text import portion, verb


class ConnectionPool:
    """A small connection pool; call it with a connection's id. It closes all connections when its block ends.

    A connection has one user at a time. is_whole: returns whether a returned connection can be used again.
    """

    def __init__(self, open_one: Callable[[str], AbstractContextManager[Any]], is_whole: Callable[[Any], bool]) -> None:
        self._open_one, self._is_whole = open_one, is_whole
        self._idle: dict[str, list[Any]] = {}
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._opened.close()

    @contextmanager
    def __call__(self, connection_id: str) -> Iterator[Any]:
        """Lend a connection for the length of a block. Errors of opening one pass through."""
        idle = self._idle.setdefault(connection_id, [])
        connection = idle.pop() if idle else self._opened.enter_context(self._open_one(connection_id))
        try:
            yield connection
        except BaseException:
            # It may hold a lock, or be in the middle of something: end that here, not with the task.
            connection.close()
            raise
        if self._is_whole(connection):
            idle.append(connection)


# Names the step and the task's try that did this day, while the run waits for other days.
DONE = "done.txt"
# Another run's step on one of these days waits so long, and a kill loses the ledger's rows of so much work; the
# receipts in the days' folders are there.
HELD_S = 5.0
log = logging.getLogger(__name__)
Step = Callable[[StepRun], Done]


class DaysLeftOut(DaybookError):
    """Some days of a run were not published; the others were. The message names each, and why."""


def over_days(step: Step, day_runs: list[DayRun], *, attempt: int = 1, is_last_try: bool) -> dict[str, object]:
    """Do a step for each day of a run; return the counts for the next task, by day (as "2013-01-05").

    day_runs: one for each day. attempt: the number of the task's try, the same at each look for a missing file.
    is_last_try: no other try follows if a server is down. Raises, after all days were tried, SourceUnavailable if
    another try may help; NotYet if files are missing; BrokenChain if each of the days lacks an earlier step; and after
    the last step DaysLeftOut, if a day was left out.
    """
    first = day_runs[0]
    if len(day_runs) == 1 and str(first.day) in first.run:
        return {str(first.day): told_step(step, first)}
    # Else the run's tab would have to look for its folder on every day.
    first.data.note_days_of_run(first.pipeline.name, first.run, [day_run.day for day_run in day_runs])
    if len(day_runs) == 1:
        return {str(first.day): told_step(step, first)}
    with _kept_open(day_runs) as day_runs:
        return _over_several(step, day_runs, attempt, is_last_try)


def _over_several(step: Step, day_runs: list[DayRun], attempt: int, is_last_try: bool) -> dict[str, object]:
    counts: dict[str, object] = {}
    later: list[SourceUnavailable] = []
    broken: list[BrokenChain] = []
    for done, day_run in enumerate(_in_order(day_runs), start=1):
        if _is_done(day_run, step.__name__, attempt):
            counts[str(day_run.day)] = day_run.receipt(step.__name__).counts()
        elif not _is_left_out_before(day_run, step.__name__):
            _try(step, day_run, counts, later, broken, is_last_try)
        tell_progress(day_runs, step.__name__, done)
    _check_some_are_whole(broken, day_runs)
    _check_none_is_later(later, day_runs, counts, f"{step.__name__} {attempt}")
    if step.__name__ == STEPS[-1]:
        tell_range(day_runs, step.__name__, [one.day for one in day_runs if str(one.day) not in counts])
        check_none_left_out(day_runs)
    return counts


def _in_order(day_runs: list[DayRun]) -> list[DayRun]:
    """Return the days as they were asked for; newest first if rows may come late.

    A day waits with those after it, in whose files its rows may be, so it has to know of their waiting.
    """
    has_late_rows = any(file.late_days for file in day_runs[0].pipeline.files)
    return sorted(day_runs, key=lambda one: one.day, reverse=True) if has_late_rows else day_runs


def _check_some_are_whole(broken: list[BrokenChain], day_runs: list[DayRun]) -> None:
    """Fail at once if no day can go on: then it is the run that was cleared or marked, and not a day that is bad."""
    if len(broken) == len(day_runs):
        which = verb(len(broken), "the only day", f"all {len(broken)} days")
        raise BrokenChain(f"{which} of this run; the first: {broken[0]}")


def _check_none_is_later(
    later: list[SourceUnavailable], day_runs: list[DayRun], counts: dict[str, object], attempt: str
) -> None:
    waits = [error for error in later if isinstance(error, NotYet)]
    if len(waits) < len(later):
        down = next(error for error in later if not isinstance(error, NotYet))
        raise SourceUnavailable(f"{portion(len(later), len(day_runs), 'day')} tried again; the first: {down}")
    if waits:
        for day_run in day_runs:
            if str(day_run.day) in counts:
                day_run.folder.write_hint(DONE, attempt)
        said = f"{portion(len(waits), len(day_runs), 'day', 'waits', 'wait')}; the first: {waits[0]}"
        raise NotYet(said, min(wait.look_again_at for wait in waits))


def _is_done(day_run: DayRun, step: str, attempt: int) -> bool:
    return day_run.folder.has(DONE) and day_run.folder.text(DONE) == f"{step} {attempt}"


@contextmanager
def _kept_open(day_runs: list[DayRun]) -> Iterator[list[DayRun]]:
    first, shared = day_runs[0], dict[object, Any]()
    with (
        ConnectionPool(first.postgres, _is_idle) as postgres,
        ConnectionPool(first.ftp, _is_open) as ftp,
        Turns(partial(postgres, first.pipeline.target.connection), HELD_S) as turns,
    ):
        opened: dict[str, Any] = {"postgres": postgres, "ftp": ftp, "turns": turns}
        yield [replace(day_run, **opened, shared=shared) for day_run in day_runs]


def _is_idle(session: Connection) -> bool:
    return session.info.transaction_status == TransactionStatus.IDLE


def _is_open(session: Any) -> bool:
    return session.sock is not None


def _try(
    step: Step,
    day_run: DayRun,
    counts: dict[str, object],
    later: list[SourceUnavailable],
    broken: list[BrokenChain],
    is_last_try: bool,
) -> None:
    try:
        counts[str(day_run.day)] = told_step(step, day_run)
    except DaybookError as error:
        if isinstance(error, NotYet) or (isinstance(error, SourceUnavailable) and not is_last_try):
            later.append(error)
            return
        broken += [error] if isinstance(error, BrokenChain) else []
        log.error("%s is left out: %s", day_run.day, error)
        leave_out(day_run.folder, LeftOut(step.__name__, type(error).__name__, str(error)))


def _is_left_out_before(day_run: DayRun, step: str) -> bool:
    """Return whether an earlier step left the day out; forget it if that step, or one before it, is done again."""
    left_out = left_out_of(day_run.folder)
    if left_out and STEPS.index(left_out.step) < STEPS.index(step):
        return True
    if left_out:
        take_in(day_run.folder)
    return False


def check_none_left_out(day_runs: Sequence[DayRun]) -> None:
    """Raise DaysLeftOut, with each day and why, if a run has left out a day."""
    found = ((day_run.day, left_out_of(day_run.folder)) for day_run in day_runs)
    said = [f"{day}: {left_out.why}" for day, left_out in found if left_out]
    if said:
        raise DaysLeftOut(
            f"{portion(len(said), len(day_runs), 'day', 'was', 'were')} left out, the others are published. "
            f"{'; '.join(said)}"
        )
