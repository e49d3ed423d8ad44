"""Equal rows: which may be twins by their typed values, which are by their records, and what becomes of them."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from daybook.errors import BadSpec
from daybook.loader.load import schema
from daybook.rules.clean import clean
from daybook.rules.twins import may_be_twins, twins
from daybook.spec import Engine, File, Source, Twins, integer, text, timestamp
from tests.support.shop import DAY, SALES, shop

ENGINES: tuple[Engine, ...] = ("polars", "pandas", "duckdb")


def source(*, key: tuple[str, ...] = (), twins: Twins | None = None) -> Source:
    """Return a source of three columns, with a key or a word about twins."""
    columns = (integer("id"), text("note"), timestamp("at"))
    return File(name="sales", connection="ftp", path="{day}", columns=columns, key=key, twins=twins)


def rows(of: Source, *values: tuple[int | None, str | None, int | None]) -> pa.Table:
    """Return typed rows on lines 2, 3, …; the time is an hour of the day."""
    times = [None if hour is None else datetime(2026, 1, 10, hour, tzinfo=ZoneInfo("UTC")) for *_, hour in values]
    ids, notes = [value[0] for value in values], [value[1] for value in values]
    return pa.table([range(2, 2 + len(values)), ids, notes, times], schema=schema(of))


def test_without_a_key_rows_are_kept_and_with_one_equal_rows_are_dropped() -> None:
    assert (source().on_twins, source(key=("id",)).on_twins) == ("keep", "drop")


def test_equal_rows_of_one_key_cannot_all_stay() -> None:
    with pytest.raises(BadSpec, match="sales, twins: 'keep' is refused: the key id is unique"):
        source(key=("id",), twins="keep")


@pytest.mark.parametrize("engine", ENGINES)
def test_rows_that_are_kept_are_not_compared(engine: Engine) -> None:
    same = rows(source(), (1, "a", 2), (1, "a", 2))
    assert may_be_twins(same, source(), engine) == []


@pytest.mark.parametrize("engine", ENGINES)
def test_without_a_key_all_values_are_compared_and_nothing_is_equal_to_nothing(engine: Engine) -> None:
    of = source(twins="drop")
    some = rows(of, (1, "a", 2), (1, "a", 3), (None, "", None), (1, "a", 2), (None, "", None), (None, None, None))
    assert may_be_twins(some, of, engine) == [2, 4, 5, 6]


@pytest.mark.parametrize("engine", ENGINES)
def test_with_a_key_the_key_is_compared(engine: Engine) -> None:
    of = source(key=("id", "note"))
    some = rows(of, (1, "a", 2), (1, "a", 3), (1, "b", 2), (2, None, 2), (2, None, 4))
    assert may_be_twins(some, of, engine) == [2, 3, 5, 6]


@pytest.mark.parametrize(("on_twins", "taken_out"), [("drop", [5, 7]), ("refuse", [3, 5, 7])])
def test_of_equal_records_all_but_the_first_are_dropped_and_all_are_refused(
    on_twins: Twins, taken_out: list[int]
) -> None:
    assert twins({7: b"1,a", 3: b"1,a", 4: b"1,b", 5: b"1,a", 6: b"1, a"}, on_twins) == taken_out


@pytest.mark.parametrize("engine", ENGINES)
def test_twins_are_dropped_or_refused_and_counted_before_rules_look_at_them(engine: Engine) -> None:
    pipeline = shop(engine=engine)
    refusing = SALES.model_copy(update={"twins": "refuse"})
    row = (1, DAY, "A1", 7, "cash", None)
    same = pa.table([[2, 3], *([value] * 2 for value in row)], schema=schema(SALES))
    dropped = clean(same, SALES, pipeline, DAY, [3])
    assert (dropped.kept["line"].to_pylist(), dropped.dropped, dropped.refused.num_rows) == ([2], {"twin": 1}, 0)
    refused = clean(same, refusing, pipeline, DAY, [2, 3])
    assert refused.refused["reason"].to_pylist() == ["twin", "twin"]
    assert (refused.kept.num_rows, refused.dropped) == (0, {})
