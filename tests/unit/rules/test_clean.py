"""What cleaning keeps, drops and refuses, drawn as tables; on all three engines."""

import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas
import pyarrow as pa
import pytest

from daybook.days import days_around
from daybook.errors import BadSpec
from daybook.loader.load import load
from daybook.rules.clean import Cleaned, clean
from daybook.rules.late_rows import LateFiles
from daybook.rules.twins import may_be_twins, twins
from daybook.spec import (
    Column,
    File,
    Measure,
    Plausible,
    Schedule,
    Source,
    Summary,
    arrow_type,
    boolean,
    day_date,
    decimal,
    integer,
    text,
    timestamp,
)
from tests.support.shop import DAY, SALES, SHOPS, shop

from .drawn import cells, drawing, table

ENGINES = ("polars", "pandas", "duckdb")


def loaded(source: Source, drawn: str) -> pa.Table:
    """Return drawn rows as `load` gives them: `line`, then the columns under their headers."""
    fields = [(column.header, arrow_type(column)) for column in source.columns]
    return table(drawn, pa.schema([("line", pa.int64()), *fields]))


def cleaned(drawn: str, engine: str = "polars", **changes: object) -> Cleaned:
    """Clean drawn sales, whose records are equal if all that is drawn is."""
    rows, pipeline = loaded(SALES, drawn), shop(engine=engine, **changes)
    records = {row.pop("line"): repr(row).encode() for row in rows.to_pylist()}
    shared = may_be_twins(rows, SALES, pipeline.engine)
    return clean(rows, SALES, pipeline, DAY, twins({line: records[line] for line in shared}, SALES.on_twins))


@pytest.mark.parametrize("engine", ENGINES)
def test_G14_a_pattern_that_would_take_others_for_ever_takes_no_time(engine: str) -> None:
    # Python's own `re` needs 2 to the power of 50,000 steps for the first of these.
    endless = SHOPS.model_copy(update={"columns": (text("shop", pattern="(a+)+"),), "key": ()})
    rows = pa.table({"line": [2, 3], "shop": ["a" * 50_000 + "!", "a"]})
    refused = clean(rows, endless, shop(engine=engine), DAY).refused
    assert refused.to_pylist() == [{"line": 2, "column": "shop", "reason": "no_match"}]


TEXTS = ["A1", "A1\n", "\u0661\u0662", "é", "ab", "\u00a0", "\n", "A", "7", "a]7", "-"]


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("pattern", "kept"),
    [
        (r"\d+", ["7"]),
        (r"\w+", ["A1", "ab", "A", "7"]),
        (r"\s", ["\n"]),
        (r"\D", ["é", "\u00a0", "\n", "A", "-"]),
        (r"[\d\-]", ["7", "-"]),
        (r"[^\w]", ["é", "\u00a0", "\n", "-"]),
        (r"[]\da]+", ["7", "a]7"]),
        (r"[A-Z]\d\\?", ["A1"]),
        (r"\[d|A", ["A"]),
    ],
)
def test_a_pattern_means_the_same_to_every_engine(engine: str, pattern: str, kept: list[str]) -> None:
    table = SHOPS.model_copy(update={"columns": (text("shop", pattern=pattern),), "key": ()})
    rows = pa.table({"line": range(len(TEXTS)), "shop": TEXTS})
    assert clean(rows, table, shop(engine=engine), DAY).kept["shop"].to_pylist() == kept


