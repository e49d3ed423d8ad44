"""Every measure on every engine, against plain Python: the `statistics` module, fractions and decimals."""

import statistics
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from daybook.errors import BadData
from daybook.rules.aggregate import aggregate
from daybook.rules.frames import rows_schema
from daybook.rules.per_summary import per_summary
from daybook.rules.recompute import recomputed, rows_of
from daybook.rules.summarize import summarize
from daybook.spec import (
    File,
    Measure,
    Pipeline,
    Schedule,
    Summary,
    Target,
    boolean,
    day_date,
    decimal,
    fact_columns,
    integer,
    text,
    timestamp,
)

ENGINES = ("polars", "pandas", "duckdb")
DAY = date(2026, 1, 10)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
P90 = Decimal("0.9")
EXACT = Context(prec=120, rounding=ROUND_HALF_UP)

SALES = File(
    name="sales",
    connection="ftp",
    path="{day}.csv",
    columns=(
        day_date("day", "sold_on"),
        text("shop"),
        boolean("is_open"),
        integer("units"),
        integer("big"),
        decimal("price", digits=18, scale=4),
        day_date("until"),
        timestamp("at"),
        text("word"),
    ),
)


def made(how: str, of: str | None = None, where: str | None = None, **words: Any) -> Measure:
    """Return a measure under a name of its own."""
    name = "_".join(str(word).replace(".", "_") for word in (how, of, where, *words.values()) if word is not None)
    return Measure(name=name, how=how, of=of, where=where, **words)


ANY_ORDER = ("big", "price", "until", "at", "word")
MEASURES = (
    made("count"),
    *(made(how, "units", where) for how in ("count", "sum", "min", "max") for where in (None, "is_open")),
    made("count", where="is_open"),
    *(made(how, of) for how in ("min", "max") for of in ANY_ORDER),
    made("max", "word", "is_open"),
    *(made("distinct", of) for of in ("units", *ANY_ORDER, "shop", "is_open")),
    made("distinct", "word", "is_open"),
    *(made("quantile", of, quantile=share, method="discrete") for of in ANY_ORDER for share in ("0", P90, "1")),
    *(made("median", of, where, scale=6) for of in ("units", "big", "price") for where in (None, "is_open")),
    *(made("quantile", of, quantile=Decimal("0.123"), scale=3) for of in ("big", "price")),
    *(
        made(how, of, scale=3)
        for how in ("stddev_samp", "stddev_pop", "var_samp", "var_pop")
        for of in ("units", "price")
    ),
    made("stddev_samp", "big", "is_open"),
)
NAMES = tuple(measure.name for measure in MEASURES)


def sales(engine: str, measures: tuple[Measure, ...] = MEASURES) -> Pipeline:
    """Return a pipeline with these measures, by shop and by day."""
    names = tuple(measure.name for measure in measures)
    return Pipeline(
        name="sales",
        description="Sales",
        files=(SALES,),
        facts="sales",
        day_columns=("sold_on",),
        measures=measures,
        summaries=(
            Summary(name="by_shop", by=("shop", "is_open"), columns=names),
            Summary(name="by_day", columns=names),
        ),
        target=Target(schema="sales"),
        schedule=Schedule(start=DAY),
        engine=engine,
    )


