"""Files of a web server: asked about by HEAD, copied by GET, from any byte on by Range (RFC 9110, 9.3, 13 and 14).

An ETag names the exact content. It goes along with every request that resumes (If-Range), so that the two pieces of a
file are of one content, or the server sends it whole.
"""

import ssl
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self
from urllib.parse import quote

import httpx

from daybook.errors import BadSpec
from daybook.ftp.listing import NO_LISTING, Listing, Remote
from daybook.ftp.replies import Broken, Busy, CannotResume, NotThere, printable

# What stays as it is in the path of a spec: a query, and what is escaped already.
PLAIN = "/?&=%:+,;@!$'()*~"


class HttpsLine:
    """A client at work, both the line and its session (ftp/session.py says what they do)."""

    names_encoding = "utf-8"

    def __init__(self, client: httpx.Client, address: httpx.URL, *, is_encrypted: bool) -> None:
        self._client, self._address, self.is_encrypted = client, address, is_encrypted
        self._name = str(address.host)
        # The ETag of each file at the last look.
        self._tags: dict[str, str] = {}
        self.last_listing: Listing = NO_LISTING

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    @property
    def sock(self) -> object:
        """Return None if the client is closed."""
        return None if self._client.is_closed else self._client

    def session(self, name: str, time_limit_s: float) -> "HttpsLine":
        """Begin a session. name: its name in messages. time_limit_s: for every wait."""
        self._name, self._client.timeout = name, httpx.Timeout(time_limit_s)
        return self

    def greet(self) -> None:
        """Ask the server for anything: whatever it answers, it is there. Raises Broken or BadSpec if it is not."""
        with self._translated_errors("/"):
            self._client.head(self._address, follow_redirects=False)

    def close(self) -> None:
        """End all connections to the server."""
        self._client.close()

    def look(self, path: str) -> Remote:
        """Return what the server says about a file. Raises NotThere if it has none."""
        with self._translated_errors(path):
            reply = self._client.head(self._url(path))
            if reply.status_code in (405, 501):
                return self._look_by_first_byte(path)
            self._check(path, reply)
            return self._remote(path, reply.headers, reply.headers.get("Content-Length", ""))

    def names(self, folder: str) -> Iterable[str]:
        """Raise BadSpec: a web server lists no folder."""
        raise BadSpec(
            f"{self._name}: {folder or '/'}: a web server does not say what lies in a folder; nothing was copied; name "
            "the file in the spec, without a wildcard and ignore_case, or by a manifest"
        )

    def is_listed(self, path: str) -> bool:
        """Return False: nothing is listed."""
        return False

    def retrieve(self, path: str, start: int, take: Callable[[bytes], None]) -> None:
        """Copy a file from byte `start` to its end, block by block.

        Raises CannotResume if the server does not start there, NotThere if it does not have the file.
        """
        headers = self._from(path, start)
        with self._translated_errors(path), self._client.stream("GET", self._url(path), headers=headers) as reply:
            if start and reply.status_code in (200, 416):
                raise CannotResume(f"{self._name}: {path}: the server does not start at byte {start:,}")
            self._check(path, reply)
            # As they come: a block that is filled first would be lost with the line.
            for block in reply.iter_raw():
                take(block)

    def _from(self, path: str, start: int) -> dict[str, str]:
        if not start:
            return {}
        tag = self._tags.get(path, "")
        # Only a strong one names the bytes (RFC 9110, 8.8.1).
        same = {"If-Range": tag} if tag.startswith('"') else {}
        return {"Range": f"bytes={start}-", **same}

    def _look_by_first_byte(self, path: str) -> Remote:
        """Look at a file of a server that does not know HEAD."""
        with self._client.stream("GET", self._url(path), headers={"Range": "bytes=0-0"}) as reply:
            if reply.status_code == 416:
                return self._remote(path, reply.headers, "0")
            self._check(path, reply)
            whole = reply.headers.get("Content-Range", "").rpartition("/")[2]
            length = whole if reply.status_code == 206 else reply.headers.get("Content-Length", "")
            return self._remote(path, reply.headers, length)

    def _remote(self, path: str, headers: httpx.Headers, length: str) -> Remote:
        tag = headers.get("ETag", "")
        self._tags[path] = tag
        return Remote(int(length) if length.isdecimal() else None, headers.get("Last-Modified", tag), tag)

    def _url(self, path: str) -> httpx.URL:
        return self._address.join(quote(path.lstrip("/"), safe=PLAIN))

    def _check(self, path: str, reply: httpx.Response) -> None:
        where, said = f"{self._name}: {path}", f"{reply.status_code} {printable(reply.reason_phrase)}".rstrip()
        if reply.status_code in (404, 410):
            raise NotThere(f"{where}: the web server has no such file ({said})")
        if reply.status_code in (401, 407):
            raise BadSpec(
                f"{where}: the web server refuses the login ({said}); not tried again, so as not to lock the account; "
                "mend the connection's user and password, or the headers in its extra"
            )
        if reply.status_code in (429, 503):
            raise Busy(f"{where}: the web server has no room now ({said})")
        if reply.status_code in (408, 425) or reply.status_code >= 500:
            raise Broken(f"{where}: the web server is in trouble ({said})")
        if reply.status_code not in (200, 206):
            raise BadSpec(
                f"{where}: the web server refuses what it is asked ({said}); not tried again; mend the path in the "
                "spec, or have the right to read it given to the connection's user"
            )

    @contextmanager
    def _translated_errors(self, path: str) -> Iterator[None]:
        where = f"{self._name}: {path}"
        try:
            yield
        except httpx.TimeoutException:
            raise Broken(f"{where}: the web server was silent for longer than the time limit") from None
        except (httpx.TooManyRedirects, httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise BadSpec(f"{where}: {printable(error)}; nothing was copied; mend the path in the spec") from None
        except httpx.TransportError as error:
            raise _of_line(where, error) from None


def _of_line(where: str, error: httpx.TransportError) -> Exception:
    cause: BaseException | None = error
    while cause and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return BadSpec(
            f"{where}: the server's certificate is refused ({printable(cause.verify_message)}); no password was sent; "
            "have the certificate mended, or name the CA's file in the connection's extra, as ca_file"
        )
    return Broken(f"{where}: the line to the web server broke ({type(error).__name__}: {printable(error)})")
