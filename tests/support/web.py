"""A real web server of a folder, over TLS or not, which knows ETag and Range, in which a test has things go wrong."""

import ssl
import threading
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

USER, PASSWORD = "supplier", "canary-7a2e"
LOGIN = "Basic " + b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@dataclass
class WebServer:
    """The server of a folder. asked: the requests, but for "/", as "GET /f.csv bytes=5-".

    statuses: of the next requests, one each; None is the usual one. cuts: after how many bytes the next copies end.
    """

    root: Path
    certificate: Path | None = None
    host: str = "127.0.0.1"
    statuses: Iterator[int | None] = field(default_factory=lambda: iter([]))
    cuts: Iterator[int | None] = field(default_factory=lambda: iter([]))
    knows_range: bool = True
    knows_head: bool = True
    moved_to: str = ""
    meanwhile: Callable[[], None] = lambda: None
    asked: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._server = ThreadingHTTPServer((self.host, 0), type("Handler", (_Handler,), {"web": self}))
        self.port = self._server.server_address[1]
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the server."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    web: WebServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *words: Any) -> None:
        """Write no log."""

    def do_HEAD(self) -> None:
        """Answer HEAD."""
        if self._is_answered() or not self.web.knows_head:
            return None if self.web.knows_head else self._say(405)
        self._send(b"")
        return None

    def do_GET(self) -> None:
        """Answer GET."""
        if not self._is_answered():
            self._send((self.web.root / unquote(self.path.lstrip("/").split("?")[0])).read_bytes())

    def _is_answered(self) -> bool:
        if self.path == "/":
            self._say(403)
            return True
        self.web.asked.append(f"{self.command} {self.path} {self.headers.get('Range', '')}".rstrip())
        self.web.headers.append(dict(self.headers))
        path = self.web.root / unquote(self.path.lstrip("/").split("?")[0])
        if self.web.moved_to:
            self._say(302, {"Location": self.web.moved_to})
        elif self.headers.get("Authorization") != LOGIN:
            self._say(401)
        elif status := next(self.web.statuses, None):
            self._say(status)
        elif not path.is_file():
            self._say(404)
        else:
            return False
        return True

    def _say(self, status: int, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": "0", **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()

    def _send(self, content: bytes) -> None:
        path = self.web.root / unquote(self.path.lstrip("/").split("?")[0])
        found = path.stat()
        tag, size = f'"{found.st_size}-{found.st_mtime_ns}"', found.st_size
        start = int(self.headers.get("Range", "bytes=0-").removeprefix("bytes=").split("-")[0])
        last = self.headers.get("Range", "").rpartition("-")[2]
        is_part = "Range" in self.headers and self.web.knows_range and self.headers.get("If-Range", tag) == tag
        end = int(last) + 1 if last and is_part else size
        start = start if is_part else 0
        self.send_response(206 if is_part else 200)
        if is_part:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{size}")
        self.send_header("Content-Length", str(end - start))
        self.send_header("ETag", tag)
        self.send_header("Last-Modified", formatdate(int(found.st_mtime), usegmt=True))
        self.end_headers()
        if self.command == "GET":
            self._write(content[start:end])

    def _write(self, content: bytes) -> None:
        cut = next(self.web.cuts, None) if len(content) > 1 else None
        with suppress(OSError):
            self.wfile.write(content if cut is None else content[:cut])
            self.web.meanwhile()
        if cut is not None:
            self.close_connection = True