def perhaps(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Return values among which many are nothing, and many equal."""
    return st.none() | values


EDGES = st.sampled_from([2**63 - 1, -(2**63) + 1, 2**62, 0, -1, 1])
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "shop": perhaps(st.sampled_from(["Ä", "a", "Z", "", "\U0001f600", "\uffff"])),
            "is_open": perhaps(st.booleans()),
            "units": perhaps(st.integers(-3, 3) | st.integers(-(10**9), 10**9)),
            "big": perhaps(EDGES | st.integers(-(2**63) + 1, 2**63 - 1)),
            "price": perhaps(st.decimals(-(10**13), 10**13, places=4) | st.sampled_from([Decimal("0.0001")])),
            "until": perhaps(st.dates(date(1, 1, 1)) | st.just(DAY)),
            "at": perhaps(st.integers(-(6 * 10**16), 2 * 10**17).map(lambda n: EPOCH + timedelta(microseconds=n))),
            "word": perhaps(st.text(st.characters(exclude_categories=["Cs"]), max_size=3) | st.sampled_from("aaZ")),
        }
    ),
    max_size=30,
)


def summaries_of(rows: list[dict[str, Any]], pipeline: Pipeline) -> tuple[pa.Table, dict[str, pa.Table]]:
    """Return the facts of rows, and the summaries that the steps make of them."""
    schema = rows_schema(list(fact_columns(pipeline).values()))
    facts = pa.Table.from_pylist([{"line": n, "sold_on": DAY, **row} for n, row in enumerate(rows)], schema=schema)
    return facts, summarize(aggregate(facts, pipeline), pipeline, DAY, per_summary(facts, pipeline))


def rounded(number: Fraction, scale: int) -> Decimal:
    """Return a number to so many digits, half away from zero."""
    return EXACT.quantize(EXACT.divide(number.numerator, number.denominator), Decimal(1).scaleb(-scale))


def quantile(values: list[Any], measure: Measure) -> Any:
    """Return the quantile of ordered values, by the definitions of percentile_disc and percentile_cont."""
    share = Fraction(measure.quantile if measure.quantile is not None else Decimal("0.5"))
    if measure.method == "discrete":
        return next(value for n, value in enumerate(values, 1) if Fraction(n, len(values)) >= share)
    at = share * (len(values) - 1)
    below = int(at)
    low, high = Fraction(values[below]), Fraction(values[min(below + 1, len(values) - 1)])
    return rounded(low + (at - below) * (high - low), measure.scale)


def spread(values: list[Any], measure: Measure) -> Decimal | None:
    """Return the variance or standard deviation of values."""
    of = {"samp": statistics.variance, "pop": statistics.pvariance}[measure.how.partition("_")[2]]
    if len(values) < 2 and measure.how.endswith("samp"):
        return None
    variance = of([Fraction(value) for value in values])
    if measure.how.startswith("var"):
        return rounded(variance, measure.scale)
    root = EXACT.sqrt(EXACT.divide(variance.numerator, variance.denominator))
    return EXACT.quantize(root, Decimal(1).scaleb(-measure.scale))


def plainly(rows: list[dict[str, Any]], measure: Measure) -> Any:
    """Return a measure of rows, computed by Python alone."""
    counted = [row for row in rows if measure.where is None or row[str(measure.where)]]
    of = [row[str(measure.of)] for row in counted] if measure.of else counted
    values: list[Any] = [value for value in of if value is not None]
    of_none: dict[str, Callable[[list[Any]], Any]] = {"count": len, "sum": sum, "distinct": lambda v: len(set(v))}
    if measure.how in of_none:
        return of_none[measure.how](values)
    if not values:
        return None
    if measure.how in ("min", "max"):
        return {"min": min, "max": max}[measure.how](values)
    return quantile(sorted(values), measure) if measure.is_quantile else spread(values, measure)


ONE = {"shop": "a", "is_open": True, "units": 3, "big": 2**63 - 1, "price": Decimal("0.0050"), "until": DAY}
ONE |= {"at": datetime(2026, 1, 10, 5, 30, 0, 1, tzinfo=UTC), "word": "\uffff"}


@pytest.mark.parametrize("engine", ENGINES)
@settings(max_examples=10, deadline=None)
@given(rows=ROWS)
@example(rows=[])
@example(rows=[ONE])
@example(rows=[ONE, ONE | {"big": -(2**63) + 1, "word": "\U0001f600", "is_open": None}] * 9)
def test_every_measure_is_what_plain_python_makes_of_the_rows(engine: str, rows: list[dict[str, Any]]) -> None:
    pipeline = sales(engine)
    facts, summaries = summaries_of(rows, pipeline)
    (of_day,) = summaries["by_day"].to_pylist()
    assert {name: of_day[name] for name in NAMES} == {one.name: plainly(rows, one) for one in MEASURES}
    groups = {(row["shop"], row["is_open"]) for row in rows}
    assert summaries["by_shop"].num_rows == len(groups)
    for found in summaries["by_shop"].to_pylist():
        group = {name: found[name] for name in ("shop", "is_open")}
        of_group = [row for row in rows if {name: row[name] for name in group} == group]
        assert {name: found[name] for name in NAMES} == {one.name: plainly(of_group, one) for one in MEASURES}
        traced = rows_of(facts, group)
        assert {name: found[name] for name in NAMES} == {name: recomputed(traced, pipeline, name) for name in NAMES}


@pytest.mark.parametrize("engine", ENGINES)
def test_groups_of_every_kind_have_their_measures_and_nothing_is_a_group_too(engine: str) -> None:
    by = ("price", "until", "at", "is_open", "big", "word")
    pipeline = sales(engine, (made("count"), made("median", "units"))).model_copy(
        update={"summaries": (Summary(name="by_all", by=by, columns=("count", "median_units")),)}
    )
    rows = [
        ONE,
        ONE | {"price": Decimal("-3.1")},
        ONE | dict.fromkeys(by),
        ONE | {"price": Decimal("-3.1"), "units": 8},
    ]
    found = summaries_of(rows, pipeline)[1]["by_all"].to_pylist()
    assert [(one["price"], one["word"], one["count"], one["median_units"]) for one in found] == [
        (Decimal("-3.1000"), "\uffff", 2, Decimal("5.50")),
        (Decimal("0.0050"), "\uffff", 1, Decimal("3.00")),
        (None, None, 1, Decimal("3.00")),
    ]


@pytest.mark.parametrize("engine", ENGINES)
def test_values_far_from_zero_have_their_exact_spread(engine: str) -> None:
    measures = (made("stddev_pop", "big", scale=4), made("var_samp", "units", scale=0))
    rows = [{"big": 2**62 + number % 7, "units": number} for number in range(-500, 500)]
    _, summaries = summaries_of(rows, sales(engine, measures))
    (found,) = summaries["by_day"].to_pylist()
    assert found["stddev_pop_big_4"] == rounded(Fraction(statistics.pstdev([n % 7 for n in range(-500, 500)])), 4)
    assert found["var_samp_units_0"] == 83417  # n * (n + 1) / 12 = 83416.67


def test_a_result_with_over_38_digits_is_refused() -> None:
    measures = (made("var_pop", "big", scale=4),)
    with pytest.raises(
        BadData, match="measure 'var_pop_big_4' has more than 38 digits; nothing was published; mend the"
    ):
        summaries_of([{"big": 2**63 - 1}, {"big": -(2**63) + 1}], sales("polars", measures))


@pytest.mark.parametrize("engine", ENGINES)
def test_many_values_are_counted_as_few_are(engine: str) -> None:
    measures = (
        made("distinct", "units"),
        made("median", "units"),
        made("max", "at"),
        made("stddev_pop", "units", scale=6),
    )
    rows = [
        {"units": number * 7919 % 100_003, "at": datetime(2026, 1, 1, tzinfo=UTC) + timedelta(0, number)}
        for number in range(5000)
    ]
    _, summaries = summaries_of(rows * 2, sales(engine, measures))
    (found,) = summaries["by_day"].to_pylist()
    assert [found[measure.name] for measure in measures] == [plainly(rows * 2, measure) for measure in measures]
