"""One table in every format: equal rows are kept, and equal rows are refused for equal reasons; damage is never a row.

A cell is missing, a value, or a text that may be none of its column's; a text is one in every format.
"""

import gzip
import io
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybook.errors import BadData
from daybook.loader.find import raw_records
from daybook.loader.limits import Tally
from daybook.loader.load import load
from daybook.spec import File, Form, boolean, day_date, decimal, integer, text, timestamp
from tests.support.workbooks import workbook

COLUMNS = (
    integer("id"),
    text("name"),
    decimal("amount", digits=12, scale=2),
    day_date("day", format="%d.%m.%Y"),
    timestamp("at", format="%Y-%m-%d %H:%M:%S.%f"),
    boolean("paid", true_tokens=("yes",), false_tokens=("no",)),
)
NAMES = [column.header for column in COLUMNS]
FIRST = datetime(1900, 3, 1)  # noqa: DTZ001 - a local time
# Without the code points that XML cannot hold.
SIGNS = st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")
TEXTS = st.text(SIGNS | st.sampled_from("\n\t=#\"',{}"), min_size=1, max_size=8)
ODD = st.sampled_from(
    ["x", "1,5", "1.234", "NA", "00012", "2024-13-01", "31.02.2024", "yes", "true", "9" * 20, "1e2", "-"]
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "name": TEXTS,
    "amount": st.integers(-(10**12) + 1, 10**12 - 1).map(lambda cents: Decimal(cents).scaleb(-2)),
    "day": st.dates(FIRST.date(), date(9999, 12, 31)),
    "at": st.integers(0, 255_000_000_000_000).map(lambda ms: FIRST + timedelta(milliseconds=ms)),
    "paid": st.booleans(),
}
Row = tuple[Any, ...]
ROWS = st.lists(
    st.tuples(
        st.integers(-(10**14), 10**14), *(st.one_of(value, value, value, st.none(), ODD) for value in VALUES.values())
    ),
    min_size=1,
    max_size=12,
)


def spelled(value: Any) -> str:
    """Return a value as a text."""
    match value:
        case bool():
            return "yes" if value else "no"
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond:06}"
        case date():
            return f"{value.day:02}.{value.month:02}.{value.year}"
    return str(value)


def as_csv(rows: list[Row]) -> bytes:
    """Return rows as CSV, each text in quotes."""

    def field(cell: Any) -> str:
        return "" if cell is None else '"' + spelled(cell).replace('"', '""') + '"'

    return "".join(",".join(map(field, row)) + "\n" for row in (NAMES, *rows)).encode()


def as_json_lines(rows: list[Row]) -> bytes:
    """Return rows as JSON lines, numbers as such."""

    def value(cell: Any) -> str:
        if cell is None or isinstance(cell, bool):
            return json.dumps(cell)
        return str(cell) if isinstance(cell, int | Decimal) else json.dumps(spelled(cell))

    lines = ([f"{json.dumps(name)}: {value(cell)}" for name, cell in zip(NAMES, row, strict=True)] for row in rows)
    return "".join(f"{{{', '.join(line)}}}\n" for line in lines).encode()


def as_packed_lines(rows: list[Row]) -> bytes:
    """Return rows as JSON lines in gzip."""
    return gzip.compress(as_json_lines(rows), mtime=0)


