"""A small table of orders in the source database, as its owner changes it and as the tasks copy it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from upath import UPath

from daybook.errors import DaybookError
from daybook.loader.load import load
from daybook.postgres.copy_tables import copy_tables
from daybook.spec import Table, decimal, integer, text, timestamp
from daybook.storage.folder import Folder
from deployment.servers.postgres import LocalPostgres

ORDERS = Table(
    name="orders",
    connection="source_db",
    relation="public.fault_orders",
    columns=(integer("id"), decimal("amount", digits=12, scale=2), timestamp("at"), text("note")),
    key=("id",),
)
TEXT_COLUMNS = "id integer, amount numeric(12,2), at timestamp, note text"


class Shop:
    """A table of orders in the source database, and a folder to copy it to."""

    def __init__(self, postgres: LocalPostgres, folder: Path) -> None:
        self.postgres, self.folder = postgres, Folder(UPath(folder.as_uri()))
        self.path = folder / "orders.csv"

    def owner(self, **words: Any) -> psycopg.Connection[Any]:
        """Connect as the one who may change the table."""
        return psycopg.connect(self.postgres.dsn("source", "source_owner"), **words)

    def reader(self) -> psycopg.Connection[Any]:
        """Connect as the tasks do."""
        return psycopg.connect(self.postgres.dsn("source", "source_reader"))

    def run(self, *statements: str) -> None:
        """Do statements as the owner."""
        with self.owner() as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def copy(self, table: Table = ORDERS, connect: Callable[[], Any] | None = None, **words: Any) -> list[str]:
        """Copy the table as the step does; give its lines."""
        copy_tables(connect or self.reader, (table,), self.folder, **words)
        return self.path.read_text().splitlines()

    def loaded(self) -> tuple[list[dict[str, Any]], list[tuple[str | None, str]]]:
        """Load what was copied; give its kept rows, and column and reason of its refused ones."""
        with self.path.open("rb") as file:
            batches = list(load(file, ORDERS))
        kept = [row for batch in batches for row in batch.kept.to_pylist()]
        refused = [(row["column"], row["reason"]) for batch in batches for row in batch.refused.to_pylist()]
        return kept, refused


@contextmanager
def refused(kind: type[DaybookError], *words: str) -> Iterator[None]:
    """Expect an error of that kind which says these words, in one line, and no value of a row."""
    with pytest.raises(kind) as raised:
        yield
    message = str(raised.value)
    assert "\n" not in message
    assert all(word in message for word in words), message
    assert "canary" not in message
