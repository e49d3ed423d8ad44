"""All that Daybook has in a warehouse, copied to another PostgreSQL server: ledger, rows and views, in one transaction.

By PostgreSQL's own pg_dump and pg_restore, so that nothing of it is ours to read or to write.
"""

import subprocess
from collections.abc import Collection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import psycopg
from psycopg import sql

from deployment.errors import DeploymentError
from deployment.running import libpq_variables
from deployment.servers.programs import client


class Moved(NamedTuple):
    """What was copied: rows by table. missing_roles: readers that the new server does not know, so that they got no
    right."""

    rows: dict[str, int]
    missing_roles: list[str]


def move_warehouse(source: str, target: str, schemas: Collection[str]) -> Moved:
    """Copy some schemas from one database to another, whole or not at all. The source stays as it is.

    source, target: libpq's connection strings. Raises DeploymentError if the target has one of the schemas, a program
    of PostgreSQL fails, or the two do not hold the same afterwards, as when a day was published meanwhile.
    """
    _check_is_free(target, schemas)
    missing = sorted(_readers(source, schemas) - _roles(target))
    with TemporaryDirectory(prefix="daybook-") as folder:
        file = Path(folder) / "warehouse.dump"
        # Row security would leave rows out without a word.
        dump = ["--format=custom", f"--file={file}", *(f"--schema={_pattern(name)}" for name in sorted(schemas))]
        _run(source, "pg_dump", *dump)
        rights = ["--no-privileges"] if missing else []
        _run(target, "pg_restore", "--exit-on-error", "--single-transaction", "--no-owner", *rights, str(file), to=True)
    rows = _rows(target, schemas)
    if rows != _rows(source, schemas):
        raise DeploymentError(
            "The two warehouses differ: something was published while it was copied; the old one counts, and nothing "
            f"else was changed. Pause the pipelines, drop the schemas {', '.join(sorted(schemas))} in the new one, and "
            "give the command again."
        )
    return Moved(rows, missing)


def _check_is_free(target: str, schemas: Collection[str]) -> None:
    with psycopg.connect(target) as connection:
        query = "select nspname from pg_namespace where nspname = any(%s) order by 1"
        taken = [name for (name,) in connection.execute(query, [list(schemas)])]
    if taken:
        raise DeploymentError(
            f"The new warehouse has the schema {', '.join(taken)} already; nothing was copied. Drop it, or name another"
            " database."
        )


def _readers(dsn: str, schemas: Collection[str]) -> set[str]:
    query = """
        select rolname from pg_class join pg_namespace on pg_namespace.oid = relnamespace, aclexplode(relacl)
            join pg_roles on pg_roles.oid = grantee where nspname = any(%s) and grantee <> relowner
        union select rolname from pg_namespace, aclexplode(nspacl)
            join pg_roles on pg_roles.oid = grantee where nspname = any(%s) and grantee <> nspowner
    """
    with psycopg.connect(dsn) as connection:
        return {name for (name,) in connection.execute(query, [list(schemas)] * 2)}


def _roles(dsn: str) -> set[str]:
    with psycopg.connect(dsn) as connection:
        return {name for (name,) in connection.execute("select rolname from pg_roles")}


def _rows(dsn: str, schemas: Collection[str]) -> dict[str, int]:
    query = """
        select nspname, relname from pg_class join pg_namespace on pg_namespace.oid = relnamespace
        where nspname = any(%s) and relkind in ('r', 'p') order by 1, 2
    """
    count = sql.SQL("select count(*) from {}")
    with psycopg.connect(dsn) as connection:
        tables = connection.execute(query, [list(schemas)]).fetchall()
        found = {}
        for schema, name in tables:
            row = connection.execute(count.format(sql.Identifier(schema, name))).fetchone()
            found[f"{schema}.{name}"] = int(row[0]) if row else 0
        return found


def _pattern(name: str) -> str:
    # Quoted, a name stands for itself alone (pg_dump's manual, --schema).
    return f'"{name}"'


def _run(dsn: str, program: str, *arguments: str, to: bool = False) -> None:
    variables = libpq_variables(dsn)
    command = [str(client(program)), *arguments]
    if to:
        command.insert(1, f"--dbname={variables['PGDATABASE']}")
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        raise DeploymentError(f"PostgreSQL's {program} failed: {done.stderr.strip()}; nothing was copied.")
