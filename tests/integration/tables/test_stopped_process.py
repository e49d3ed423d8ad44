"""A single process of PostgreSQL that is stopped (SIGSTOP): the server answers others, its own limits stand still."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

import psycopg
import pytest

from daybook.errors import SourceUnavailable
from daybook.ledger import turns
from daybook.ledger.step_rows import Trying
from daybook.postgres import session
from daybook.postgres.copy_tables import copy_tables
from daybook.postgres.session import Connection, at_once
from daybook.storage.folder import Folder
from tests.support.orders import Shop

from .test_table_limits import slow_view


class Stopped:
    """Stops processes of the server, and lets them go on at the end."""

    def __init__(self, shop: Shop) -> None:
        self._shop, self.pids = shop, list[int]()

    def connect(self) -> Connection:
        """Open a connection to the warehouse."""
        return psycopg.connect(self._shop.postgres.dsn("warehouse", "warehouse_owner"))

    def stop(self, pid: int) -> None:
        """Stop a process."""
        self.pids.append(pid)
        os.kill(pid, signal.SIGSTOP)

    def stop_copy(self) -> None:
        """Stop the process that copies the view, as soon as there is one."""
        query = "select pid from pg_stat_activity where query like 'copy (%slow_orders%' and state = 'active'"
        with psycopg.connect(self._shop.postgres.dsn(), autocommit=True) as other:
            while not (found := other.execute(query).fetchall()):
                time.sleep(0.05)
        self.stop(found[0][0])

    def go_on(self) -> None:
        """Let all go on."""
        for pid in self.pids:
            os.kill(pid, signal.SIGCONT)


@pytest.fixture
def stopped(shop: Shop) -> Iterator[Stopped]:
    """Processes that the test stops."""
    stopped = Stopped(shop)
    yield stopped
    stopped.go_on()


def stop_own(stopped: Stopped, connection: Connection) -> None:
    """Stop the process of a connection, and then ask it something."""
    stopped.stop(connection.info.backend_pid)
    connection.execute("select 1")


def test_a_stopped_process_is_cut_and_another_one_does_the_work(stopped: Stopped) -> None:
    def do(connection: Connection) -> str:
        if not stopped.pids:
            stop_own(stopped, connection)
        return "done"

    assert at_once(stopped.connect, do, limit_s=1) == "done"
    assert len(stopped.pids) == 1


def test_if_each_process_is_stopped_the_task_ends_with_an_error_that_is_tried_again(stopped: Stopped) -> None:
    with pytest.raises(SourceUnavailable, match="not done after 1 s, and cut: the server's process is stopped or hang"):
        at_once(stopped.connect, lambda connection: stop_own(stopped, connection), limit_s=1)
    assert len(stopped.pids) == session.TRIES


def test_a_copy_whose_process_is_stopped_ends_once_its_query_is_older_than_any(
    shop: Shop, stopped: Stopped, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(session, "LONGEST_QUERY", "2s")
    table = slow_view(shop, 1.5)
    stopping = threading.Thread(target=stopped.stop_copy)
    stopping.start()
    with pytest.raises(SourceUnavailable, match="no data for 1 s, and its query is not at work"):
        copy_tables(shop.reader, (table,), Folder(tmp_path), silence_s=1)
    stopping.join()


def test_the_days_lock_is_let_go_if_its_process_is_stopped(stopped: Stopped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "limited", partial(session.limited, limit_s=1))
    trying = Trying("stopped", date(2013, 1, 5), "run_1", "load", "nobody", datetime.now(UTC))
    with turns.Turns(stopped.connect).of(trying) as lock:
        stopped.stop(lock.info.backend_pid)
    assert lock.closed