def as_parquet(rows: list[Row]) -> bytes:
    """Return rows as Parquet: a column with a text among its values is one of texts."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(NAMES)
    arrays = [
        pa.array([cell if cell is None else spelled(cell) for cell in column])
        if any(isinstance(cell, str) for cell in column)
        else pa.array(column)
        for column in columns
    ]
    file = io.BytesIO()
    pq.write_table(pa.table(arrays, NAMES), file, write_page_checksum=True, data_page_size=2**14)
    return file.getvalue()


def as_workbook(rows: list[Row]) -> bytes:
    """Return rows as a sheet, values as such."""

    def written(sheet: Any) -> None:
        for cell in (cell for row in sheet.iter_rows() for cell in row if isinstance(cell.value, str)):
            # openpyxl takes =x for a formula, and #N/A for an error.
            cell.data_type = "s"

    return workbook([NAMES, *rows], written)


class Format(NamedTuple):
    """A way to write rows, the form that reads them, and the number of the first row."""

    write: Callable[[list[Row]], bytes]
    form: Form
    first: int


FORMATS = {
    "json_lines": Format(as_json_lines, Form(format="json_lines", may_lack_keys=True), 1),
    "packed": Format(as_packed_lines, Form(format="json_lines", compression="gzip", may_lack_keys=True), 1),
    "parquet": Format(as_parquet, Form(format="parquet"), 1),
    "xlsx": Format(as_workbook, Form(format="xlsx"), 2),
}
CSV = Format(as_csv, Form(), 2)


class Outcome(NamedTuple):
    """The rows kept, without their numbers; those refused, by column and reason; and the numbers of both."""

    kept: list[dict[str, Any]]
    refused: list[tuple[str | None, str]]
    numbers: list[int]


def source_of(form: Form) -> File:
    """Return the contract of the table in a form."""
    return File(name="t", connection="c", path="p", columns=COLUMNS, null_tokens=("NA",), form=form)


def outcome(file: bytes, form: Form) -> Outcome:
    """Load a file whatever its limits say."""
    source = source_of(form)
    batches = list(load(io.BytesIO(file), source, tally=Tally(source.limits, "not judged")))
    kept = [row for batch in batches for row in batch.kept.to_pylist()]
    refused = [row for batch in batches for row in batch.refused.to_pylist()]
    numbers = sorted(row["line"] for row in (*kept, *refused))
    return Outcome(
        [{name: row[name] for name in NAMES} for row in kept],
        [(row["column"], row["reason"]) for row in refused],
        numbers,
    )


@settings(max_examples=30, deadline=None)
@given(ROWS)
def test_a_table_loads_to_equal_rows_from_every_format(rows: list[Row]) -> None:
    expected = outcome(as_csv(rows), CSV.form)
    for name, made in FORMATS.items():
        found = outcome(file := made.write(rows), made.form)
        assert (found.kept, found.refused) == (expected.kept, expected.refused), name
        assert found.numbers == list(range(made.first, made.first + len(rows))), name
        raw = raw_records(io.BytesIO(file), source_of(made.form), found.numbers)
        assert sorted(raw) == found.numbers, name
        assert all(json.loads(record)["id"] == row[0] for record, row in zip(raw.values(), rows, strict=True)), name


SOUND: list[Row] = [
    (
        n,
        f"näme {n % 97}",
        Decimal(n % 1000).scaleb(-2),
        date(2024, 3, 1 + n % 28),
        FIRST + timedelta(hours=n),
        n % 2 > 0,
    )
    for n in range(3000)
]


@pytest.mark.parametrize("name", ["packed", "parquet", "xlsx"])
def test_a_damaged_file_is_refused_or_loads_the_same_rows(name: str) -> None:
    made, random = FORMATS[name], Random(name)
    file = made.write(SOUND)
    expected, refused = outcome(file, made.form), 0
    # What Parquet says about itself at its end has no checksum.
    end = len(file) - 8 - int.from_bytes(file[-8:-4], "little") if name == "parquet" else len(file)
    for _ in range(25):
        place = random.randrange(end)
        flipped = file[:place] + bytes([file[place] ^ 1 << random.randrange(8)]) + file[place + 1 :]
        for damaged in (file[:place], flipped):
            try:
                assert outcome(damaged, made.form) == expected
            except BadData:
                refused += 1
    assert refused >= 30


def test_a_parquet_file_with_a_damaged_end_leaves_no_traceback() -> None:
    made, random = FORMATS["parquet"], Random(1)
    file = made.write(SOUND[:50])
    end = len(file) - 8 - int.from_bytes(file[-8:-4], "little")
    for _ in range(200):
        place = random.randrange(end, len(file))
        with suppress(BadData):
            outcome(file[:place] + random.randbytes(1) + file[place + 1 :], made.form)
