"""An FTP server in which things go wrong, a supplier of files on it, and a copy that is tried with little patience."""

import hashlib
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from daybook.ftp.connect import FtpServer
from daybook.ftp.copy import Fetched, fetch
from daybook.ftp.delivery import Delivery
from daybook.ftp.fetch import Arrived, fetch_delivery
from daybook.ftp.ready import Due, check_ready
from daybook.ftp.retry import Patience
from daybook.spec import File, text
from daybook.storage.folder import Folder
from daybook.transports.https_server import HttpsServer
from daybook.transports.local_folder import LocalFolder
from daybook.transports.s3 import S3Line
from tests.support import sshd
from tests.support import web as web_support
from tests.support.certificates import Authority
from tests.support.faulty_ftp import PASSWORD, USER, FaultyFtp
from tests.support.object_store import ObjectStore
from tests.support.sshd import Sshd
from tests.support.web import WebServer

DAY = date(2013, 1, 5)
SIZE = 1_000_000
CONTENT = random.Random(1).randbytes(SIZE)
PATH = "flights_2013-01-05.csv"
# New York's noon of the day after is 17:00 UTC.
EARLY = datetime(2013, 1, 6, 6, 0, tzinfo=UTC)
LATE = datetime(2013, 1, 6, 17, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
QUICK = Patience(tries=10, total_s=30, time_limit_s=0.4, first_pause_s=0.001, longest_pause_s=0.01)
PARTS = {"path": "day_{part}of{parts}.csv", "parts": 3}
LISTED = {"path": None, "manifest": "in/{day}.manifest"}
WHOLE = {"is_written_whole": True}
SUM = hashlib.sha256(CONTENT).hexdigest()
# A test marked so runs over each of them: what it shows is not a matter of the protocol.
OVER_EACH = pytest.mark.parametrize("opener", ["ftp", "sftp", "https", "folder"], indirect=True)
# A web server lists no folder.
OVER_LISTED = pytest.mark.parametrize("opener", ["ftp", "sftp", "folder"], indirect=True)


def file(**words: Any) -> File:
    """Return the spec of the file on the server."""
    usual = {"name": "flights", "connection": "ftp", "path": "flights_{day}.csv", "columns": [text("a")]}
    return File(**{**usual, **words})


@dataclass
class Copying:
    """Copies the day's file into a folder of the test's own, as `extract_files` does."""

    server: FaultyFtp
    folder: Path

    def __call__(self, spec: File | None = None, patience: Patience = QUICK, **login: Any) -> Fetched:
        """Copy the file; login: what differs of the connection."""
        server = self.connection(**login)
        with Folder(UPath(f"file://{self.folder}")).partial_file("flights.csv") as part:
            spec = spec or file()
            return fetch(lambda: server.open(patience.time_limit_s), spec, spec.path_on(DAY), part, patience)

    def connection(self, **login: Any) -> FtpServer:
        """Return what the connection in Airflow would say."""
        insecure = {"insecure": self.server.certificate is None}
        where = {"host": self.server.host, "port": self.server.port, "user": USER, "password": PASSWORD}
        return FtpServer(**{**where, **insecure, **login})

    @property
    def copied(self) -> bytes | None:
        """What lies under the wanted name, if anything."""
        path = self.folder / "flights.csv"
        return path.read_bytes() if path.exists() else None

    @property
    def parts(self) -> list[Path]:
        """The part files that are left."""
        return sorted(self.folder.glob(".*.part"))


@dataclass
class Supplier:
    """A supplier's folder on the server, and how the day's work looks at it and copies from it."""

    root: Path
    server: FaultyFtp
    due: Due
    folder: Folder

    def put(self, name: str, content: str | bytes) -> None:
        """Write a file by its name."""
        (self.root / name).parent.mkdir(exist_ok=True)
        (self.root / name).write_bytes(content.encode() if isinstance(content, str) else content)

    def ready(self, now: object = EARLY, **words: Any) -> Delivery:
        """Return what is there, once it counts."""
        due = self.due._replace(files=(file(**words),))
        return check_ready(due, self.folder, now, QUICK)["flights"]  # type: ignore[arg-type]

    def copy(self, delivery: Delivery) -> list[Arrived]:
        """Copy what is there."""
        return fetch_delivery(lambda: self.due.ftp("ftp"), delivery, self.folder, QUICK)

    def copied(self) -> dict[str, bytes]:
        """Return what lies in the step's folder under its name."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.path.glob("[!.]*.csv"))}

    def kept(self) -> list[Path]:
        """Return the copies that are not whole yet."""
        return sorted(self.folder.path.glob(".*.part"))


def sums(root: Path, *names: str) -> str:
    """Return what sha256sum writes of files."""
    return "".join(f"{hashlib.sha256((root / name).read_bytes()).hexdigest()}  {name}\n" for name in names)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The server's folder, with the file of the day."""
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / PATH).write_bytes(CONTENT)
    return folder


