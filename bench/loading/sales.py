"""The file that the loaders read: a block of rows written again and again, with bad lines of nine kinds, or none.

The generator knows the truth: the bad lines, and the values of the good rows. Equal arguments give equal bytes.
"""

import sys
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import NamedTuple

from daybook.spec import File, day_date, decimal, integer, text

CONTRACT = File(
    name="sales",
    connection="ftp",
    path="sales.csv",
    columns=(
        integer("id"),
        text("code"),
        decimal("amount", digits=12, scale=2),
        integer("qty"),
        day_date("day"),
        text("name"),
        text("note"),
    ),
)
HEADER = b"id,code,amount,qty,day,name,note\n"
CLEAN_FILE, BAD_FILE = "clean.csv", "bad.csv"
BLOCK_ROWS, BAD_ROWS = 100_000, 100
SEED = 20130101
DAYS = [(date(2013, 1, 1) + timedelta(days=number)).isoformat() for number in range(365)]
# One name in a hundred is not ASCII, and one is in quotes.
NAMES = ["customer {}", "supplier of parts {}", "Müller & Söhne {}", '"Smith, Jones ""and"" Co {}"']
WEIGHTS = [69, 29, 1, 1]


class Row(NamedTuple):
    """A row as it is written."""

    id: str
    code: str
    amount: str
    qty: str
    day: str
    name: str
    note: str


class Block(NamedTuple):
    """A block of the file: its bytes, its good rows, and which of its lines are bad, counted from 0."""

    content: bytes
    good: list[Row]
    bad_lines: list[int]


def write(path: Path, gigabytes: float) -> None:
    """Write a file of about so many gigabytes (10^9 bytes), at least one block; BAD_FILE gets bad lines."""
    content = block(path.name == BAD_FILE).content
    with path.open("wb") as file:
        file.write(HEADER)
        for _ in range(max(1, round(gigabytes * 10**9 / len(content)))):
            file.write(content)


def block(has_bad: bool) -> Block:
    """Return the block that the file repeats."""
    random = Random(SEED)  # noqa: S311 - no secret, and the same each time
    rows = [_row(random, number) for number in range(BLOCK_ROWS)]
    bad_lines = sorted(random.sample(range(BLOCK_ROWS), BAD_ROWS)) if has_bad else []
    lines = [_bytes(row) for row in rows]
    for place, line in enumerate(bad_lines):
        lines[line] = BAD[place % len(BAD)](rows[line])
    bad = set(bad_lines)
    good = [row for line, row in enumerate(rows) if line not in bad]
    return Block(b"".join(line + b"\n" for line in lines), good, bad_lines)


def _row(random: Random, number: int) -> Row:
    (name,) = random.choices(NAMES, WEIGHTS)
    return Row(
        id=str(1_000_000 + number),
        code=f"{random.randrange(100_000):05d}",
        amount=f"{random.randrange(10_000_000) / 100:.2f}",
        qty=str(random.randrange(1000)) if random.random() > 0.05 else "",
        day=random.choice(DAYS),
        name=name.format(number % 5000),
        note=f"a note of the order {random.randrange(1000)}" if random.random() > 0.05 else "",
    )


def _bytes(row: Row, **changes: str) -> bytes:
    return ",".join(row._replace(**changes)).encode(errors="surrogateescape")


# The last one has an extra delimiter and no value in its last column: the values before it move on by one.
BAD = [
    lambda row: _bytes(row) + b",,,x",
    lambda row: ",".join(row[:5]).encode(),
    lambda row: _bytes(row, qty="1.5"),
    lambda row: _bytes(row, amount="12.345"),
    lambda row: _bytes(row, day="2013-02-30"),
    lambda row: _bytes(row, name="No\udceb"),
    lambda row: _bytes(row, name="na\0me"),
    lambda row: _bytes(row, name='"na"me"'),
    lambda row: _bytes(row, name="", note="name,"),
]


if __name__ == "__main__":
    write(Path(sys.argv[1]), float(sys.argv[2]))
