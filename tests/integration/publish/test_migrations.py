"""The ledger's tables by numbered migrations: what any release left becomes today's, once, whoever comes first."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from upath import UPath

from daybook.errors import BadSpec
from daybook.ledger import migrate, runs
from daybook.ledger.migrate import Kind, Migration, migrations
from daybook.ledger.step_rows import Trying
from daybook.ledger.turns import Turns
from daybook.pipelines import load_pipelines
from daybook.postgres.session import Connection, at_once
from daybook.publish import rollback, tidy
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from deployment.servers.postgres import LocalPostgres

FORMER = Path(__file__).with_name("former_ledgers")
DATABASE = "upgraded"
DAY = date(2013, 1, 1)
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
CATALOG = """
    with own as (select * from pg_class where relnamespace = 'daybook'::regnamespace)
    select own.relname, attnum::text, attname, format_type(atttypid, atttypmod), attnotnull, attidentity,
            pg_get_expr(adbin, adrelid)
        from own join pg_attribute on attrelid = own.oid left join pg_attrdef on (adrelid, adnum) = (attrelid, attnum)
        where relkind in ('r', 'v', 'S') and attnum > 0
    union all select relname, 'constraint', conname, pg_get_constraintdef(pg_constraint.oid), null, '', null
        from own join pg_constraint on conrelid = own.oid
    union all select relname, 'index', null, pg_get_indexdef(own.oid), null, '', null from own where relkind = 'i'
    union all select relname, 'view', null, pg_get_viewdef(own.oid), null, '', null from own where relkind = 'v'
    union all select relname, 'trigger', tgname, pg_get_triggerdef(pg_trigger.oid), null, '', null
        from own join pg_trigger on tgrelid = own.oid where not tgisinternal
    union all select proname, 'function', null, pg_get_functiondef(oid), null, '', null
        from pg_proc where pronamespace = 'daybook'::regnamespace
    union all select nspname, 'schema', null, obj_description(oid, 'pg_namespace'), null, '', null
        from pg_namespace where nspname = 'daybook'
    order by 1, 2, 3, 4
