"""What work takes, in counts that no other work on the machine changes: statements, rows read, calls for files."""

import io
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any

import psycopg

ASKED = re.compile(rb"\s*(select|with|update|delete)\b", re.IGNORECASE)
CALLS = {os.stat, os.lstat, os.open, os.scandir, os.listdir, os.readlink, io.open}


@dataclass
class Counts:
    """The statements sent, the rows that their plans read from tables and indexes, and the calls for files."""

    statements: int = 0
    rows: int = 0
    files: int = 0


class CountedConnection(psycopg.Connection[Any]):
    """A connection that notes each statement, and how many rows PostgreSQL reads for it.

    With indexes wherever one can serve: PostgreSQL reads a table of a few pages whole, however good its indexes are.
    """

    counts: Counts

    def execute(self, query: Any, params: Any = None, **words: Any) -> psycopg.Cursor[Any]:
        """Execute a statement, and count it."""
        text = query.as_bytes(self) if hasattr(query, "as_bytes") else query
        text = text.encode() if isinstance(text, str) else text
        self.counts.statements += 1
        if ASKED.match(text) and b";" not in text and self.info.transaction_status == 2:
            self.counts.rows += self._rows_read(text, params)
        return super().execute(query, params, **words)

    def _rows_read(self, text: bytes, params: Any) -> int:
        # In a part of the transaction that is taken back: it does what the statement is going to do.
        with self.transaction(force_rollback=True):
            super().execute("set local enable_seqscan = off")
            cursor = super().execute(b"explain (analyze, verbose, format json) " + text, params)
            (plan,) = cursor.fetchone() or ([],)
        return sum(_rows_of(node) for top in plan for node in _nodes(top["Plan"]))


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from _nodes(below)


def _rows_of(node: dict[str, Any]) -> int:
    if "Scan" not in node["Node Type"] or "Relation Name" not in node:
        return 0
    # What is looked up of tables and views grows with the tests that share the server, and with no day.
    if node["Schema"] == "pg_catalog":
        return 0
    removed = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    return int(node["Actual Loops"] * (node["Actual Rows"] + sum(node.get(word, 0) for word in removed)))


@contextmanager
def counted_files(counts: Counts) -> Iterator[None]:
    """Count the calls for files of this thread until the block ends."""

    def note(_: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and called in CALLS:
            counts.files += 1

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield
    finally:
        sys.setprofile(before)
