"""Ctrl-C, SIGTERM and SIGHUP: one exception, once, and never halfway through starting a process."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """The first of the signals that ask for an end. `number` says which."""

    def __init__(self, number: int) -> None:
        """Keep the signal's number."""
        super().__init__(signal.Signals(number).name)
        self.number = number


class Signals:
    """Turns the first signal into `Interrupted`; those after it, and those after `close`, only have `say` told."""

    def __init__(self, say: Callable[[str], None]) -> None:
        """Name who is told; nothing is changed until `open`."""
        self._say = say
        self._is_closed = False
        self._is_held = False
        self._pending = 0
        self._before: dict[signal.Signals, Any] = {}

    def open(self) -> None:
        """Begin to listen. In a thread other than the main one Python has no say over signals, and nothing happens."""
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._receive) for number in NUMBERS}

    def close(self) -> None:
        """From now on let no signal interrupt: what was started is being stopped."""
        self._is_closed = True

    def restore(self) -> None:
        """Return the signals back to whom they belonged before `open`."""
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Let a signal wait while something is started, so that what was started is known when it interrupts."""
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
