"""The first groups of a summary: on every engine, against plain sorting in Python."""

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from daybook.errors import BadSpec
from daybook.rules.aggregate import aggregate
from daybook.rules.frames import rows_schema
from daybook.rules.per_summary import per_summary
from daybook.rules.summarize import summarize
from daybook.rules.top import first_groups
from daybook.spec import Measure, Pipeline, Summary, Top, fact_columns
from tests.support.shop import DAY, shop

from .drawn import cells, drawing, table

ENGINES = ("polars", "pandas", "duckdb")
DRAWN = """
    | line | city   | kind | amount_eur |
    |    1 | Bilbao | cash |       5.00 |
    |    2 | Bilbao | card |       5.00 |
    |    3 | Bilbao | -    |       9.00 |
    |    4 | Vigo   | card |       1.00 |
    |    5 | Vigo   | cash |          - |
    |    6 | -      | cash |       7.00 |
    |    7 | -      | cash |       2.00 |
"""


def first(engine: str, top: Top, **words: Any) -> list[list[str]]:
    """Return the summary of the drawn rows by city and kind, cut to its first groups."""
    summary = Summary(name="best", by=("city", "kind"), columns=("sales",), top=top, **words)
    measures = (*shop().measures, Measure(name="median_eur", how="median", of="amount_eur"))
    pipeline = shop(engine=engine, measures=measures, summaries=(summary,))
    facts = table(DRAWN, rows_schema(list(fact_columns(pipeline).values())))
    found = summarize(aggregate(facts, pipeline), pipeline, DAY, per_summary(facts, pipeline))["best"]
    return drawing(found, *found.column_names[1:-1])


@pytest.mark.parametrize("engine", ENGINES)
def test_the_first_groups_per_city_with_ties_broken_by_the_group_columns(engine: str) -> None:
    assert first(engine, Top(rows=2, of="amount_eur", per=("city",), rank="place")) == cells(
        """
        | city   | kind | sales | place |
        | Bilbao | card | 1     | 2     |
        | Bilbao | -    | 1     | 1     |
        | Vigo   | card | 1     | 1     |
        | Vigo   | cash | 1     | 2     |
        | -      | cash | 2     | 1     |
        """
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_ties_are_kept_if_asked_for_and_groups_without_the_number_come_last(engine: str) -> None:
    assert first(engine, Top(rows=3, of="median_eur", has_ties=True, rank="place")) == cells(
        """
        | city   | kind | sales | place |
        | Bilbao | card | 1     | 2     |
        | Bilbao | cash | 1     | 2     |
        | Bilbao | -    | 1     | 1     |
        """
    )
    assert first(engine, Top(rows=6, of="median_eur"))[-2:] == [["Vigo", "cash", "1"], ["-", "cash", "2"]]
    assert first(engine, Top(rows=9, of="mean_eur")) == first(engine, Top(rows=9, of="sales"))


GROUPS = st.lists(st.tuples(st.none() | st.sampled_from("ab"), st.none() | st.integers(-2, 2)), max_size=20)


@settings(deadline=None)
@given(groups=GROUPS, rows=st.integers(1, 4), has_ties=st.booleans())
def test_first_groups_are_those_that_sorting_in_python_finds(
    groups: list[tuple[str | None, int | None]], rows: int, has_ties: bool
) -> None:
    named: list[dict[str, Any]] = [
        {"per": per, "number": number, "row": row} for row, (per, number) in enumerate(groups)
    ]
    schema = pa.schema([("per", pa.string()), ("number", pa.int64()), ("row", pa.int64())])
    top = Top(rows=rows, of="number", per=("per",), has_ties=has_ties, rank="rank")
    found = first_groups(pa.Table.from_pylist(named, schema=schema), top).to_pylist()

    def place(one: dict[str, Any]) -> int:
        key = (one["number"] is None, -(one["number"] or 0), 0 if has_ties else one["row"])
        others = [other for other in named if other["per"] == one["per"]]
        return 1 + sum((o["number"] is None, -(o["number"] or 0), 0 if has_ties else o["row"]) < key for o in others)

    assert found == [one | {"rank": place(one)} for one in named if place(one) <= rows]


@pytest.mark.parametrize(
    ("top", "says"),
    [
        (Top(rows=2, of="sale"), "summaries[0].top.of: 'sale' is not a measure or ratio; did you mean 'sales'?"),
        (Top(rows=2, of="sales", per=("shop",)), "top.per[0]: 'shop' is not a column that the summary groups by"),
        (Top(rows=2, of="sales", per=("kind", "city")), "there is one row for each city and kind, so nothing is left"),
        (
            Top(rows=2, of="sales", rank="row_count"),
            "summaries[0]: 'row_count' is a word of Daybook's own; give the col",
        ),
        (Top(rows=2, of="sales", rank="sales"), "summaries[0]: 'sales' stands twice"),
    ],
)
def test_a_wrong_word_of_top(top: Top, says: str) -> None:
    with pytest.raises(BadSpec) as error:
        best(top)
    assert says in str(error.value)


def test_a_top_without_rows_or_without_groups_is_refused() -> None:
    with pytest.raises(BadSpec, match="Top, rows: 0 is refused: Input should be greater than or equal to 1"):
        Top(rows=0, of="sales")
    with pytest.raises(BadSpec, match=r"top.per: \[\] is refused: there is one row a day, so nothing is left to rank"):
        best(Top(rows=1, of="sales"), by=())


def best(top: Top, by: tuple[str, ...] = ("city", "kind")) -> Pipeline:
    """Return a pipeline with a summary that is cut to its first groups."""
    return shop(summaries=(Summary(name="best", by=by, columns=("sales",), top=top),))
