"""A real FTP server (pyftpdlib) in a thread, in which a test has things go wrong: replies, transfers, TLS.

server.answers["SIZE"] = repeat("502 not here")            # by command, one a time it comes; None is the usual one
server.cuts = iter([Cut(300_000, says_226)])               # of the next transfers, one each; then none
"""

import socket
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from OpenSSL import SSL
from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.log import logger
from pyftpdlib.servers import FTPServer

USER, PASSWORD = "supplier", "canary-5f1c"
Answer = str | Callable[[Any], None] | None


@dataclass(frozen=True)
class Cut:
    """What happens to one transfer after so many bytes."""

    after_bytes: int
    how: Callable[[Any], None]


def says_226(data: Any) -> None:
    """Call it complete, and end it."""
    data.discard_buffers()
    data.handle_close()


def says_426(data: Any) -> None:
    """Say that it was aborted, and end it."""
    data.handle_close()


def resets(data: Any) -> None:
    """Reset the data connection; bytes on their way are lost."""
    data.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    data.handle_close()


def hangs_up(data: Any) -> None:
    """End the data and the control connection without a word."""
    control = data.cmd_channel
    data.is_mute = True
    data.close()
    control.close()


def stalls(data: Any) -> None:
    """Send nothing any more."""
    data.is_stalled = True
    data.modify_ioloop_events(data.ioloop.READ)


def is_mute_at_the_end(data: Any) -> None:
    """Send all, and never say that it was all."""
    data.is_mute = True


class _Data:
    cmd_channel: Any
    is_mute = False
    is_stalled = False
    is_met = False
    cut: Cut | None = None

    def use_sendfile(self) -> bool:
        return False

    def initiate_send(self) -> None:
        if not self.is_met and self.cmd_channel.latest == "RETR":
            self.cut, self.is_met = next(self.cmd_channel.faulty.cuts, None), True
        if self.cut and self.tot_bytes_sent >= self.cut.after_bytes:  # type: ignore[attr-defined]
            how, self.cut = self.cut.how, None
            how(self)
        if not self.is_stalled and self.connected:  # type: ignore[attr-defined]
            super().initiate_send()  # type: ignore[misc]

    def handle_read_event(self) -> None:
        if not self.is_met and self.cmd_channel.latest == "STOR":
            self.cut, self.is_met = next(self.cmd_channel.faulty.cuts, None), True
        super().handle_read_event()  # type: ignore[misc]
        if self.cut and self.tot_bytes_received >= self.cut.after_bytes:  # type: ignore[attr-defined]
            how, self.cut = self.cut.how, None
            how(self)

    def close(self) -> None:
        if self.is_mute:
            self._resp = ()
        super().close()  # type: ignore[misc]


class _Control:
    faulty: "FaultyFtp"
    latest = ""

    def handle(self) -> None:
        if not self._answered("CONNECT"):
            super().handle()  # type: ignore[misc]

    def pre_process_command(self, line: str, cmd: str, arg: str) -> None:
        self.latest = cmd
        self.faulty.commands.append(cmd if cmd == "PASS" else line)
        if not self._answered(cmd):
            super().pre_process_command(line, cmd, arg)  # type: ignore[misc]

    def _answered(self, command: str) -> bool:
        answer = next(self.faulty.answers.get(command, iter([])), None)
        if callable(answer):
            answer(self)
            return False
        if answer:
            self.respond(answer)  # type: ignore[attr-defined]
            if answer.startswith("421"):
                self.close_when_done()  # type: ignore[attr-defined]
        return bool(answer)


class PlainData(_Data, DTPHandler):
    """Data connections in clear."""


class PlainControl(_Control, FTPHandler):
    """Control connections in clear."""

    dtp_handler = PlainData


class TlsData(_Data, TLS_DTPHandler):
    """Data connections over TLS."""


class TlsControl(_Control, TLS_FTPHandler):
    """Control connections over TLS, which is demanded for data too."""

    dtp_handler = TlsData
    tls_data_required = True


@dataclass
class FaultyFtp:
    """The server of a folder, with one user. `commands`: what clients sent, without the password. `rights`: the
    user's, in pyftpdlib's letters.
    """

    root: Path
    certificate: Path | None = None
    tls_method: int = SSL.TLS_METHOD
    settings: dict[str, Any] = field(default_factory=dict)
    port: int = 0
    answers: dict[str, Iterator[Answer]] = field(default_factory=dict)
    cuts: Iterator[Cut | None] = field(default_factory=lambda: iter([]))
    commands: list[str] = field(default_factory=list)
    host: str = "127.0.0.1"
    rights: str = "elr"

    def __enter__(self) -> Self:
        """Begin to listen."""
        logger.disabled = True
        authorizer = DummyAuthorizer()
        authorizer.add_user(USER, PASSWORD, str(self.root), perm=self.rights)
        words = {"authorizer": authorizer, "faulty": self, "auth_failed_timeout": 0, "timeout": 30, **self.settings}
        handler = type("Handler", (TlsControl if self.certificate else PlainControl,), {**words, **self._tls()})
        self._loop = IOLoop()
        self._server = FTPServer((self.host, self.port), handler, ioloop=self._loop)
        self.port = self._server.address[1]
        self._is_open = True
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all connections."""
        self._is_open = False
        self._thread.join()

    def count(self, command: str) -> int:
        """Return how often a command came."""
        return sum(line.split(" ")[0] == command for line in self.commands)

    def _run(self) -> None:
        while self._is_open:
            self._loop.loop(timeout=0.02, blocking=False)
        self._server.close_all()

    def _tls(self) -> dict[str, Any]:
        if not self.certificate:
            return {}
        context = SSL.Context(self.tls_method)
        context.use_certificate_chain_file(str(self.certificate))
        context.use_privatekey_file(str(self.certificate))
        # Old TLS versions are off on this level by default; a client that does not want them has to say so itself.
        context.set_cipher_list(b"ALL:@SECLEVEL=0")
        return {"ssl_context": context}
