"""The deployment's database roles: each tries what is another's, and PostgreSQL refuses it (42501)."""

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from .bench import Bench
from .conftest import DAY

ROLES = ("airflow", "source_owner", "source_reader", "warehouse_owner", "analyst")


@pytest.fixture
def published(bench: Bench) -> Bench:
    """A bench with a day published, so that there are tables to reach for."""
    bench.publish(DAY, "run", 40)
    return bench


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        ("analyst", "select * from {}_store.by_day"),
        ("analyst", "select * from daybook.published"),
        ("analyst", "select * from daybook.ledger"),
        ("analyst", "update {}_store.by_day set flights = 0"),
        ("analyst", "delete from {}_store.by_day"),
        ("analyst", "insert into daybook.published values ('p', now(), 1)"),
        ("analyst", "create table {}.mine (a int)"),
        ("analyst", "create table public.mine (a int)"),
        ("analyst", "create schema mine"),
        ("analyst", "create temporary table mine (a int)"),
        ("analyst", "set role warehouse_owner"),
        ("warehouse_owner", "copy {}.by_day to program 'true'"),
        ("warehouse_owner", "select pg_read_file('/etc/passwd')"),
        ("warehouse_owner", "create role mine"),
        ("warehouse_owner", "set role airflow"),
    ],
)
def test_in_the_warehouse_a_role_may_do_no_more_than_its_own(published: Bench, role: str, statement: str) -> None:
    connection = psycopg.connect(published.servers.postgres.dsn("warehouse", role))
    with connection, pytest.raises(InsufficientPrivilege):
        connection.execute(statement.replace("{}", published.pipeline.name).encode())


@pytest.mark.parametrize(
    "statement",
    [
        "insert into public.airlines values ('ZZ', 'x')",
        "update public.planes set seats = 0",
        "truncate public.planes",
        "drop table public.planes",
        "create table public.mine (a int)",
        "copy (select 1) to program 'true'",
        "set role source_owner",
    ],
)
def test_in_the_source_the_reader_may_only_read(published: Bench, statement: str) -> None:
    with psycopg.connect(published.servers.postgres.dsn("source", "source_reader")) as connection:
        # It takes off the safety catch first, as an attacker would.
        connection.execute("set default_transaction_read_only = off")
        connection.commit()
        with pytest.raises(InsufficientPrivilege):
            connection.execute(statement.encode())


@pytest.mark.parametrize("role", ROLES)
def test_a_role_reaches_only_its_databases(published: Bench, role: str) -> None:
    allowed = {
        "airflow": {"airflow"},
        "source_owner": {"source"},
        "source_reader": {"source"},
        "warehouse_owner": {"warehouse"},
        "analyst": {"warehouse"},
    }
    reached = set()
    for database in ("airflow", "source", "warehouse", "postgres", "template1"):
        try:
            with psycopg.connect(published.servers.postgres.dsn(database, role)):
                reached.add(database)
        except psycopg.OperationalError as error:
            assert "permission denied for database" in str(error)  # noqa: PT017 - the roles' own databases do not raise
    assert reached == allowed[role]


def test_no_role_is_a_superuser_or_can_do_more_than_log_in(published: Bench) -> None:
    rows = published.superuser(
        "select rolname, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls from pg_roles "
        "where rolname in ('airflow', 'source_owner', 'source_reader', 'warehouse_owner', 'analyst', 'daybook_reader')"
    )
    assert len(rows) == 6
    assert [row for row in rows if any(row[1:])] == []


def test_passwords_are_kept_as_scram(published: Bench) -> None:
    rows = published.superuser("select rolpassword from pg_authid where rolpassword is not null")
    assert rows
    assert all(password.startswith("SCRAM-SHA-256$") for (password,) in rows)
