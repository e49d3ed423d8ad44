"""A front that speaks TLS for a PostgreSQL that was built without it, as a server elsewhere does."""

import select
import socket
import ssl
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

BLOCK_BYTES = 65_536
SECONDS = 20


class TlsFront:
    """Listens on 127.0.0.1 with a certificate, and hands on what comes, in clear, to a port there."""

    def __init__(self, behind: int, certificate: Path) -> None:
        self._behind = behind
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.heard = bytearray()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(SECONDS)

    def _serve(self) -> None:
        try:
            while True:
                client, _ = self._listening.accept()
                with client:
                    self._hand_on(client)
        except OSError:
            return

    def _hand_on(self, client: socket.socket) -> None:
        # The client asks for TLS before it says who it is (PostgreSQL's manual, 54.2.11).
        assert client.recv(8)[4:] == b"\x04\xd2\x16/"
        client.sendall(b"S")
        try:
            with (
                self._context.wrap_socket(client, server_side=True) as near,
                socket.create_connection(("127.0.0.1", self._behind)) as far,
            ):
                while self._one_block(near, far):
                    pass
        except ssl.SSLError:
            return

    def _one_block(self, near: ssl.SSLSocket, far: socket.socket) -> bool:
        ready = [near] if near.pending() else select.select([near, far], [], [], SECONDS)[0]
        for end in ready:
            block = end.recv(BLOCK_BYTES)
            (far if end is near else near).sendall(block)
            self.heard += block if end is near else b""
            if not block:
                return False
        return bool(ready)