@pytest.mark.parametrize("engine", ENGINES)
def test_each_row_goes_where_its_first_broken_rule_sends_it(engine: str) -> None:
    result = cleaned(
        """
        | line | id | day        | shop | customer | kind | amount  |
        |    2 |  1 | 2026-01-10 | A1   |        7 | cash |   10.00 |
        |    3 |  1 | 2026-01-10 | A1   |        7 | cash |   10.00 |
        |    4 |    |            |      |          |      |         |
        |    5 |  2 | 2026-01-09 | A1   |        7 | card |   10.00 |
        |    6 |  3 | 2026-01-10 | ?    |        7 | card |   10.00 |
        |    7 |  4 | 2026-01-10 | a1   |        7 | card |   10.00 |
        |    8 |  5 | 2026-01-10 | A1   |        7 | gold |   10.00 |
        |    9 |  6 | 2026-01-10 | A1   |        7 | card | -100.01 |
        |   10 |  7 | 2026-01-10 | A1   |        7 | card | 1000.01 |
        |   11 |  8 |            | A1   |        7 | card |   10.00 |
        |   12 |    | 2026-01-10 | A1   |        7 | card |   10.00 |
        |   13 |  9 | 2026-01-10 | A1   |        7 | card |   10.00 |
        |   14 |  9 | 2026-01-10 | A1   |        7 | card |   11.00 |
        |   15 | 10 | 2026-01-10 | A1   |          | NA   | 1000.00 |
        """,
        engine,
    )
    assert drawing(result.refused, "line", "column", "reason") == cells(
        """
        | line | column     | reason        |
        |    5 | -          | other_day     |
        |    6 | shop       | missing       |
        |    7 | shop       | no_match      |
        |    8 | kind       | not_allowed   |
        |    9 | amount_eur | below_minimum |
        |   10 | amount_eur | above_maximum |
        |   11 | sold_on    | missing       |
        |   12 | id         | missing       |
        |   13 | -          | key_conflict  |
        |   14 | -          | key_conflict  |
        """
    )
    assert result.dropped == {"empty_row": 1, "twin": 1}
    assert drawing(result.kept, "line", "id", "kind", "amount_eur", "is_anonymous", "is_large") == cells(
        """
        | line | id | kind | amount_eur | is_anonymous | is_large |
        |    2 |  1 | cash |      10.00 | no           | no       |
        |   15 | 10 | -    |    1000.00 | yes          | yes      |
        """
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_C37_rows_of_another_day_or_of_none_are_refused(engine: str) -> None:
    result = cleaned(
        """
        | line | id | day        | shop | customer | kind | amount |
        |    2 |  1 | 2026-01-10 | A1   |        7 | cash |  10.00 |
        |    3 |  2 | 2026-01-11 | A1   |        7 | cash |  10.00 |
        |    4 |  3 |            | A1   |        7 | cash |  10.00 |
        """,
        engine,
    )
    assert drawing(result.refused, "line", "reason")[1:] == [["3", "other_day"], ["4", "missing"]]


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_of_other_days_are_dropped_where_the_file_has_several_and_those_of_none_are_refused(engine: str) -> None:
    rows = loaded(
        SALES,
        """
        | line | id | day        | shop | customer | kind | amount |
        |    2 |  1 | 2026-01-10 | A1   |        7 | cash |  10.00 |
        |    3 |  1 | 2026-01-11 | A1   |        7 | what |  10.00 |
        |    4 |  3 |            | A1   |        7 | cash |  10.00 |
        """,
    )
    source = SALES.model_copy(update={"has_other_days": True})
    result = clean(rows, source, shop(engine=engine, files=(source,)), DAY)
    assert drawing(result.refused, "line", "reason")[1:] == [["4", "missing"]]
    assert (result.kept["line"].to_pylist(), result.dropped) == ([2], {"other_day": 1})


WEEKDAYS = Schedule(start=date(2026, 1, 1), cron="0 6 * * 1-5", time_zone="America/New_York")
OF_THREE = (integer("y"), integer("m"), integer("d"))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("columns", "day_columns", "row"),
    [
        ((day_date("day"),), ("day",), "{:%Y-%m-%d}"),
        (OF_THREE, ("y", "m", "d"), "{:%Y,%m,%d}"),
        ((timestamp("at", time_zone="America/New_York"),), ("at",), "{:%Y-%m-%d} 23:59:59"),
    ],
    ids=["a date", "three numbers", "an instant"],
)
def test_in_a_file_with_late_rows_those_of_the_days_before_it_are_set_aside_and_others_are_refused(
    engine: str, columns: Any, day_columns: Any, row: str
) -> None:
    """Two files of a Friday with late_days=1, its own and Monday's: in each a row of every day around them."""
    file = File(name="f", connection="ftp", path="f_{day}.csv", columns=columns, late_days=1)
    pipeline = shop(
        engine=engine,
        **{"tables": (), "files": (file,), "facts": "f", "day_columns": day_columns, "schedule": WEEKDAYS},
        **{"lookups": (), "derived": (), "ratios": (), "measures": (Measure(name="n", how="count"),)},
        **{"summaries": (Summary(name="by_day", columns=("n",)),), "plausible": Plausible()},
    )
    friday = date(2026, 1, 9)
    days = [friday + timedelta(days=number) for number in (-2, -1, 0, 1, 3, 4)]
    text_of = ",".join(column.header for column in columns) + "\n" + "".join(f"{row.format(day)}\n" for day in days * 2)
    rows = next(iter(load(io.BytesIO(text_of.encode()), file))).kept
    late_by = pa.chunked_array([pa.array([0] * len(days) + [1] * len(days), pa.int64())])
    late = LateFiles(days_around(WEEKDAYS, friday, 1), late_by)
    result = clean(rows, file, pipeline, friday, (), late)
    own, mondays = {"kept": [4], "refused": [2, 5, 6, 7]}, {"kept": [10], "refused": [8, 9, 11, 13]}
    assert result.kept["line"].to_pylist() == own["kept"] + mondays["kept"]
    assert result.refused["line"].to_pylist() == own["refused"] + mondays["refused"]
    assert result.dropped == {"other_day": 2}, "Thursday in Friday's file, Monday in its own"


