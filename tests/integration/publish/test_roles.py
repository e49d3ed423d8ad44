"""The deployment's database roles: each tries what is another's, and PostgreSQL refuses it (42501)."""

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, ObjectNotInPrerequisiteState, WrongObjectType

from tests.support.bench import DAY, Bench

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
def test_G10_G13_in_the_warehouse_a_role_may_do_no_more_than_its_own(
    published: Bench, role: str, statement: str
) -> None:
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
def test_G10_G13_in_the_source_the_reader_may_only_read(published: Bench, statement: str) -> None:
    with psycopg.connect(published.servers.postgres.dsn("source", "source_reader")) as connection:
        # It takes off the safety catch first, as an attacker would.
        connection.execute("set default_transaction_read_only = off")
        connection.commit()
        with pytest.raises(InsufficientPrivilege):
            connection.execute(statement.encode())


# Every table that somebody owns, with its database and its owner; "{}" is the pipeline's schema.
TABLES = {
    "public.role_probe": ("airflow", "airflow"),
    "public.planes": ("source", "source_owner"),
    "{}_store.by_day": ("warehouse", "warehouse_owner"),
    "{}.by_day": ("warehouse", "warehouse_owner"),
    "daybook.run": ("warehouse", "warehouse_owner"),
    "daybook.published": ("warehouse", "warehouse_owner"),
    "daybook.ledger": ("warehouse", "warehouse_owner"),
    "daybook.decision": ("warehouse", "warehouse_owner"),
    "daybook.step": ("warehouse", "warehouse_owner"),
}
# Views, which join, cannot be written to by anybody: that is refused with another code.
WAYS = ("table {}", "delete from {}", "insert into {} default values", "truncate {}", "drop table {}", "drop view {}")
ALLOWED = {("source_reader", "public.planes"): {"table {}"}, ("analyst", "{}.by_day"): {"table {}"}}


@pytest.mark.parametrize("role", ROLES)
def test_G10_a_role_can_do_nothing_to_a_table_of_another(published: Bench, role: str) -> None:
    others = [table for table, (_, owner) in TABLES.items() if owner != role]
    done = {table: what_may_be_done(published, role, table) for table in others}
    assert done == {table: ALLOWED.get((role, table), set()) for table in others}


def what_may_be_done(published: Bench, role: str, table: str) -> set[str]:
    """Return the ways in which a role can reach a table, had it come past the door of the database."""
    name = table.replace("{}", published.pipeline.name)
    with psycopg.connect(published.servers.postgres.dsn(TABLES[table][0])) as connection:
        if TABLES[table][0] == "airflow":
            connection.execute("set role airflow")
            connection.execute(f"create table {name} (a int)".encode())
        connection.execute(f"set role {role}".encode())
        done = {way for way in WAYS if may(connection, way.replace("{}", name))}
        connection.rollback()
    return done


def may(connection: psycopg.Connection[tuple[object, ...]], statement: str) -> bool:
    """Return whether the role may do it; nothing of it stays."""
    connection.execute("savepoint before")
    try:
        connection.execute(statement.encode())
    except (InsufficientPrivilege, WrongObjectType, ObjectNotInPrerequisiteState):
        return False
    finally:
        connection.execute("rollback to before")
    return True


def test_G10_publications_and_decisions_are_never_changed_by_their_owner_either(published: Bench) -> None:
    with psycopg.connect(published.servers.postgres.dsn("warehouse", "warehouse_owner")) as connection:
        for table, column in (
            ("ledger", "day"),
            ("decision", "day"),
            ("pipeline_change", "who"),
            ("exported", "day"),
            ("ledger", "pipeline"),
        ):
            for change in (f"update daybook.{table} set {column} = '2013-01-01'", f"delete from daybook.{table}"):
                with pytest.raises(InsufficientPrivilege, match="rows are added and never changed"):
                    connection.execute(change.encode())
                connection.rollback()


@pytest.mark.parametrize("role", ROLES)
def test_G10_a_role_reaches_only_its_databases(published: Bench, role: str) -> None:
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


def test_G10_no_role_is_a_superuser_or_can_do_more_than_log_in(published: Bench) -> None:
    rows = published.superuser(
        "select rolname, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls from pg_roles "
        "where rolname in ('airflow', 'source_owner', 'source_reader', 'warehouse_owner', 'analyst', 'daybook_reader')"
    )
    assert len(rows) == 6
    assert [row for row in rows if any(row[1:])] == []


def test_G11_passwords_are_kept_as_scram(published: Bench) -> None:
    rows = published.superuser("select rolpassword from pg_authid where rolpassword is not null")
    assert rows
    assert all(password.startswith("SCRAM-SHA-256$") for (password,) in rows)