"""


@pytest.fixture(scope="module")
def database(postgres: LocalPostgres) -> Iterator[partial[Any]]:
    """A database of its own; yields what opens a connection to it."""
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute(f"create database {DATABASE} owner warehouse_owner")
    yield partial(psycopg.connect, postgres.dsn(DATABASE, "warehouse_owner"))
    with psycopg.connect(postgres.dsn(), autocommit=True) as connection:
        connection.execute(f"drop database {DATABASE} with (force)")


@pytest.fixture
def connect(database: partial[Any]) -> partial[Any]:
    """Opens a connection to a warehouse without a ledger."""
    with database() as connection:
        connection.execute("drop schema if exists daybook cascade")
    return database


def left_by(former: str, connect: partial[Any]) -> None:
    """Let a former release have made its tables."""
    with connect() as connection:
        connection.execute((FORMER / f"{former}.sql").read_bytes())


def ledger_of(kind: Kind) -> Callable[[Connection], None]:
    return lambda connection: migrate.migrate(connection, kind, "daybook")


def catalog(connect: partial[Any]) -> list[tuple[Any, ...]]:
    """Return all that the schema consists of: columns, types, defaults, constraints, indexes, views, triggers."""
    with connect() as connection:
        return [tuple(row) for row in connection.execute(CATALOG.encode())]


def applied(connect: partial[Any]) -> list[int]:
    with connect() as connection:
        return [number for (number,) in connection.execute("select number from daybook.migration order by number")]


@pytest.mark.parametrize(
    ("kind", "former"),
    [("ledger", "0_1_0"), ("ledger", "before_numbers"), ("further", "further_before_numbers")],
)
def test_what_a_former_release_left_becomes_what_is_made_from_nothing(
    connect: partial[Any], kind: Kind, former: str
) -> None:
    at_once(connect, ledger_of(kind))
    from_nothing = catalog(connect)
    with connect() as connection:
        connection.execute("drop schema daybook cascade")
    left_by(former, connect)
    assert catalog(connect) != from_nothing
    at_once(connect, ledger_of(kind))
    assert catalog(connect) == from_nothing
    assert applied(connect) == [migration.number for migration in migrations(kind)]
    assert {row[1] for row in from_nothing} >= {"1", "constraint", "index", "schema"}


def test_a_former_release_that_comes_again_finds_the_tables_of_the_first_migration_as_it_needs_them(
    connect: partial[Any],
) -> None:
    at_once(connect, ledger_of("ledger"))
    before = catalog(connect)
    with connect() as connection:
        # What the last release without numbers does: its tables, and a hash of them as the comment.
        connection.execute(migrations("ledger")[0].statements.replace("{ledger}", '"daybook"').encode())
        connection.execute("comment on schema daybook is 'its hash'")
    at_once(connect, ledger_of("ledger"))
    assert [row for row in catalog(connect) if row[1] != "schema"] == [row for row in before if row[1] != "schema"]
    assert applied(connect) == [1]


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


def test_the_ledger_of_0_1_0_keeps_every_row_through_the_upgrade_and_a_second_one(connect: partial[Any]) -> None:
    left_by("0_1_0", connect)
    with connect() as connection:
        connection.execute(ROWS.encode())
        had = columns(connection)
        before = rows(connection, had)
    for _ in range(2):
        at_once(connect, runs.prepare)
    with connect() as connection:
        assert rows(connection, had) == before
        published = connection.execute("select run_id, is_published from daybook.run order by 1").fetchall()
        assert published == [(1, True), (2, True), (3, False)]
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="rows are added and never changed"):
            connection.execute("update daybook.ledger set rows_read = 0")
    assert at_once(connect, lambda session: runs.publication(session, "flights", before["published"][0][1])) == (2, "c")


@pytest.mark.parametrize("is_first_done", [True, False])
def test_of_two_that_come_at_once_one_applies_the_migrations(connect: partial[Any], is_first_done: bool) -> None:
    left_by("0_1_0", connect)
    with connect() as first, ThreadPoolExecutor(1) as threads:
        runs.prepare(first)
        second = threads.submit(at_once, connect, runs.prepare)
        waiting = "select exists (select from pg_locks where locktype = 'advisory' and not granted)"
        while first.execute(waiting).fetchone() != (True,):
            assert not second.done()
        if is_first_done:
            first.commit()
        else:
            first.rollback()
        second.result()
    assert applied(connect) == [1]


def later(*statements: str) -> Callable[[Kind], tuple[Migration, ...]]:
    """Return the migrations of a later release, which has some more."""
    more = [Migration(number, f"{number:04}_later.sql", text) for number, text in enumerate(statements, 2)]
    released = migrations("ledger")
    return lambda kind: (*released, *more)


def test_what_a_later_release_adds_is_applied_once_and_whole(
    connect: partial[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    at_once(connect, runs.prepare)
    before = catalog(connect)
    add, fill = "alter table {ledger}.run add column note text", "update {ledger}.run set note = 'none'"
    with monkeypatch.context() as as_later:
        as_later.setattr(migrate, "migrations", later(add, "select 1 / 0"))
        with pytest.raises(psycopg.errors.DivisionByZero), connect() as connection:
            runs.prepare(connection)
        assert (catalog(connect), applied(connect)) == (before, [1])
        as_later.setattr(migrate, "migrations", later(add, fill))
        for _ in range(2):
            at_once(connect, runs.prepare)
    assert applied(connect) == [1, 2, 3]


def a_step(connect: partial[Any], pipeline: Pipeline, data: DataFolder) -> None:
    with Turns(connect).of(Trying(pipeline.name, DAY, "a run", "load", "ann", datetime.now(UTC))):
        raise AssertionError("the step has begun")


def a_rollback(connect: partial[Any], pipeline: Pipeline, data: DataFolder) -> None:
    at_once(connect, lambda session: rollback.rollback(session, pipeline, DAY, data, "ann", "why", 1))


def keeping_house(connect: partial[Any], pipeline: Pipeline, data: DataFolder) -> None:
    tidy.untidy(connect, data, pipeline)


@pytest.mark.parametrize("work", [a_step, a_rollback, keeping_house])
def test_the_ledger_of_a_newer_daybook_is_refused_and_nothing_is_written(
    connect: partial[Any], tmp_path: Path, work: Callable[[partial[Any], Pipeline, DataFolder], None]
) -> None:
    at_once(connect, runs.prepare)
    with connect() as connection:
        connection.execute(ROWS.encode())
        connection.execute("insert into daybook.migration values (2, '0002_by_place.sql')")
    before = catalog(connect)
    with pytest.raises(BadSpec) as refused:
        work(connect, load_pipelines().good["flights"], DataFolder(UPath(tmp_path)))
    assert str(refused.value) == (
        "the ledger in the schema daybook: expected migration 1 at most, the newest of this Daybook; found "
        "0002_by_place.sql, of a newer one; nothing was written; run that Daybook again, or restore the backup from "
        "before its upgrade (docs/upgrading.md)"
    )
    assert (catalog(connect), applied(connect)) == (before, [1, 2])
    with connect() as connection:
        assert connection.execute("select count(*) from daybook.decision").fetchone() == (1,)
