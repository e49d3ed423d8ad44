"""Ctrl-C, SIGTERM and SIGHUP: one exception, once, and never in the middle of starting a process."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """The first signal that asked for an end. number: of the signal."""

    def __init__(self, number: int) -> None:
        """Keep the signal's number."""
        super().__init__(signal.Signals(number).name)
        self.number = number


class Signals:
    """Turns the first signal into `Interrupted`; later ones, and those after `close`, only call `say`."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Change nothing until `open`. say: called with a line about a later signal."""
        self._say = say
        self._is_closed = False
        self._is_held = False
        self._pending = 0
        self._before: dict[signal.Signals, Any] = {}

    def open(self) -> None:
        """Begin to listen. Python handles signals only in the main thread; in any other, nothing happens."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._receive) for number in NUMBERS}

    def close(self) -> None:
        """Let no signal interrupt from now on: the deployment is being stopped."""
        self._is_closed = True

    def restore(self) -> None:
        """Restore the signal handlers from before `open`."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Delay signals while a process is started, so that it is recorded before they interrupt."""
        self._is_held = True
        try:
            yield
        finally:
            self._is_held = False
        if self._pending and not self._is_closed:
            self._interrupt(self._pending)

    def _receive(self, number: int, _frame: FrameType | None) -> None:
        if self._is_closed:
            self._say("Stopping already; a moment, so that no process is left behind.")
        elif self._is_held:
            self._pending = number
        else:
            self._interrupt(number)

    def _interrupt(self, number: int) -> None:
        self._is_closed = True
        raise Interrupted(number)
