"""A real pgbouncer in transaction mode between Daybook and PostgreSQL: all works, and nothing is left for the next."""

from contextlib import ExitStack, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import psycopg
import pytest

from daybook.ledger.step_rows import Trying
from daybook.ledger.turns import Turns
from daybook.postgres.session import at_once
from deployment.environment import connections
from deployment.servers.postgres import LocalPostgres
from tests.support import pgbouncer
from tests.support.pgbouncer import ROLES, Pooled

from .conftest import FIRST, Days

DAYS = ("2013-01-01", "2013-01-02", "2013-01-03")
LEFT = {
    "prepared statements": "select statement from pg_prepared_statements",
    "locks": "select classid, objid from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()",
    "cursors": "select name from pg_cursors where name <> ''",
    "channels": "select pg_listening_channels()",
    "tables": "select relname from pg_class where relpersistence = 't'",
}


@pytest.fixture
def behind(days: Days, pooled: Pooled, monkeypatch: pytest.MonkeyPatch) -> Days:
    """Days whose steps and commands reach PostgreSQL only through the pooler."""
    for variable, value in connections(pooled, days.servers.ftp).items():
        monkeypatch.setenv(variable, value)
    return replace(days, servers=replace(days.servers, postgres=pooled))


def settings(session: psycopg.Connection[Any]) -> dict[str, str]:
    """Return all settings of a session."""
    return dict(session.execute("select name, setting from pg_settings").fetchall())


def check_clean(pooled: Pooled, server: LocalPostgres) -> None:
    """Look into every session of each pool: all are as a client's own session at its start."""
    for role in ROLES:
        with ExitStack() as opened:
            new = settings(opened.enter_context(psycopg.connect(server.dsn(*role))))
            # Each is in a transaction, so no two have the same session of the server.
            sessions = [opened.enter_context(psycopg.connect(pooled.dsn(*role))) for _ in range(pgbouncer.SESSIONS)]
            for session in sessions:
                assert {name: value for name, value in settings(session).items() if value != new.get(name, value)} == {}
                for query in LEFT.values():
                    assert session.execute(query.encode()).fetchall() == []


def test_this_pooler_gives_a_setting_and_a_lock_of_a_session_to_its_next_client(
    pooled: Pooled, postgres: LocalPostgres
) -> None:
    with psycopg.connect(pooled.dsn(*ROLES[1]), autocommit=True) as careless:
        careless.execute("set search_path = pg_catalog")
    with pytest.raises(AssertionError, match="search_path"):
        check_clean(pooled, postgres)


def test_days_are_published_and_asked_about_behind_a_pooler_and_nothing_is_left_for_its_next_client(
    behind: Days, pooled: Pooled, postgres: LocalPostgres
) -> None:
    for day in (*DAYS, DAYS[0]):
        behind.run(day)
        check_clean(pooled, postgres)
    behind.run(DAYS[0], is_forced=True)
    status = behind.json("status")
    assert status["published"] == list(DAYS)
    assert behind.planned()[DAYS[0]].startswith("skip: ")
    assert behind.command("why", DAYS[0])[0] == 0
    assert behind.command("trace", DAYS[0], "by_airline", "flights", "carrier=AA")[0] == 0
    assert behind.command("rollback", DAYS[0], "--why", "to see it")[0] == 0
    check_clean(pooled, postgres)


def test_no_statement_stays_prepared_however_often_one_session_repeats_it(
    pooled: Pooled, postgres: LocalPostgres
) -> None:
    with psycopg.connect(pooled.dsn(*ROLES[1])) as session:
        for number in range(10):
            at_once(lambda: nullcontext(session), partial(_ask, number=number))
    check_clean(pooled, postgres)


def _ask(session: psycopg.Connection[Any], number: int) -> None:
    assert session.execute("select %s::int", [number]).fetchall() == [(number,)]


def test_one_writer_of_a_day_holds_its_lock_until_it_is_done_behind_a_pooler(behind: Days, pooled: Pooled) -> None:
    def connect() -> psycopg.Connection[Any]:
        return psycopg.connect(pooled.dsn(*ROLES[1]))

    def held() -> int:
        with connect() as other:
            return len(other.execute("select from pg_locks where locktype = 'advisory' and granted").fetchall())

    trying = Trying("pooled", FIRST, "run", "load", "a test", datetime.now(UTC))
    with Turns(connect).of(trying):
        assert held() == 1
        assert held() == 1
    assert held() == 0
