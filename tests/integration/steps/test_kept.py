"""Connections kept for the days of a task: given out again while they are whole, and closed where a day went wrong."""

import psycopg
import pytest

from daybook.run.several_days import ConnectionPool, _is_idle
from tests.support.servers import Servers


def test_the_next_day_gets_the_same_session(servers: Servers) -> None:
    with ConnectionPool(servers.connect_postgres, _is_idle) as kept:
        with kept("warehouse") as first:
            pass
        with kept("warehouse") as second, kept("warehouse") as beside:
            assert second is first
            assert beside is not first
    assert first.closed
    assert beside.closed


def go_wrong(kept: ConnectionPool) -> None:
    """Take a lock of the session, as a step does, and fail."""
    with kept("warehouse") as session:
        session.execute("select pg_advisory_lock(1, 2)")
        session.commit()
        raise ValueError("bad")


def test_a_day_that_went_wrong_leaves_no_lock_while_the_task_goes_on(servers: Servers) -> None:
    dsn = servers.postgres.dsn("warehouse", "warehouse_owner")
    with ConnectionPool(servers.connect_postgres, _is_idle) as kept, psycopg.connect(dsn) as other:
        with pytest.raises(ValueError, match="bad"):
            go_wrong(kept)
        # The server lets go when it has seen the end of the line, which may take it a moment.
        other.execute("set lock_timeout = '5s'")
        other.execute("select pg_advisory_lock(1, 2)")
