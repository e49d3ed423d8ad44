"""Connections that are opened once for all the days of a task: opening one costs more than what a day asks of it.

Used by run/several_days.py. What is given out goes to one at a time, and is kept for the next only while it is whole.

A run that carries several days: each step goes over all of them, and a bad day is left out of the steps after.

Each day has its own folder, receipts and publication. What is left out is said at once in the log, and again at the
end of `deploy`, which then fails the run; the other days are published. Where a day's file is not there yet, the run
waits for it, up to its cut-off; the days that are done meanwhile are not done again at each look. A run of one day
simply does it.
"""

import ftplib
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

import psycopg
from psycopg.pq import TransactionStatus

from daybook.errors import DaybookError, NotYet, SourceUnavailable
from daybook.ledger.receipt import STEPS
from daybook.run.day_run import Work


class Kept:
    """Stands for a function that opens connections by their id, and closes them all when its block ends.

    is_whole: says whether a connection that was given back can be used by the next.
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
        """Return a connection for the length of a block. Raises what opening one raises."""
        idle = self._idle.setdefault(connection_id, [])
        connection = idle.pop() if idle else self._opened.enter_context(self._open_one(connection_id))
        try:
            yield connection
        except BaseException:
            # It may hold a lock, or be in the middle of something: that ends here, not with the task.
            connection.close()
            raise
        if self._is_whole(connection):
            idle.append(connection)


LEFT_OUT = "left_out.txt"
# Names the step, and the try of its task, that did the day while other days of the run are waited for.
DONE = "done.txt"
log = logging.getLogger(__name__)
Step = Callable[[Work], dict[str, object]]


class DaysLeftOut(DaybookError):
    """Some days of a run were not published. The message names each, and why; the others were."""


def over_days(step: Step, works: list[Work], *, attempt: int = 1, is_last_try: bool) -> dict[str, object]:
    """Do a step for each day of a run; give what it hands on, by day (as "2013-01-05").

    works: one for each day. attempt: the number of the task's try, which is the same at each look for a file that is
    waited for. is_last_try: what is down is not tried again any more. Raises, after all days were tried,
    SourceUnavailable where another try may help some; NotYet where files are waited for; and after the last step
    DaysLeftOut, where a day is missing.
    """
    if len(works) == 1:
        return {str(works[0].day): step(works[0])}
    with _kept_open(works) as works:
        return _over_several(step, works, attempt, is_last_try)


def _over_several(step: Step, works: list[Work], attempt: int, is_last_try: bool) -> dict[str, object]:
    told: dict[str, object] = {}
    later: list[SourceUnavailable] = []
    for work in works:
        if _is_done(work, step.__name__, attempt):
            told[str(work.day)] = work.receipt(step.__name__).counts()
        elif not _is_left_out_before(work, step.__name__):
            _try(step, work, told, later, is_last_try)
    _check_none_is_later(later, works, told, f"{step.__name__} {attempt}")
    if step.__name__ == STEPS[-1]:
        _check_none_left_out(works)
    return told


def _check_none_is_later(
    later: list[SourceUnavailable], works: list[Work], told: dict[str, object], attempt: str
) -> None:
    waits = [error for error in later if isinstance(error, NotYet)]
    if len(waits) < len(later):
        down = next(error for error in later if not isinstance(error, NotYet))
        raise SourceUnavailable(f"{len(later)} of {len(works)} days are tried again; the first: {down}")
    if waits:
        for work in works:
            if str(work.day) in told:
                work.folder.write_hint(DONE, attempt)
        raise NotYet(
            f"{len(waits)} of {len(works)} days wait; the first: {waits[0]}", min(wait.look_again_at for wait in waits)
        )


def _is_done(work: Work, step: str, attempt: int) -> bool:
    return work.folder.has(DONE) and work.folder.text(DONE) == f"{step} {attempt}"


@contextmanager
def _kept_open(works: list[Work]) -> Iterator[list[Work]]:
    shared: dict[object, Any] = {}
    with Kept(works[0].postgres, _is_idle) as postgres, Kept(works[0].ftp, _is_open) as ftp:
        yield [replace(work, postgres=postgres, ftp=ftp, shared=shared) for work in works]


def _is_idle(session: psycopg.Connection[Any]) -> bool:
    return session.info.transaction_status == TransactionStatus.IDLE


def _is_open(session: ftplib.FTP) -> bool:
    return session.sock is not None


def _try(step: Step, work: Work, told: dict[str, object], later: list[SourceUnavailable], is_last_try: bool) -> None:
    try:
        told[str(work.day)] = step(work)
    except DaybookError as error:
        if isinstance(error, NotYet) or (isinstance(error, SourceUnavailable) and not is_last_try):
            later.append(error)
            return
        log.error("%s is left out: %s", work.day, error)
        with work.folder.new_file(LEFT_OUT) as file:
            file.write(f"{step.__name__}\n{error}".encode())


def _is_left_out_before(work: Work, step: str) -> bool:
    """Return whether an earlier step left the day out; forgotten where that step, or one before it, is done again."""
    if not work.folder.has(LEFT_OUT):
        return False
    if STEPS.index(work.folder.text(LEFT_OUT).split("\n", 1)[0]) < STEPS.index(step):
        return True
    work.folder.remove_file(LEFT_OUT)
    return False


def _check_none_left_out(works: list[Work]) -> None:
    left_out = [(work.day, work.folder.text(LEFT_OUT).split("\n", 1)[1]) for work in works if work.folder.has(LEFT_OUT)]
    if left_out:
        raise DaysLeftOut(
            f"{len(left_out)} of {len(works)} days were left out, the others are published. "
            + "; ".join(f"{day}: {why}" for day, why in left_out)
        )
