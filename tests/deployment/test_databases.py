"""Who may do what in which database."""

import contextlib

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction

from deployment.servers.databases import CONNECTIONS, TIMES, make_databases
from deployment.servers.postgres import LocalPostgres

WAREHOUSE_OWNER = ("warehouse", "warehouse_owner")
ANALYST = ("warehouse", "analyst")
SOURCE_READER = ("source", "source_reader")


def run(postgres: LocalPostgres, who: tuple[str, str], statement: str) -> str | None:
    with psycopg.connect(postgres.dsn(*who), autocommit=True) as connection:
        return connection.execute(statement.encode()).statusmessage


@pytest.fixture(scope="module")
def stocked(postgres: LocalPostgres) -> LocalPostgres:
    """A source with a table, and a warehouse with a table behind a published view, and with somebody else's table."""
    for statement in ("CREATE SCHEMA rights_elsewhere", "CREATE TABLE rights_elsewhere.probe AS SELECT 1 AS seen"):
        run(postgres, ("warehouse", "postgres"), statement)
    run(postgres, ("source", "source_owner"), "CREATE TABLE rights_probe AS SELECT 1 AS seen")
    for statement in (
        "CREATE SCHEMA rights_store",
        "CREATE TABLE rights_store.probe AS SELECT 1 AS seen",
        "CREATE SCHEMA rights",
        "CREATE VIEW rights.probe AS SELECT * FROM rights_store.probe",
        "GRANT USAGE ON SCHEMA rights TO daybook_reader",
        "GRANT SELECT ON rights.probe TO daybook_reader",
    ):
        run(postgres, WAREHOUSE_OWNER, statement)
    return postgres


@pytest.mark.parametrize(
    ("who", "statement"),
    [
        (SOURCE_READER, "SELECT * FROM rights_probe"),
        (ANALYST, "SELECT * FROM rights.probe"),
        (WAREHOUSE_OWNER, "SELECT * FROM rights_store.probe"),
        (("airflow", "airflow"), "CREATE TABLE rights_probe (); DROP TABLE rights_probe"),
    ],
)
def test_a_role_may(stocked: LocalPostgres, who: tuple[str, str], statement: str) -> None:
    run(stocked, who, statement)


@pytest.mark.parametrize(
    ("who", "statement"),
    [
        (SOURCE_READER, "DELETE FROM rights_probe"),
        (SOURCE_READER, "SET default_transaction_read_only = off; DELETE FROM rights_probe"),
        (SOURCE_READER, "CREATE TABLE mine ()"),
        (SOURCE_READER, "CREATE TEMP TABLE mine ()"),
        (ANALYST, "SELECT * FROM rights_store.probe"),
        (ANALYST, "DELETE FROM rights.probe"),
        (ANALYST, "CREATE SCHEMA mine"),
        (ANALYST, "CREATE TABLE public.mine ()"),
        (WAREHOUSE_OWNER, "DROP DATABASE warehouse"),
        (WAREHOUSE_OWNER, "ALTER DATABASE warehouse SET statement_timeout = 0"),
        (WAREHOUSE_OWNER, "CREATE TABLE public.mine ()"),
        (WAREHOUSE_OWNER, "CREATE TEMP TABLE mine ()"),
        (WAREHOUSE_OWNER, "SELECT * FROM rights_elsewhere.probe"),
        (WAREHOUSE_OWNER, "ALTER TABLE rights_elsewhere.probe ADD mine int"),
        (WAREHOUSE_OWNER, "DROP SCHEMA rights_elsewhere CASCADE"),
        (WAREHOUSE_OWNER, "ALTER ROLE warehouse_owner CONNECTION LIMIT -1"),
        (WAREHOUSE_OWNER, "CREATE ROLE mine"),
        (WAREHOUSE_OWNER, "COPY rights_store.probe TO PROGRAM 'cat'"),
    ],
)
def test_G10_G13_a_role_may_not(stocked: LocalPostgres, who: tuple[str, str], statement: str) -> None:
    with pytest.raises((InsufficientPrivilege, ReadOnlySqlTransaction)):
        run(stocked, who, statement)


@pytest.mark.parametrize(
    ("database", "role"),
    [
        ("airflow", "warehouse_owner"),
        ("airflow", "analyst"),
        ("source", "analyst"),
        ("source", "warehouse_owner"),
        ("source", "airflow"),
        ("warehouse", "airflow"),
        ("warehouse", "source_reader"),
        ("postgres", "analyst"),
        ("template1", "analyst"),
    ],
)
def test_a_role_may_not_even_connect(postgres: LocalPostgres, database: str, role: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(postgres.dsn(database, role))


def test_making_them_again_changes_nothing(stocked: LocalPostgres) -> None:
    make_databases(stocked)
    assert run(stocked, ANALYST, "SELECT * FROM rights.probe") == "SELECT 1"


def test_G10_a_warehouse_that_belonged_to_the_tasks_goes_on_and_belongs_to_them_no_more(stocked: LocalPostgres) -> None:
    run(stocked, ("postgres", "postgres"), "ALTER DATABASE warehouse OWNER TO warehouse_owner")
    make_databases(stocked)
    with pytest.raises(InsufficientPrivilege):
        run(stocked, WAREHOUSE_OWNER, "ALTER DATABASE warehouse SET statement_timeout = 0")
    run(stocked, WAREHOUSE_OWNER, "INSERT INTO rights_store.probe VALUES (1)")
    run(stocked, WAREHOUSE_OWNER, "DELETE FROM rights_store.probe WHERE ctid <> '(0,1)'")
    run(stocked, WAREHOUSE_OWNER, "CREATE SCHEMA rights_new; DROP SCHEMA rights_new")
    assert run(stocked, ANALYST, "SELECT * FROM rights.probe") == "SELECT 1"


@pytest.mark.parametrize(("role", "most"), CONNECTIONS.items())
def test_G10_a_role_has_no_more_than_so_many_connections_and_ends_what_takes_too_long(
    postgres: LocalPostgres, role: str, most: int
) -> None:
    dsn = postgres.dsn("source" if role == "source_reader" else "warehouse", role)
    with contextlib.ExitStack() as opened:
        first = opened.enter_context(psycopg.connect(dsn))
        for _ in range(most - 1):
            opened.enter_context(psycopg.connect(dsn))
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            psycopg.connect(dsn)
        for setting, time in TIMES[role].items():
            assert first.execute("select current_setting(%s)", [setting]).fetchone() == (time,)
