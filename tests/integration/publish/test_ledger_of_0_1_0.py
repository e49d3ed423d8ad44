"""The ledger of 0.1.0 becomes today's: nothing published or decided is lost, and its guards are those of now."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from daybook.ledger import runs
from daybook.postgres.session import Connection, at_once
from deployment.servers.postgres import LocalPostgres

FORMER = Path(__file__).with_name("ledger_0_1_0.sql")
DATABASE = "upgraded"
KEPT = ("run", "published", "ledger", "decision", "step")
ROWS = """
    insert into daybook.run (pipeline, day, started_by, read_at) select 'flights', '2013-01-01', 'run_' || n, now()
        from generate_series(1, 3) n;
    insert into daybook.ledger (run_id, pipeline, day, content_sha256, facts_sha256, rows_read, rows_refused, totals,
        changes, receipts)
        select n, 'flights', '2013-01-01', 'c', 'f', 5, 1, '{}', '{}', '[]' from generate_series(1, 2) n;
    insert into daybook.published values ('flights', '2013-01-01', 2, 2);
    insert into daybook.decision (pipeline, day, run_id, what, who, why, found)
        values ('flights', '2013-01-01', 2, 'release', 'ann', 'a holiday', '');
    insert into daybook.step (pipeline, day, run, step, state, started_by, started_at)
        values ('flights', '2013-01-01', 'run_2', 'load', 'done', 'ann', now())
"""


@pytest.fixture
def former(postgres: LocalPostgres) -> Iterator[partial[Any]]:
    """A warehouse that 0.1.0 has published into; yields what opens a connection to it."""
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute(f"create database {DATABASE} owner warehouse_owner")
    connect = partial(psycopg.connect, postgres.dsn(DATABASE, "warehouse_owner"))
    with connect() as connection:
        connection.execute(FORMER.read_bytes())
        connection.execute(ROWS.encode())
    yield connect
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute(f"drop database {DATABASE} with (force)")


def rows(connection: Connection, columns: dict[str, list[str]]) -> dict[str, Any]:
    """Return the rows of the tables of 0.1.0, in the columns that it had."""
    ask = "select {} from daybook.{} order by 1, 2, 3"
    return {
        name: connection.execute(ask.format(", ".join(of), name).encode()).fetchall() for name, of in columns.items()
    }


def columns(connection: Connection) -> dict[str, list[str]]:
    """Return the columns of the tables as they are now."""
    query = "select attname from pg_attribute where attrelid = %s::regclass and attnum > 0 order by attnum"
    return {name: [one for (one,) in connection.execute(query, [f"daybook.{name}"])] for name in KEPT}


def test_the_ledger_of_0_1_0_keeps_every_row_through_the_upgrade_and_a_second_one(former: partial[Any]) -> None:
    with former() as connection:
        had = columns(connection)
        before = rows(connection, had)
    for _ in range(2):
        at_once(former, runs.prepare)
    with former() as connection:
        assert rows(connection, had) == before
        published = connection.execute("select run_id, is_published from daybook.run order by 1").fetchall()
        assert published == [(1, True), (2, True), (3, False)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="rows are added and never changed"):
            connection.execute("update daybook.ledger set rows_read = 0")
    assert at_once(former, lambda session: runs.publication(session, "flights", before["published"][0][1])) == (2, "c")
