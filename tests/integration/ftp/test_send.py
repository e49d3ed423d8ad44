"""Files sent to a server: there whole or not at all, in the place of those before, and nothing else is left."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from io import BytesIO
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from daybook.errors import BadSpec, SourceUnavailable
from daybook.ftp.connect import FtpServer
from daybook.ftp.send import Outgoing, send
from daybook.transports.https_server import HttpsServer
from daybook.transports.local_folder import LocalFolder
from tests.support import web as web_support
from tests.support.faulty_ftp import PASSWORD, USER, Cut, FaultyFtp, hangs_up, resets, says_226
from tests.support.object_store import ObjectStore, Refusal
from tests.support.proxy import Fault, Proxy
from tests.support.sshd import Sshd
from tests.support.web import WebServer

from .conftest import CONTENT, PATH, QUICK

OTHER = CONTENT[::-1] + b"and more"
TARGETS = ["ftp", "sftp", "s3", "folder"]


@pytest.fixture
def taker(root: Path) -> Iterator[FaultyFtp]:
    """An FTP server that takes files into the folder."""
    (root / PATH).unlink()
    with FaultyFtp(root, rights="elradfmw") as server:
        yield server


@pytest.fixture
def ftp(taker: FaultyFtp) -> FtpServer:
    """The connection to it."""
    return FtpServer(host=taker.host, port=taker.port, user=USER, password=PASSWORD, insecure=True)


def outgoing(path: str, content: bytes) -> Outgoing:
    """Return a file to send."""
    return Outgoing(path, len(content), partial(BytesIO, content))


@pytest.fixture
def held(
    request: pytest.FixtureRequest, root: Path, taker: FaultyFtp, ftp: FtpServer
) -> Callable[..., dict[str, bytes]]:
    """Sends files to the target of the parameter, and returns all that is there then."""
    opens: dict[str, Callable[[], Any]] = {
        "ftp": lambda: ftp.open(2),
        "sftp": lambda: request.getfixturevalue("openssh").connection().open(5),
        "s3": lambda: request.getfixturevalue("store").connection().open(5),
        "folder": lambda: LocalFolder(path=str(root)).open(1),
    }
    kind = request.param

    def do(*files: tuple[str, bytes], removed: str | None = None) -> dict[str, bytes]:
        send(opens[kind], "partner", [outgoing(*file) for file in files], removed, QUICK)
        if kind == "s3":
            store: ObjectStore = request.getfixturevalue("store")
            return store.files()
        return all_in(root)

    return do


def all_in(root: Path) -> dict[str, bytes]:
    """Return what lies in and below a folder."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("held", TARGETS, indirect=True)
def test_files_are_there_whole_in_folders_of_their_own_and_replace_those_before(
    held: Callable[..., dict[str, bytes]],
) -> None:
    first = {"out/2013-01-05/Umsätze 1.csv": CONTENT, "out/2013-01-05/empty.csv": b"", "done": b"x"}
    assert held(*first.items()) == first
    second = {"out/2013-01-05/Umsätze 1.csv": OTHER, "new.csv": b"y"}
    assert held(*second.items(), removed="done") == {"out/2013-01-05/empty.csv": b"", **second}
    assert held(removed="never.there").keys() == {"out/2013-01-05/empty.csv", *second}


@pytest.mark.parametrize("how", [resets, hangs_up, says_226])
def test_a_line_that_is_cut_in_the_middle_leaves_the_file_before_until_the_new_one_is_whole(
    taker: FaultyFtp, ftp: FtpServer, root: Path, how: Callable[[Any], None]
) -> None:
    (root / "f.csv").write_bytes(b"before")
    taker.cuts = repeat(Cut(100_000, how))
    with pytest.raises(SourceUnavailable, match=r"given up after 10 tries.*2 files are left"):
        send(lambda: ftp.open(1), "partner", [outgoing("f.csv", CONTENT), outgoing("g.csv", b"g")], patience=QUICK)
    assert (root / "f.csv").read_bytes() == b"before"
    assert not (root / "g.csv").exists()
    taker.cuts = iter([None, Cut(1, how)])
    send(lambda: ftp.open(1), "partner", [outgoing("f.csv", CONTENT), outgoing("g.csv", CONTENT)], patience=QUICK)
    assert all_in(root) == {"f.csv": CONTENT, "g.csv": CONTENT}


def test_a_cut_line_of_sftp_and_of_a_bucket_is_tried_again(openssh: Sshd, store: ObjectStore, root: Path) -> None:
    # The login takes the server 2,900 bytes, and the answers to all that is written 900.
    with Proxy(("127.0.0.1", openssh.port), faults=iter([Fault(3_300)])) as between:
        server = openssh.connection(port=between.address[1])
        send(lambda: server.open(5), "partner", [outgoing("f.csv", CONTENT)], patience=QUICK)
        assert between.connections == 2
    assert (root / "f.csv").read_bytes() == CONTENT
    store.refusals = iter([Refusal("503 Slow Down", "SlowDown"), Refusal("400 Bad Request", "BadDigest")])
    send(lambda: store.connection().open(5), "partner", [outgoing("f.csv", CONTENT)], patience=QUICK)
    assert store.files() == {"f.csv": CONTENT}


@pytest.mark.parametrize("reply", ["550 Not for you.", "552 Disk full.", "553 No such name."])
def test_what_a_server_does_not_take_is_told(taker: FaultyFtp, ftp: FtpServer, root: Path, reply: str) -> None:
    taker.answers["STOR"] = repeat(reply)
    with pytest.raises(BadSpec, match=rf"partner: .f.csv.daybook: the FTP server does not take the file \({reply}"):
        send(lambda: ftp.open(1), "partner", [outgoing("f.csv", CONTENT)], patience=QUICK)
    assert all_in(root) == {}


def test_a_server_that_renames_to_a_free_name_only_gets_the_old_file_removed(
    taker: FaultyFtp, ftp: FtpServer, root: Path
) -> None:
    (root / "f.csv").write_bytes(b"before")
    taker.answers["RNTO"] = iter(["550 It is there.", None])
    send(lambda: ftp.open(1), "partner", [outgoing("f.csv", CONTENT)], patience=QUICK)
    assert all_in(root) == {"f.csv": CONTENT}


def test_a_bucket_or_a_folder_that_does_not_take_files_is_told(store: ObjectStore, root: Path) -> None:
    store.refusals = repeat(Refusal("403 Forbidden", "AccessDenied", "Access Denied"))
    with pytest.raises(BadSpec, match=r"does not let us.*have the rights s3:PutObject and s3:DeleteObject"):
        send(lambda: store.connection().open(5), "partner", [outgoing("f.csv", CONTENT)], patience=QUICK)
    for path in ("../f.csv", "/out/f.csv"):
        with pytest.raises(BadSpec, match="leads out of the folder"):
            send(lambda: LocalFolder(path=str(root)).open(1), "partner", [outgoing(path, b"x")], patience=QUICK)


def test_a_web_server_takes_no_files(web: WebServer, authority: Any) -> None:
    words = {"user": web_support.USER, "password": web_support.PASSWORD, "ca_file": os.fspath(authority.ca_file)}
    server = HttpsServer(host="127.0.0.1", port=web.port, **words)
    with pytest.raises(BadSpec, match=r"partner: a web server takes no files.*a bucket or a folder"):
        send(lambda: server.open(2), "partner", [outgoing("f.csv", b"x")], patience=QUICK)
