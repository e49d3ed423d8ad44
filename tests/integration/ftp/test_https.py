"""Files of a web server: a copy that breaks goes on by Range, of the same content only, or begins anew."""

import os
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from daybook.errors import BadSpec, SourceUnavailable
from daybook.ftp.copy import Fetched, fetch
from daybook.ftp.replies import NotThere
from daybook.ftp.session import session
from daybook.storage.folder import Folder
from daybook.transports.https_server import HttpsServer
from tests.support.certificates import Authority
from tests.support.web import PASSWORD, USER, WebServer

from .conftest import CONTENT, PATH, QUICK, SIZE, file

CUT_AT = 300_000


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The place of the copy."""
    return tmp_path / "run" / "flights.csv"


@pytest.fixture
def copy(web: WebServer, authority: Authority, copied: Path) -> Callable[..., Fetched]:
    """Copies a file over HTTPS; words: what differs of the connection."""

    def do(path: str = PATH, **words: Any) -> Fetched:
        usual = {"port": web.port, "user": USER, "password": PASSWORD, "ca_file": str(authority.ca_file)}
        server = HttpsServer(host="127.0.0.1", **{**usual, **words})
        with Folder(UPath(f"file://{copied.parent}")).partial_file(copied.name) as part:
            return fetch(lambda: server.open(1), file(path=path), path, part, QUICK)

    return do


def test_a_file_comes_whole_and_encrypted_with_its_query(
    copy: Callable[..., Fetched], web: WebServer, copied: Path, root: Path
) -> None:
    (root / "in").mkdir()
    (root / PATH).rename(root / "in" / "Umsätze 1.csv")
    fetched = copy("in/Umsätze 1.csv?day=5&all=1")
    assert (copied.read_bytes(), fetched.remote.size_bytes, fetched.is_encrypted) == (CONTENT, SIZE, True)
    address = "/in/Ums%C3%A4tze%201.csv?day=5&all=1"
    assert web.asked == [f"HEAD {address}", f"GET {address}", f"HEAD {address}"]


def test_a_copy_that_breaks_goes_on_by_range(copy: Callable[..., Fetched], web: WebServer, copied: Path) -> None:
    web.cuts = iter([CUT_AT, CUT_AT])
    copy()
    assert copied.read_bytes() == CONTENT
    (first, second) = (line for line in web.asked if "bytes" in line)
    assert f"GET /{PATH} bytes={CUT_AT - 64 * 1024}-" == first != second


def test_a_server_that_ignores_range_sends_all_again(
    copy: Callable[..., Fetched], web: WebServer, copied: Path
) -> None:
    web.cuts, web.knows_range = iter([CUT_AT]), False
    copy()
    assert copied.read_bytes() == CONTENT


def test_a_file_that_changes_while_it_is_copied_is_not_taken(
    copy: Callable[..., Fetched], web: WebServer, copied: Path, root: Path
) -> None:
    def replaced() -> None:
        # Of the same size and in the same second: only its ETag tells.
        seconds = int((root / PATH).stat().st_mtime)
        (root / PATH).write_bytes(CONTENT[::-1])
        os.utime(root / PATH, ns=(seconds * 10**9, seconds * 10**9 + 1))

    web.meanwhile = replaced
    with pytest.raises(SourceUnavailable, match="the file changed while it was copied"):
        copy()
    assert not copied.exists()


def test_a_server_without_HEAD_is_asked_for_the_first_byte(
    copy: Callable[..., Fetched], web: WebServer, copied: Path
) -> None:
    web.knows_head = False
    assert copy().remote.size_bytes == SIZE
    assert copied.read_bytes() == CONTENT


def test_a_busy_server_is_asked_again_and_given_up(copy: Callable[..., Fetched], web: WebServer) -> None:
    web.statuses = iter([503, 429, 500, 408])
    copy()
    web.statuses = repeat(503)
    with pytest.raises(SourceUnavailable, match=r"has no room now \(503 .*given up after 10 tries"):
        copy()


def test_what_the_server_refuses_is_told_without_the_password(copy: Callable[..., Fetched], web: WebServer) -> None:
    with pytest.raises(BadSpec, match=r"refuses the login \(401 Unauthorized\)") as refused:
        copy(password="canary-wrong")
    assert "canary" not in str(refused.value)
    web.statuses = iter([403])
    with pytest.raises(BadSpec, match=r"refuses what it is asked \(403 Forbidden\).*have the right"):
        copy()
    with pytest.raises(NotThere, match=r"has no such file \(404 Not Found\)"):
        copy("none.csv")
    with pytest.raises(BadSpec, match=r"certificate is refused .*no password was sent"):
        copy(ca_file=None)


def test_our_headers_go_to_no_other_server_and_nothing_goes_without_TLS(
    copy: Callable[..., Fetched], web: WebServer, root: Path, authority: Authority
) -> None:
    with WebServer(root, authority.certificate("127.0.0.2"), host="127.0.0.2") as other:
        web.moved_to = f"https://{other.host}:{other.port}/{PATH}"
        with pytest.raises(BadSpec, match="refuses the login"):
            copy(headers={"X-Key": "canary"})
    assert web.headers[0]["X-Key"] == "canary"
    assert {"X-Key", "Authorization"}.isdisjoint(other.headers[0])
    with WebServer(root) as clear:
        web.moved_to = f"http://127.0.0.1:{clear.port}/{PATH}"
        with pytest.raises(BadSpec, match="sends us on to an address without TLS"):
            copy()
    assert clear.asked == []


def test_a_folder_of_a_web_server_cannot_be_looked_into(web: WebServer, authority: Authority) -> None:
    server = HttpsServer(host="127.0.0.1", port=web.port, ca_file=str(authority.ca_file))
    with session(lambda: server.open(1), "web", 1) as opened, pytest.raises(BadSpec, match="without a wildcard"):
        opened.names("in")


def test_without_TLS_only_if_the_connection_says_so(root: Path) -> None:
    with WebServer(root) as clear:
        words: dict[str, Any] = {"host": "127.0.0.1", "port": clear.port, "user": USER, "password": PASSWORD}
        with session(lambda: HttpsServer(**words, insecure=True).open(1), "web", 1) as opened:
            assert (opened.look(PATH).size_bytes, opened.is_encrypted) == (SIZE, False)
        with (
            pytest.raises(SourceUnavailable, match="the line to the web server broke"),
            session(lambda: HttpsServer(**words).open(1), "web", 1) as opened,
        ):
            opened.look(PATH)
    assert clear.asked == [f"HEAD /{PATH}"]
