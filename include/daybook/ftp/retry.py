"""How often and how long one task tries again after a broken line or a busy server (RFC 959, 4.2.1: 4yz replies)."""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from daybook.errors import SourceUnavailable
from daybook.ftp.connect import TIME_LIMIT_S
from daybook.ftp.replies import Broken, Busy

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """How often one task tries, and for how long after the first break, before the task's own retry takes over."""

    tries: int = 10
    total_s: float = 1800
    time_limit_s: float = TIME_LIMIT_S
    first_pause_s: float = 1
    longest_pause_s: float = 60

    def pauses(self) -> Iterator[float]:
        """Return the pause before each further try, doubled every time, until there are no more tries."""
        until = time.monotonic() + self.total_s
        for number in range(self.tries - 1):
            yield min(self.first_pause_s * 2**number, self.longest_pause_s)
            if time.monotonic() > until:
                return


PATIENCE = Patience()
# If what was copied is kept, nothing is lost by giving the worker back: the task looks again later.
BRIEF = Patience(tries=3, total_s=120)


def tried(do: Callable[[], T], patience: Patience, progress: Callable[[], str]) -> T:
    """Do something, again after each break. progress: how far it has come, for the log and the last message.

    Raises SourceUnavailable if it broke too often. All other errors pass through.
    """
    pauses = patience.pauses()
    while True:
        try:
            return do()
        except Broken as error:
            _pause(error, next(pauses, None), patience, progress())


def _pause(error: Broken, pause_s: float | None, patience: Patience, progress: str) -> None:
    if pause_s is None:
        raise SourceUnavailable(
            f"{error}; given up after {patience.tries} tries or {patience.total_s:.0f} s; {progress}; the next try "
            "goes on from there; if that fails too, ask who runs the server"
        ) from None
    pause_s = patience.longest_pause_s if isinstance(error, Busy) else pause_s
    log.warning("%s; %s; tried again in %g s", error, progress, pause_s)
    time.sleep(pause_s)
