"""Servers that tests of every kind share: real ones, started once, on free ports of 127.0.0.1."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

import psycopg
import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from daybook.spec import Pipeline
from daybook.testing import Sample, Trial
from deployment.home import REPOSITORY, Home
from deployment.servers.databases import make_databases
from deployment.servers.flights import fill_tables, write_days
from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres
from deployment.servers.programs import FOLDERS_OF_ROOT, is_root

from .support.browser import browser as browser
from .support.servers import Servers

FTP_SECONDS = 15


def pytest_configure() -> None:
    """Stop the tests' servers also if the tests are ended by SIGTERM, or by Ctrl-C as a shell's background job."""
    # Such a job is born to ignore Ctrl-C, and then xdist cannot end its workers by it either.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _end)
    # For the processes that tests start; `make` says so too, and a pytest typed by hand does not.
    os.environ.setdefault("PYTHONPATH", os.pathsep.join(str(REPOSITORY / name) for name in ("include", "config")))


class FolderScheduling(LoadScopeScheduling):
    """Gives the tests of a folder to one worker: they share a deployment, which is slow to start."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.split("::")[0].rpartition("/")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FolderScheduling | None:
    """Let `--dist=loadscope` mean folders; loadgroup, which could say it by marks, does nothing under pytest 9.2."""
    return FolderScheduling(config, log) if config.getvalue("dist") == "loadscope" else None


def _end(number: int, _: FrameType | None) -> None:
    pytest.exit(f"ended by {signal.Signals(number).name}", 128 + number)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalPostgres]:
    """A running PostgreSQL with the deployment's databases and roles; `.dsn(database, role)` connects."""
    server = LocalPostgres(Home(tmp_path_factory.mktemp("postgres")))
    server.start()
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        # What a test wrote has to outlive the server's death, and not the machine's.
        connection.execute("alter system set fsync = off")
        connection.execute("select pg_reload_conf()")
    make_databases(server)
    yield server
    server.remove()


@pytest.fixture
def trial_of(
    postgres: LocalPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Pipeline, Sample], Trial]]:
    """Puts a pipeline on trial: databases and a folder of its own, with a sample in them (docs/testing.md)."""
    with ExitStack() as trials:

        def trial_of(pipeline: Pipeline, sample: Sample) -> Trial:
            trial = Trial(pipeline, postgres, tmp_path_factory.mktemp("trial"))
            trials.callback(trial.close)
            trial.deliver(sample)
            return trial

        yield trial_of


@pytest.fixture(scope="session")
def ftp_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalFtp]:
    """A running FTP server (`.host`, `.port`, `.user`, `.password`); what lies in `.root` is what it shows."""
    home = Home(tmp_path_factory.mktemp("ftp"))
    home.make()
    server = LocalFtp.of(home)
    process = subprocess.Popen(server.command, env=server.environment)
    until = time.monotonic() + FTP_SECONDS
    while not server.answers():
        assert time.monotonic() < until, "the FTP server does not answer"
        time.sleep(0.05)
    yield server
    process.terminate()
    process.wait()


@pytest.fixture(scope="session")
def source(postgres: LocalPostgres, ftp_server: LocalFtp, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The year of flights on both servers."""
    fill_tables(postgres.dsn("source", "source_owner"))
    write_days(ftp_server.root / "flights", tmp_path_factory.mktemp("mark") / "flights.complete")


@pytest.fixture
def servers(source: None, postgres: LocalPostgres, ftp_server: LocalFtp, tmp_path: Path) -> Servers:
    """Both servers filled, and a data folder of the test's own."""
    return Servers(postgres, ftp_server, tmp_path / "data")


@pytest.fixture(scope="session", autouse=True)
def _no_folder_of_root_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Remove what PostgreSQL, started by root, keeps outside the tests' folders for homes inside them."""
    yield
    if is_root():
        tests = tmp_path_factory.getbasetemp()
        for note in FOLDERS_OF_ROOT.glob("daybook-*/home"):
            if Path(note.read_text()).is_relative_to(tests):
                shutil.rmtree(note.parent)
