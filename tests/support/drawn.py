"""Files drawn in the tests, and what the loader makes of them in a form that can be drawn too."""

import io
from collections import Counter
from textwrap import dedent
from typing import Any, NamedTuple

import pytest

from daybook.errors import BadData
from daybook.loader.load import load
from daybook.spec import File, Source, day_date, decimal, integer, text

# The columns of the thirty nasty files (evidence/reliability.md, 4.1).
SALES = File(
    name="sales",
    connection="ftp",
    path="sales_{day}.csv",
    columns=(
        integer("id"),
        text("code"),
        text("name"),
        decimal("amount", digits=12, scale=2),
        integer("qty"),
        day_date("day"),
        text("note"),
    ),
)
HEADER = "id,code,name,amount,qty,day,note"
# Small enough to be seen at a glance.
PEOPLE = File(name="people", connection="ftp", path="people.csv", columns=(integer("id"), text("name")))


class Loaded(NamedTuple):
    """What became of a file: rows kept as dicts, rows refused as (line, column, reason), empty lines, and lines that
    the form makes no rows."""

    kept: list[dict[str, Any]]
    refused: list[tuple[int, str | None, str]]
    blank: int
    raw: list[bytes]
    details: list[str]
    skipped: dict[str, int]

    def column(self, name: str) -> list[Any]:
        """Return the kept values of a column."""
        return [row[name] for row in self.kept]


def drawn(table: str) -> str:
    """Return a file as it is drawn in a test: without the indent, with a line end at the end."""
    return dedent(table).strip("\n") + "\n"


def loaded(file: str | bytes, source: Source = PEOPLE, **words: Any) -> Loaded:
    """Load a drawn file, or bytes as they are."""
    stream = io.BytesIO(file if isinstance(file, bytes) else drawn(file).encode())
    batches = list(load(stream, source, **words))
    refused = [row for batch in batches for row in batch.refused.to_pylist()]
    return Loaded(
        kept=[row for batch in batches for row in batch.kept.to_pylist()],
        refused=[(row["line"], row["column"], row["reason"]) for row in refused],
        blank=sum(batch.blank for batch in batches),
        raw=[row["raw"] for row in refused],
        details=[row["detail"] for row in refused],
        skipped=dict(sum((Counter(batch.skipped) for batch in batches), Counter[str]())),
    )


def refusal(file: str | bytes, source: Source = PEOPLE, **words: Any) -> str:
    """Load a file that is refused as a whole, and give the message."""
    with pytest.raises(BadData) as caught:
        loaded(file, source, **words)
    return str(caught.value)


def sales_lines(count: int = 40) -> list[str]:
    """Return the header and good rows of SALES; row n has id n, and stands on line n + 1."""
    rows = [f"{n},{n:05d},name{n},{n}.50,{n % 7},2026-01-{n % 28 + 1:02d},a note" for n in range(1, count + 1)]
    return [HEADER, *rows]


def sales(changes: dict[int, str] | None = None, count: int = 40, end: str = "\n") -> bytes:
    """Return a file of SALES in which the lines of these numbers (the header's is 1) are others."""
    lines = sales_lines(count)
    for number, line in (changes or {}).items():
        lines[number - 1] = line
    return "".join(line + end for line in lines).encode()


def with_columns(*columns: Any, **words: Any) -> File:
    """Return a file's contract with other columns."""
    return File(name="drawn", connection="ftp", path="drawn.csv", columns=columns, **words)
