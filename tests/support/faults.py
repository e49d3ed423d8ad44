"""A fault at the n-th operation of a process: on files through Python's audit hook, on SQL through its connections.

One hook counts them all: `Faults.passes(operation)`. Nothing in the product knows of it.
"""

import errno
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

# Audit events of operations on a file (Python's manual, "Audit events table"), and which argument is the path.
FILES = {"open": 0, "os.rename": 1, "os.symlink": 1, "os.remove": 0, "os.mkdir": 0, "os.link": 1, "shutil.rmtree": 0}


@dataclass
class Faults:
    """Kills, stops or fails this process at its n-th operation, or at the first whose name starts so; 0 only counts.

    how: "kill" (-9), "stop" (until a SIGCONT), "fail" (the operation raises), or "full" (it raises: no space left).
    within: the folder whose files count.
    """

    within: str
    at: int | str = 0
    how: str = "kill"
    done: list[str] = field(default_factory=list)

    def passes(self, operation: str) -> None:
        """Count an operation, and strike at the one that was chosen."""
        self.done.append(operation)
        if len(self.done) == self.at or (isinstance(self.at, str) and operation.startswith(self.at)):
            self.at = 0
            self._strike(operation)

    def _strike(self, operation: str) -> None:
        if self.how in ("kill", "stop"):
            os.kill(os.getpid(), signal.SIGKILL if self.how == "kill" else signal.SIGSTOP)
            # A signal to oneself may come a moment later.
            time.sleep(0.05)
        elif operation.startswith("sql"):
            raise psycopg.OperationalError("the connection is lost (a fault that a test put here)")
        else:
            raise OSError(errno.ENOSPC if self.how == "full" else errno.EIO, "a fault that a test put here")

    def install(self) -> None:
        """Watch this process's file operations, for good: an audit hook cannot be taken away."""
        sys.addaudithook(self._see)
        fsync = os.fsync

        def watched(fd: Any) -> None:
            self.passes("fsync")
            fsync(fd)

        os.fsync = watched

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in FILES and self._is_within(arguments[FILES[event]]):
            self.passes(f"{event} {Path(os.fsdecode(arguments[FILES[event]])).name}")

    def _is_within(self, path: Any) -> bool:
        return isinstance(path, str | bytes | os.PathLike) and os.fsdecode(path).startswith(self.within)

    def connection(self) -> type[psycopg.Connection[Any]]:
        """Return a class of connections whose statements and commits are counted too."""
        faults = self

        class Watched(psycopg.Connection[Any]):
            # A transaction of ours is inside the one that the settings began: that one's commit makes it last.
            _has_inner = False

            def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
                faults.passes(f"sql {str(query)[:60]}")
                return super().execute(query, *args, **kwargs)

            def commit(self) -> None:
                of = " of a transaction" if self._has_inner else ""
                self._has_inner = False
                faults.passes(f"sql commit{of}")
                super().commit()
                # Here the server has done it, and we do not know.
                faults.passes(f"sql answer to {'the ' * bool(of)}commit{of}")

            @contextmanager
            def transaction(self, *args: Any, **kwargs: Any) -> Iterator[psycopg.Transaction]:
                with super().transaction(*args, **kwargs) as transaction:
                    yield transaction
                self._has_inner = True

        return Watched
