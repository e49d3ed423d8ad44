"""Who may do what in which database."""

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, ReadOnlySqlTransaction

from deployment.databases import make_databases
from deployment.postgres_server import LocalPostgres

WAREHOUSE_OWNER = ("warehouse", "warehouse_owner")
ANALYST = ("warehouse", "analyst")
SOURCE_READER = ("source", "source_reader")


def run(postgres: LocalPostgres, who: tuple[str, str], statement: str) -> str | None:
    with psycopg.connect(postgres.dsn(*who), autocommit=True) as connection:
        return connection.execute(statement.encode()).statusmessage


@pytest.fixture(scope="module")
def stocked(postgres: LocalPostgres) -> LocalPostgres:
    """A source with a table, and a warehouse with a table behind a published view."""
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
        (WAREHOUSE_OWNER, "CREATE ROLE mine"),
        (WAREHOUSE_OWNER, "COPY rights_store.probe TO PROGRAM 'cat'"),
    ],
)
def test_a_role_may_not(stocked: LocalPostgres, who: tuple[str, str], statement: str) -> None:
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
