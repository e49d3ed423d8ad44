"""Parquet files by the contract: columns by the names of the schema, and values as exact as their types."""

import io
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from daybook.loader.limits import Tally
from daybook.spec import Column, Form, boolean, clock_time, day_date, decimal, integer, text, timestamp
from tests.support.drawn import loaded, refusal, with_columns

PARQUET = Form(format="parquet")
NOON = datetime(2024, 7, 1, 12, 0, 0, 250_000)  # noqa: DTZ001 - a local time


def parquet(columns: dict[str, Any], **words: Any) -> bytes:
    """Return a file of these columns."""
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file, **words)
    return file.getvalue()


def read(column: Column, values: pa.Array, **words: Any) -> Any:
    """Return what a column is read as: the values, or the reasons of all rows."""
    file = parquet({column.header: values}, use_deprecated_int96_timestamps=words.pop("is_int96", False))
    source = with_columns(column, form=PARQUET, **words)
    found = loaded(file, source, tally=Tally(source.limits, "not judged"))
    return found.column(column.header) if found.kept else [reason for _, _, reason in found.refused]


INT = integer("x")
AMOUNT = decimal("x", digits=12, scale=2)
AT = timestamp("x", format="%d.%m.%Y %H:%M")


@pytest.mark.parametrize(
    ("column", "values", "expected"),
    [
        (INT, pa.array([1, None], pa.int8()), [1, None]),
        (INT, pa.array([2**64 - 1], pa.uint64()), ["integer_out_of_range"]),
        (INT, pa.array([5.0, None]), [5, None]),
        (INT, pa.array([2.0**53 - 1, 2.0**53]), [2**53 - 1]),
        (INT, pa.array([2.0**53]), ["not_a_value"]),
        (INT, pa.array([float("nan")]), ["not_an_integer"]),
        (INT, pa.array([Decimal("7.00")]), [7]),
        (INT, pa.array(["7"]).dictionary_encode(), [7]),
        (INT, pa.array([True]), ["not_an_integer"]),
        (AMOUNT, pa.array([0.1, 1e-2, -0.0, 1e9]), [Decimal(n) for n in ("0.10", "0.01", "0.00", "1000000000.00")]),
        (AMOUNT, pa.array([0.1], pa.float32()), [Decimal("0.10")]),
        (AMOUNT, pa.array([1.5], pa.float16()), [Decimal("1.50")]),
        (AMOUNT, pa.array([65536.03], pa.float32()), [Decimal("65536.03")]),
        (AMOUNT, pa.array([131072.03], pa.float32()), ["not_a_value"]),
        (AMOUNT, pa.array([0.1 + 0.2]), ["too_many_decimals"]),
        (decimal("x", digits=18, scale=2), pa.array([123456789012345.67]), ["not_a_value"]),
        (AMOUNT, pa.array([Decimal("1.5000")]), [Decimal("1.50")]),
        (AMOUNT, pa.array([Decimal("1.005")]), ["too_many_decimals"]),
        (AMOUNT, pa.array([Decimal("1.25")], pa.decimal256(60, 9)), [Decimal("1.25")]),
        (AMOUNT, pa.array([Decimal("1E+3")], pa.decimal128(5, -3)).cast(pa.decimal128(9, 0)), [Decimal(1000)]),
        (decimal("x", digits=9, scale=9), pa.array([Decimal("1E-9")]), [Decimal("1E-9")]),
        (AMOUNT, pa.array(["12.50", None, "NA"]), [Decimal("12.50"), None, None]),
        (text("x"), pa.array(["a", "", None]), ["a", "", None]),
        (text("x"), pa.array([7, None]), ["7", None]),
        (text("x"), pa.array([b"ab", None]), ["ab", None]),
        (text("x"), pa.array([b"\xe9"]), ["not_a_value"]),
        (text("x"), pa.array([b"\xe9"]).view(pa.string()), ["not_a_value"]),
        (text("x"), pa.array(["a\0b"]), ["nul_byte"]),
        (text("x"), pa.array([date(2024, 3, 1)]), ["not_a_text"]),
        (text("x"), pa.nulls(2), [None, None]),
        (boolean("x", true_tokens=("1",)), pa.array([True, False]), [True, False]),
        (boolean("x", true_tokens=("1",), false_tokens=("0",)), pa.array([1, 0, 1]), [True, False, True]),
        (day_date("x", format="%d.%m.%Y"), pa.array([date(2024, 7, 1)]), [date(2024, 7, 1)]),
        (day_date("x", format="%d.%m.%Y"), pa.array(["01.07.2024"]), [date(2024, 7, 1)]),
        (day_date("x"), pa.array([date(2024, 7, 1)]).cast(pa.date64()), [date(2024, 7, 1)]),
        (day_date("x"), pa.array([datetime(2024, 7, 1)], pa.timestamp("ns")), [date(2024, 7, 1)]),  # noqa: DTZ001
        (day_date("x"), pa.array([NOON], pa.timestamp("us")), ["not_a_date"]),
        (day_date("x"), pa.array([NOON], pa.timestamp("us", "UTC")), ["not_a_date"]),
        (day_date("x"), pa.array([10**8], pa.int32()).cast(pa.date32()), ["not_a_date"]),
        (day_date("x", format="%Y%m%d"), pa.array([20240701]), [date(2024, 7, 1)]),
        *((AT, pa.array([NOON], pa.timestamp(unit)), [NOON.replace(tzinfo=UTC)]) for unit in ("ms", "us", "ns")),
        *((AT, pa.array([NOON], pa.timestamp(u, "UTC")), [NOON.replace(tzinfo=UTC)]) for u in ("ms", "us", "ns")),
        (AT, pa.array([1709618400], pa.timestamp("s", "Europe/Madrid")), [datetime(2024, 3, 5, 6, tzinfo=UTC)]),
        (AT, pa.array([1], pa.timestamp("ns")), ["not_a_timestamp"]),
        (AT, pa.array([2**62], pa.timestamp("ms")), ["not_a_timestamp"]),
        (AT, pa.array([date(2024, 7, 1)]), ["not_a_timestamp"]),
        (AT, pa.array([time(6)]), ["not_a_timestamp"]),
        *((clock_time("x"), pa.array([time(7, 45)], kind), [27900]) for kind in (pa.time32("s"), pa.time64("ns"))),
        (clock_time("x"), pa.array([time(7, 45, 0, 1)], pa.time64("us")), ["not_a_clock_time"]),
        (timestamp("x", time_zone="Europe/Madrid"), pa.array([NOON]), [datetime(2024, 7, 1, 10, 0, 0, 250_000, UTC)]),
        (timestamp("x", time_zone="Europe/Madrid"), pa.array([datetime(2024, 10, 27, 2, 30)]), ["repeated_hour"]),  # noqa: DTZ001
        (timestamp("x", format="%Y-%m-%d %H:%M:%S.%f", long_fraction="cut"), pa.array([1999], pa.timestamp("ns")),
         [datetime(1970, 1, 1, 0, 0, 0, 1, UTC)]),
    ],
)  # fmt: skip
def test_each_type_is_read_exactly_or_refused(column: Column, values: pa.Array, expected: list[Any]) -> None:
    assert read(column, values, null_tokens=("NA",)) == expected


