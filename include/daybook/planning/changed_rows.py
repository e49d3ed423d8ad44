"""The rows of a table that are not as they were in an old copy of it, without another copy of the table.

Both are asked for the hashes of their rows by bucket of keys; only the rows of buckets that differ are read.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import pyarrow as pa

from daybook.errors import BadData
from daybook.loader.load import load, schema
from daybook.postgres.copied_rows import copied_buckets, headers, take_buckets
from daybook.postgres.copy_tables import SNAPSHOT, check_columns
from daybook.postgres.session import Connection, OpenPostgres, at_once
from daybook.postgres.whole_rows import copy_buckets, whole_buckets
from daybook.spec import Limits, Table

NONE = Limits(refused_rows=2**62, at_least=2**62)


class Change(NamedTuple):
    """Rows of a table then and now, with all that differ among them: `line` and the columns of the spec."""

    was: pa.Table
    now: pa.Table


def changed_rows(
    connect: OpenPostgres, table: Table, key: Sequence[str], open_copy: Callable[[], BinaryIO]
) -> Change | None:
    """Return the rows of all keys that differ; None if the copy has other columns, or the rows cannot be read.

    key: columns of the table, by their names in the spec. open_copy: opens the copy. Raises SourceUnavailable or
    BadSpec if the database cannot be asked.
    """
    named = [column.header for column in table.columns if column.name in key]
    with open_copy() as file:
        if headers(file) != [column.header for column in table.columns]:
            return None
    with open_copy() as file:
        was = copied_buckets(file, named)
    with tempfile.TemporaryDirectory() as scratch:
        then, now = Path(scratch) / "then.csv", Path(scratch) / "now.csv"

        def fetch(connection: Connection) -> set[int]:
            check_columns(connection, (table,))
            found = whole_buckets(connection, table, named)
            differ = {number for number in was.keys() | found.keys() if was.get(number) != found.get(number)}
            with now.open("wb") as file:
                copy_buckets(connection, table, named, differ, file)
            return differ

        differ = at_once(connect, fetch, settings=SNAPSHOT, where="the source database")
        with open_copy() as file, then.open("wb") as out:
            take_buckets(file, named, differ, out)
        try:
            return Change(_rows(then, table), _rows(now, table))
        except BadData:
            return None


def _rows(path: Path, table: Table) -> pa.Table:
    # These few rows cannot tell whether too many of the table are refused.
    some = table.model_copy(update={"limits": NONE})
    with path.open("rb") as file:
        rows = pa.concat_tables([schema(table).empty_table(), *(batch.kept for batch in load(file, some))])
    return rows.rename_columns(["line", *(column.name for column in table.columns)])