def test_only_the_facts_may_have_late_rows_and_only_in_files_of_another_name() -> None:
    late = File(name="f", connection="ftp", path="f_{day}.csv", columns=(integer("id"),), late_days=1)
    with pytest.raises(BadSpec, match=r"f\.late_days: 1 is refused: only the facts have a day"):
        shop(files=(*shop().files, late))
    with pytest.raises(BadSpec, match="late_days: 2 is refused: its name is the same every day"):
        File(name="f", connection="ftp", path="f.csv", columns=(integer("id"),), late_days=2)


def test_only_the_facts_may_have_other_days() -> None:
    with pytest.raises(BadSpec, match=r"shops\.has_other_days: True is refused: only the facts have a day"):
        shop(tables=(SHOPS.model_copy(update={"has_other_days": True}), *shop().tables[1:]))


@pytest.mark.parametrize("engine", ENGINES)
def test_C63_of_equal_rows_one_is_kept_and_of_rows_that_share_a_key_none(engine: str) -> None:
    result = cleaned(
        """
        | line | id | day        | shop | customer | kind | amount |
        |    2 |  1 | 2026-01-10 | A1   |        7 | cash |  10.00 |
        |    3 |  1 | 2026-01-10 | A1   |        7 | cash |  10.00 |
        |    4 |  2 | 2026-01-10 | A1   |        7 | cash |  10.00 |
        |    5 |  2 | 2026-01-10 | A1   |        7 | cash |  10.01 |
        """,
        engine,
    )
    assert (result.kept["line"].to_pylist(), result.dropped) == ([2], {"twin": 1})
    assert drawing(result.refused, "line", "reason")[1:] == [["4", "key_conflict"], ["5", "key_conflict"]]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_rule_says_nothing_of_a_value_that_is_nothing(engine: str) -> None:
    result = cleaned(
        """
        | line | id | day        | shop | customer | kind | amount |
        |    2 |  1 | 2026-01-10 | A1   |          |      |        |
        """,
        engine,
    )
    assert result.refused.num_rows == 0
    assert drawing(result.kept, "is_anonymous", "is_large")[1] == ["yes", "-"]


def test_tokens_that_are_not_declared_are_text() -> None:
    rows = loaded(SHOPS, "| line | shop | city |\n| 2 | NA | null |")
    assert clean(rows, SHOPS, shop(), DAY).kept.to_pylist() == [{"line": 2, "shop": "NA", "city": "null"}]


def test_an_empty_text_is_not_nothing() -> None:
    rows = pa.table({"line": [2], "shop": ["A1"], "city": [""]})
    assert clean(rows, SHOPS, shop(), DAY).kept["city"].to_pylist() == [""]


