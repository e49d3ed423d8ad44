"""The loaders: each reads a file by the same contract as well as it can, and says which lines it found bad.

Each imports its library by itself, so that a process holds one of them only. `Read.tables` are Arrow tables or what
pa.table takes; they are given one by one where the loader streams. A loader that refuses the file raises.
"""

import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

NAMES = ("id", "code", "amount", "qty", "day", "name", "note")
NUMBERS = ("id", "amount", "qty")


class Read(NamedTuple):
    """What is being read of a file: tables, and the lines found bad, which are complete behind the last table."""

    tables: Iterator[Any]
    bad_lines: list[int]


def daybook() -> Callable[[str], Read]:
    """Daybook's loader, with its contract and its usual limits."""
    import pandas  # noqa: F401 - pyarrow would import it with its first array, within the time that is measured

    from daybook.loader.load import load
    from loading.sales import CONTRACT

    def read(path: str) -> Read:
        bad_lines: list[int] = []

        def tables() -> Iterator[Any]:
            with open(path, "rb") as stream:
                for batch in load(stream, CONTRACT):
                    bad_lines.extend(batch.refused["line"].to_pylist())
                    yield batch.kept.select(NAMES)

        return Read(tables(), bad_lines)

    return read


def _arrow_kinds() -> dict[str, Any]:
    import pyarrow as pa

    kinds = {"id": pa.int64(), "amount": pa.decimal128(12, 2), "qty": pa.int64(), "day": pa.date32()}
    return {name: kinds.get(name, pa.string()) for name in NAMES}


def pyarrow(is_noting: bool = False) -> Callable[[str], Read]:
    """pyarrow with the columns' types; with a handler of ragged rows it goes on one core, or they have no numbers."""
    import pyarrow.csv as csv

    def read(path: str) -> Read:
        bad_lines: list[int] = []

        def note(row: csv.InvalidRow) -> str:
            bad_lines.append(row.number)
            return "skip"

        table = csv.read_csv(
            path,
            csv.ReadOptions(use_threads=not is_noting),
            csv.ParseOptions(invalid_row_handler=note if is_noting else None),
            csv.ConvertOptions(
                column_types=_arrow_kinds(),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
        return Read(iter([table]), bad_lines)

    return read


def pyarrow_noting() -> Callable[[str], Read]:
    """pyarrow with the columns' types and a handler of ragged rows."""
    return pyarrow(is_noting=True)


def pandas() -> Callable[[str], Read]:
    """pandas' C engine with the columns' types; lines with too many fields are warned of and skipped."""
    import pandas

    def read(path: str) -> Read:
        kinds = {"id": "int64", "amount": "float64", "qty": "Int64", "code": "str", "name": "str", "note": "str"}
        frame = pandas.read_csv(
            path,
            dtype=kinds,
            parse_dates=["day"],
            date_format="%Y-%m-%d",
            keep_default_na=False,
            na_values=[""],
            on_bad_lines="warn",
        )
        return Read(iter([frame]), [])

    return read


def pandas_text() -> Callable[[str], Read]:
    """pandas' C engine with every column as text, then typed with errors coerced: what became nothing is bad."""
    import pandas

    def read(path: str) -> Read:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            frame = pandas.read_csv(
                path,
                dtype="str",
                keep_default_na=False,
                na_values=[""],
                on_bad_lines="warn",
                encoding_errors="replace",
            )
        skipped = [int(line) for one in warned for line in re.findall(r"Skipping line (\d+)", str(one.message))]
        typed = frame.copy(deep=False)
        for name in NUMBERS:
            typed[name] = pandas.to_numeric(frame[name], errors="coerce")
        typed["day"] = pandas.to_datetime(frame["day"], format="%Y-%m-%d", errors="coerce")
        are_bad = (typed.isna() & frame.notna()).any(axis=1) | frame["name"].str.contains("�", regex=False, na=False)
        are_bad |= typed["qty"] % 1 != 0
        return Read(iter([typed[~are_bad]]), [*skipped, *_lines(are_bad.to_numpy().nonzero()[0], skipped)])

    return read


def _lines(rows: Any, skipped: list[int]) -> list[int]:
    """Return the lines of a frame's rows, counted from 0, where these lines were skipped in between."""
    import numpy as np

    shifts = np.sort(skipped) - 2 - np.arange(len(skipped))
    lines: list[int] = (rows + 2 + np.searchsorted(shifts, rows, side="right")).tolist()
    return lines


def polars() -> Callable[[str], Read]:
    """Polars with the columns' types."""
    return _polars()


def polars_ignoring() -> Callable[[str], Read]:
    """Polars with the columns' types, errors ignored and ragged lines cut."""
    return _polars(ignore_errors=True, truncate_ragged_lines=True, encoding="utf8-lossy")


def _polars(**words: Any) -> Callable[[str], Read]:
    import polars

    kinds: dict[str, Any] = {
        "id": polars.Int64,
        "amount": polars.Decimal(12, 2),
        "qty": polars.Int64,
        "day": polars.Date,
    }
    schema = {name: kinds.get(name, polars.String) for name in NAMES}

    def read(path: str) -> Read:
        frame = polars.read_csv(path, schema=schema, **words)
        return Read(iter([frame]), [])

    return read


def duckdb() -> Callable[[str], Read]:
    """DuckDB with the columns' types, its strict mode and its table of rejects."""
    import duckdb

    kinds = {"id": "BIGINT", "amount": "DECIMAL(12, 2)", "qty": "BIGINT", "day": "DATE"}
    columns = {name: kinds.get(name, "VARCHAR") for name in NAMES}

    def read(path: str) -> Read:
        bad_lines: list[int] = []

        def tables() -> Iterator[Any]:
            rows = duckdb.read_csv(
                path, columns=columns, auto_detect=False, header=True, strict_mode=True, store_rejects=True
            )
            yield from rows.to_arrow_reader()
            rejects: Any = duckdb.sql("select distinct line from reject_errors")
            bad_lines.extend(line for (line,) in rejects.fetchall())

        return Read(tables(), bad_lines)

    return read
