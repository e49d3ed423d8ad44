"""The one way to wait for something that is not ours to end: look, rest, look again, up to a limit."""

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
    """Wait until something is so; return whether it came to be so in time. check: called after a look in vain."""
    until = time.monotonic() + seconds
    while not is_so():
        check()
        if time.monotonic() > until:
            return False
        time.sleep(every)
    return True