@pytest.fixture
def server(root: Path) -> Iterator[FaultyFtp]:
    """The server, in clear."""
    with FaultyFtp(root) as server:
        yield server


@pytest.fixture
def copy(server: FaultyFtp, tmp_path: Path) -> Copying:
    """A copy from that server."""
    return Copying(server, tmp_path / "run")


@pytest.fixture(scope="package")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A certificate authority."""
    return Authority(tmp_path_factory.mktemp("ca") / "test")


@pytest.fixture
def copy_from(tmp_path: Path) -> Callable[[FaultyFtp], Copying]:
    """A copy from any server."""
    return lambda server: Copying(server, tmp_path / "run")


@pytest.fixture
def openssh(sshd_command: list[str], root: Path, tmp_path: Path) -> Iterator[Sshd]:
    """OpenSSH's server of the same folder."""
    with sshd.running(sshd_command, tmp_path / "sshd", root) as server:
        yield server


@pytest.fixture
def web(root: Path, authority: Authority) -> Iterator[WebServer]:
    """A web server of the same folder, over TLS."""
    with WebServer(root, authority.certificate()) as server:
        yield server


@pytest.fixture(scope="package")
def running_store() -> Iterator[ObjectStore]:
    """An object store with a bucket."""
    with ObjectStore("supplier") as store:
        yield store


@pytest.fixture
def store(running_store: ObjectStore) -> ObjectStore:
    """The object store, its bucket empty."""
    running_store.empty()
    return running_store


@pytest.fixture
def opener(request: pytest.FixtureRequest, copy: Copying) -> Callable[[], Any]:
    """Opens a connection to the folder: over FTP, or as the test's parameter says."""
    kind = getattr(request, "param", "ftp")
    if kind == "ftp":
        return lambda: copy.connection().open(1)
    if kind == "folder":
        return lambda: LocalFolder(path=str(copy.server.root)).open(1)
    if kind == "https":
        web: WebServer = request.getfixturevalue("web")
        words = {"user": web_support.USER, "password": web_support.PASSWORD}
        authority: Authority = request.getfixturevalue("authority")
        return lambda: HttpsServer(host="127.0.0.1", port=web.port, ca_file=str(authority.ca_file), **words).open(5)
    if kind == "s3":
        store: ObjectStore = request.getfixturevalue("store")
        root: Path = request.getfixturevalue("root")
        return lambda: _opened(store, root)
    server: Sshd = request.getfixturevalue("openssh")
    return lambda: server.connection().open(5)


def _opened(store: ObjectStore, root: Path) -> S3Line:
    store.hold(root)
    return store.connection().open(5)


@pytest.fixture
def due(opener: Callable[[], Any]) -> Due:
    """What is due on the day of the file; a test says which files."""
    return Due((), DAY, "America/New_York", lambda connection: opener())


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """The folder of the step that looks and copies."""
    return Folder(tmp_path / "run" / "extract_files")


@pytest.fixture
def supplier(root: Path, server: FaultyFtp, due: Due, folder: Folder) -> Supplier:
    """A supplier who has delivered PATH."""
    return Supplier(root, server, due, folder)


@pytest.fixture
def three(supplier: Supplier) -> Supplier:
    """A supplier who has delivered three parts."""
    for number in (1, 2, 3):
        supplier.put(f"day_{number}of3.csv", f"part {number}")
    return supplier
