"""Connections that are opened once for all the days of a task: opening one costs more than what a day asks of it.

Used by batch.py. What is given out goes to one at a time, and is kept for the next only while it is whole.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from types import TracebackType
from typing import Any, Self


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
        """Give a connection for the length of a block. Raises what opening one raises."""
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
