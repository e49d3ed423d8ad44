"""The one way to wait for a condition: look, sleep, look again, up to a time limit."""

import time
from collections.abc import Callable

SECONDS_BETWEEN_LOOKS = 0.3


def nothing() -> None:
    """Do nothing between two looks."""


def wait_until(
    is_so: Callable[[], bool],
    seconds: float,
    *,
    check: Callable[[], None] = nothing,
    every: float = SECONDS_BETWEEN_LOOKS,
) -> bool:
    """Wait until a condition is true; return whether it was in time. check: called each time that it is not."""
    until = time.monotonic() + seconds
    while not is_so():
        check()
        if time.monotonic() > until:
            return False
        time.sleep(every)
    return True
