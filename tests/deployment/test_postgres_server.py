"""PostgreSQL is made, started and stopped, and comes back with its data after whatever happened to it."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from deployment.home import HOST, Home
from deployment.secret_values import FILE
from deployment.servers.databases import make_databases
from deployment.servers.postgres import LocalPostgres


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LocalPostgres]:
    server = LocalPostgres(Home(tmp_path / "home"))
    server.start()
    yield server
    server.remove()


def a_stop_and_start(server: LocalPostgres) -> None:
    server.stop()
    assert not server.is_running()


def a_second_start(server: LocalPostgres) -> None:
    assert server.is_running()


def a_crash_of_all_its_processes(server: LocalPostgres) -> None:
    pid = int((server.data / "postmaster.pid").read_text().split()[0])
    os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 10
    while server.is_running() and time.monotonic() < until:
        time.sleep(0.01)


def a_crash_after_which_another_process_has_its_number(server: LocalPostgres) -> None:
    a_crash_of_all_its_processes(server)
    file = server.data / "postmaster.pid"
    _, *rest = file.read_text().splitlines()
    file.write_text("\n".join([str(os.getpid()), *rest]))


@pytest.mark.parametrize(
    "after",
    [
        a_stop_and_start,
        a_second_start,
        a_crash_of_all_its_processes,
        a_crash_after_which_another_process_has_its_number,
    ],
)
def test_what_was_committed_is_there_after(server: LocalPostgres, after: Callable[[LocalPostgres], None]) -> None:
    with psycopg.connect(server.dsn()) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    after(server)
    server.start()
    with psycopg.connect(server.dsn()) as connection:
        assert connection.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_the_port_stays_the_same_between_starts(server: LocalPostgres) -> None:
    before = server.port
    server.stop()
    server.start()
    assert server.port == before


def test_another_port_is_taken_where_its_own_is_taken(server: LocalPostgres) -> None:
    server.stop()
    with socket.socket() as other:
        other.bind((HOST, server.port))
        other.listen()
        taken = server.port
        server.start()
    assert server.port != taken
    assert psycopg.connect(server.dsn()).closed is False


def test_G11_it_listens_on_loopback_only_and_trusts_nobody(server: LocalPostgres) -> None:
    with psycopg.connect(server.dsn()) as connection:
        settings: dict[str, str] = dict(connection.execute("SELECT name, setting FROM pg_settings").fetchall())
        methods = {row[0] for row in connection.execute("SELECT auth_method FROM pg_hba_file_rules")}
    assert (settings["listen_addresses"], settings["unix_socket_directories"]) == ("127.0.0.1", "")
    assert (settings["fsync"], settings["server_encoding"]) == ("on", "UTF8")
    assert methods == {"scram-sha-256"}
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.dsn(), password="guessed")


def test_data_whose_passwords_are_lost_are_set_aside_not_removed(server: LocalPostgres) -> None:
    server.stop()
    (server.home.path / FILE).unlink()
    again = LocalPostgres(server.home)
    again.start()
    make_databases(again)
    assert psycopg.connect(again.dsn("warehouse", "analyst")).closed is False
    assert len(list(server.folder.glob("data-set-aside-*"))) == 1
