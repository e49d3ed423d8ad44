"""A TCP proxy on this machine that breaks the lines that a test tells it to, and remembers what clients sent.

    with Proxy(("127.0.0.1", 5432)) as proxy:
        proxy.faults = iter([Fault(after_bytes=5000, how=reset)])   # of the next connections, one each; then none
        connect(*proxy.address)

FTP opens a second connection to the host of the first and a port that the server names: a proxy on another address of
the loopback and the same port (`Proxy(server, listen=("127.0.0.2", server_port))`) stands in its way.
"""

import select
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

Address = tuple[str, int]
BLOCK_BYTES = 16 * 1024
SECONDS_BETWEEN_LOOKS = 0.02


@dataclass
class Pair:
    """A client's connection and the server's that belongs to it. `is_silent`: nothing goes on in either direction."""

    client: socket.socket
    server: socket.socket
    is_silent: bool = False

    def close(self) -> None:
        """End both, so that each side sees it at once: a close() alone may leave a black hole."""
        for end in (self.client, self.server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def cut(pair: Pair) -> None:
    """End both connections, as a process that dies does."""
    pair.close()


def reset(pair: Pair) -> None:
    """Reset both connections, as a firewall does: what was on its way is lost."""
    for end in (pair.client, pair.server):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.close()


def silence(pair: Pair) -> None:
    """Forward nothing any more and say nothing, as a cable that is pulled."""
    pair.is_silent = True


def half_close(pair: Pair) -> None:
    """End the direction to the client only."""
    pair.client.shutdown(socket.SHUT_WR)
    pair.is_silent = True


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one connection once `after_bytes` went to the client. None bytes: never.

    latency_s: added before every block. bytes_per_s: the most that goes to the client.
    """

    after_bytes: int | None = None
    how: Callable[[Pair], None] = cut
    latency_s: float = 0
    bytes_per_s: float = float("inf")


@dataclass
class Proxy:
    """A proxy in front of `target`; it listens on `listen`, or on a free port. `sent`: all that clients sent."""

    target: Address
    listen: Address = ("127.0.0.1", 0)
    faults: Iterator[Fault] = field(default_factory=lambda: iter([]))
    sent: bytearray = field(default_factory=bytearray)
    connections: int = 0
    _is_open: bool = True

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._socket = socket.create_server(self.listen)
        self._socket.settimeout(SECONDS_BETWEEN_LOOKS)
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all connections."""
        self._is_open = False
        for thread in self._threads:
            thread.join()
        self._socket.close()

    @property
    def address(self) -> Address:
        """Where clients connect to."""
        host, port = self._socket.getsockname()[:2]
        return host, port

    def _accept(self) -> None:
        while self._is_open:
            with suppress(TimeoutError):
                client, _ = self._socket.accept()
                self.connections += 1
                thread = threading.Thread(target=self._serve, args=[client, next(self.faults, Fault())])
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket, fault: Fault) -> None:
        try:
            server = socket.create_connection(self.target, timeout=5)
        except OSError:
            client.close()
            return
        pair = Pair(client, server)
        with suppress(OSError):
            self._carry(pair, fault)
        pair.close()

    def _carry(self, pair: Pair, fault: Fault) -> None:
        left = fault.after_bytes
        while self._is_open and pair.client.fileno() != -1:
            if left is not None and left <= 0:
                left = None
                fault.how(pair)
            elif pair.is_silent:
                time.sleep(SECONDS_BETWEEN_LOOKS)
            else:
                count = self._forward(pair, fault, left or BLOCK_BYTES)
                left = left if left is None else left - count

    def _forward(self, pair: Pair, fault: Fault, most: int) -> int:
        """Forward one block of each side that has one; give how many bytes went to the client."""
        count = 0
        for end in select.select([pair.client, pair.server], [], [], SECONDS_BETWEEN_LOOKS)[0]:
            block = end.recv(min(BLOCK_BYTES, most))
            if not block:
                raise ConnectionAbortedError("one side has ended")
            time.sleep(fault.latency_s)
            if end is pair.client:
                self.sent += block
                pair.server.sendall(block)
            else:
                time.sleep(len(block) / fault.bytes_per_s)
                pair.client.sendall(block)
                count += len(block)
        return count