TWO_SALES = """
    | line | id | day        | shop | customer | kind | amount |
    |    2 |  1 | 2026-01-10 | A1   |        7 | cash |  10.00 |
    |    3 |  2 | 2026-01-10 | A1   |        7 | cash |  20.00 |
    """
CENTS = Column(header="cents", name="cents", kind="integer")


def test_a_transform_adds_declared_columns_and_may_drop_rows() -> None:
    result = cleaned(
        TWO_SALES, transform=lambda frame: frame[frame["id"] > 1].assign(cents=2000), transform_gives=(CENTS,)
    )
    assert drawing(result.kept, "id", "cents") == [["id", "cents"], ["2", "2000"]]
    assert result.dropped == {"transform": 1}


@pytest.mark.parametrize(
    ("transform", "says"),
    [
        (lambda frame: frame, "gave the columns"),
        (lambda frame: frame.assign(cents="many"), "another kind"),
        (lambda frame: frame.assign(cents=1, line=2), "rows that it did not get, or one twice"),
        (lambda frame: None, "gave the columns"),
    ],
)
def test_a_transform_that_gives_something_else_is_refused(transform: object, says: str) -> None:
    with pytest.raises(BadSpec, match=says):
        cleaned(TWO_SALES, transform=transform, transform_gives=(CENTS,))


def given(values: list[Any], kind: Any, column: Column) -> list[Any]:
    """Let a transform give two values as a pandas column of that kind; return what the declared column holds."""
    result = cleaned(
        TWO_SALES,
        transform=lambda frame: frame.assign(x=pandas.Series(values, dtype=kind)),
        transform_gives=(column,),
    )
    return list(result.kept["x"].to_pylist())


def arrow(kind: pa.DataType) -> pandas.ArrowDtype:
    """Return pandas' name of an Arrow type."""
    return pandas.ArrowDtype(kind)


PRICE = decimal("x", digits=9, scale=2)


@pytest.mark.parametrize(
    ("values", "kind", "column"),
    [
        ([0.125, 1.0], arrow(pa.float64()), PRICE),
        ([2.675, 1.0], arrow(pa.float64()), PRICE),
        ([0.1 + 0.2, None], arrow(pa.float64()), PRICE),
        ([datetime(2026, 1, 10, 23, tzinfo=UTC), None], arrow(pa.timestamp("us", "UTC")), day_date("x")),
        ([5, 0], "int64", boolean("x")),
        ([0.5, 1.0], "float64", boolean("x")),
    ],
)
def test_a_transforms_values_that_the_declared_column_would_round_or_cut_are_refused(
    values: list[Any], kind: Any, column: Column
) -> None:
    with pytest.raises(BadSpec, match="gave in 'x' values that the declared kind or scale would round or cut"):
        given(values, kind, column)


def test_a_transforms_values_that_fit_are_kept() -> None:
    assert given([0.1, None], arrow(pa.float64()), PRICE) == [Decimal("0.10"), None]
    assert given([2.68, 1.0], arrow(pa.float64()), PRICE) == [Decimal("2.68"), Decimal("1.00")]
    assert given([datetime(2026, 1, 10, tzinfo=UTC), None], arrow(pa.timestamp("us", "UTC")), day_date("x")) == [
        date(2026, 1, 10),
        None,
    ]
    assert given([1, 0], "int64", boolean("x")) == [True, False]
    assert given([3.0, None], "float64", integer("x")) == [3, None]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_day_may_be_said_by_three_columns(engine: str) -> None:
    source = SALES.model_copy(update={"columns": (integer("y"), integer("m"), integer("d"), *SALES.columns)})
    rows = loaded(
        source,
        """
        | line | y    | m | d  | id | day | shop |
        |    2 | 2026 | 1 | 10 |  1 |  -  | A1   |
        |    3 | 2026 | 1 | 11 |  2 |  -  | A1   |
        |    4 | 2025 | 1 | 10 |  3 |  -  | A1   |
        """,
    )
    pipeline = shop(engine=engine, files=(source,), day_columns=("y", "m", "d"))
    assert clean(rows, source, pipeline, date(2026, 1, 10)).kept["line"].to_pylist() == [2]