def test_old_timestamps_of_Spark_have_days_that_nanoseconds_do_not() -> None:
    far = datetime(9999, 12, 31, tzinfo=UTC)
    stored = pa.array([far.replace(tzinfo=None)], pa.timestamp("us"))
    assert read(timestamp("x"), stored, is_int96=True) == [far]


def test_columns_are_found_by_name_and_only_those_agreed() -> None:
    source = with_columns(text("name"), integer("a.b", "id", aliases=("n",)), form=PARQUET)
    table = {"a.b": [1, 2], "name": ["x", "y"]}
    assert loaded(parquet(table), source).kept == [
        {"line": 1, "name": "x", "a.b": 1}, {"line": 2, "name": "y", "a.b": 2}
    ]  # fmt: skip
    assert "missing column 'a.b'" in refusal(parquet({"name": ["x"], "a": [{"b": 1}]}), source)
    assert "unknown column 'more'; the file has 3 columns, 2 agreed: ['a.b', 'name', 'more']" in refusal(
        parquet(table | {"more": [1, 2]}), source
    )
    twice = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array(["x"])], names=["n", "n", "name"])
    file = io.BytesIO()
    pq.write_table(twice, file)
    assert "column 'n' stands 2 times" in refusal(file.getvalue(), source)


def test_a_refused_row_is_kept_with_all_its_columns_as_JSON_and_can_be_mended() -> None:
    source = with_columns(
        integer("id"), day_date("on", format="%d.%m.%Y"), form=Form(format="parquet", extra_columns="ignore")
    )
    count = 40_000
    file = parquet(
        {
            "tags": pa.array([["a"]] * count),
            "id": [str(n) if n != 30_000 else "x" for n in range(1, count + 1)],
            "on": [date(2024, 3, 5)] * count,
            "at": pa.array([NOON] * count, pa.timestamp("us", "UTC")),
        }
    )
    found = loaded(file, source)
    raw = (
        b'{"tags": "[\'a\']", "id": "x", "on": {"local": "2024-03-05"}, '
        b'"at": {"instant": "2024-07-01T12:00:00.250000Z"}}'
    )
    assert (len(found.kept), found.refused, found.raw) == (39_999, [(30_000, "id", "not_an_integer")], [raw])
    again = loaded(file, source, mends={30_000: raw.replace(b'"x"', b"30000")})
    assert again.refused == []
    assert again.kept[29_999] == {"line": 30_000, "id": 30_000, "on": date(2024, 3, 5)}


def test_values_that_are_no_single_ones_refuse_the_file_only_where_the_contract_has_them() -> None:
    file = parquet({"id": [1], "tags": [["a"]]})
    assert "column 'tags' is of type list<element: string>" in refusal(
        file, with_columns(integer("id"), text("tags"), form=PARQUET)
    )
    ignoring = with_columns(integer("id"), form=Form(format="parquet", extra_columns="ignore"))
    assert loaded(file, ignoring).column("id") == [1]


@pytest.mark.parametrize(
    ("damage", "what"),
    [
        (lambda file: file[: len(file) // 2], "it is not a whole Parquet file: the upload may be cut"),
        (lambda file: file[:-1], "it is not a whole Parquet file"),
        (lambda file: file[:-4] + b"PARE", "it is encrypted, and no key was agreed"),
        (lambda _: b"id\n1\n", 'it is text, format="parquet" agreed; ask the sender'),
        (lambda _: b"", "the file is empty (0 bytes)"),
        (lambda _: b"PAR1", "it is not a whole Parquet file"),
    ],
)
def test_a_file_that_is_cut_or_of_another_kind_is_refused(damage: Any, what: str) -> None:
    assert what in refusal(damage(parquet({"id": list(range(100))})), with_columns(integer("id"), form=PARQUET))


def test_a_file_with_more_rows_than_a_batch_has_one_row_number_for_each() -> None:
    file = parquet({"id": list(range(50_000))}, row_group_size=50_000)
    found = loaded(file, with_columns(integer("id"), form=PARQUET))
    assert [row["line"] for row in found.kept] == list(range(1, 50_001))
    assert found.column("id") == list(range(50_000))
