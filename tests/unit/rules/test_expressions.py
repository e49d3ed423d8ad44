"""Expressions give what Python's own numbers, texts and dates give, on all three engines, to the last digit.

`meant` computes an expression for one row in a second way: with Fractions, Python's texts and dates, and None.
"""

import html
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from daybook.errors import BadData
from daybook.rules.aggregate import aggregate
from daybook.rules.checked import TOO_LARGE
from daybook.rules.clean import Cleaned, clean
from daybook.rules.evaluate import evaluated
from daybook.rules.index import index
from daybook.rules.per_summary import per_summary
from daybook.rules.recompute import recomputed
from daybook.rules.summarize import summarize
from daybook.spec import (
    Expression,
    Lookup,
    Measure,
    Summary,
    arrow_type,
    boolean,
    col,
    day_date,
    decimal,
    instant,
    integer,
    lit,
    text,
    timestamp,
    when,
)
from daybook.spec.kinds import _GIVES, WrongKind, result_of
from deployment.home import REPOSITORY
from tests.support.shop import CUSTOMERS, DAY, SALES, SHOPS, shop

ENGINES = ("polars", "pandas", "duckdb")
COLUMNS = (
    integer("n"),
    integer("m"),
    decimal("p", digits=9, scale=2),
    decimal("q", digits=18, scale=4),
    text("s"),
    text("t"),
    boolean("b"),
    boolean("c"),
    day_date("d"),
    day_date("e"),
    timestamp("at"),
)
# Those of docs/expressions.md.
DRAWN = {
    "price_eur": decimal("price_eur", digits=9, scale=2),
    "discount": decimal("discount", digits=4, scale=2),
    "quantity": integer("quantity"),
    "customer": text("customer"),
    "kind": text("kind"),
    "is_member": boolean("is_member"),
    "sold_on": day_date("sold_on"),
    "sent_on": day_date("sent_on"),
    "paid_at": timestamp("paid_at"),
}
OTHERS = (integer("id"), day_date("day", "counted_on"), text("shop"))
SALES_OF_ALL = SALES.model_copy(update={"columns": (*OTHERS, *COLUMNS, *DRAWN.values()), "null_tokens": ()})
KNOWN = {column.name: column for column in COLUMNS}
ZONE = ZoneInfo("Europe/Madrid")


class TooLarge(Exception):
    """A value that does not fit."""


class ByZero(Exception):
    """A division by zero that refuses the row."""


def cleaned(rows: list[dict[str, Any]], derived: Any, engine: str = "polars", **words: Any) -> Cleaned:
    """Return what `clean` makes of rows, whose further columns are derived."""
    whole = [{"id": number, "counted_on": DAY, "shop": "A1"} | row for number, row in enumerate(rows, start=2)]
    columns = {c.header: pa.array([row.get(c.name) for row in whole], arrow_type(c)) for c in SALES_OF_ALL.columns}
    table = pa.table({"line": pa.array(range(2, len(rows) + 2), pa.int64()), **columns})
    return clean(table, SALES_OF_ALL, pipeline(derived, engine, **words), DAY)


def pipeline(derived: Any, engine: str = "polars", **words: Any) -> Any:
    """Return the shop's pipeline over these columns."""
    own = {
        "files": (SALES_OF_ALL,),
        "day_columns": ("counted_on",),
        "tables": (SHOPS,),
        "lookups": (),
        "measures": (Measure(name="sales", how="count"),),
        "ratios": (),
        "summaries": (Summary(name="by_day", columns=("sales",)),),
    }
    return shop(**(own | {"derived": derived, "engine": engine} | words))


def values(expression: Expression, rows: list[dict[str, Any]], engine: str = "polars") -> list[Any]:
    """Return the values of an expression for each row."""
    found: list[Any] = cleaned(rows, {"x": expression}, engine).kept["x"].to_pylist()
    return found


# A second way to compute: row by row.


def meant(expression: Expression, row: dict[str, Any]) -> Any:
    """Return the value that an expression means for a row. Raises TooLarge and ByZero."""
    operator, words = expression.operator, expression.words
    if operator == "column":
        return exact(row[str(words[0])])
    if operator == "literal":
        return exact(words[0])
    given = result_of(expression, KNOWN)
    scale = given.scale if given.kind in ("integer", "decimal") else None
    if operator == "when":
        return fitting(chosen(expression, row), scale)
    if operator == "fill":
        first = meant(expression.of[0], row)
        return fitting(meant(expression.of[1], row) if first is None else first, scale)
    of = [meant(one, row) for one in expression.of]
    if operator in THREE_VALUED:
        return THREE_VALUED[operator](*of)
    if None in of[: 1 if operator == "is_in" else 2]:
        return None
    return fitting(PLAIN[operator](*of, *words), scale)


def exact(value: Any) -> Any:
    """Return a number as a Fraction; any other value as it is."""
    return Fraction(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


def fitting(value: Any, scale: int | None) -> Any:
    if scale is not None and value is not None and not -(2**63) <= value * 10**scale < 2**63:
        raise TooLarge
    return value


def chosen(expression: Expression, row: dict[str, Any]) -> Any:
    *pairs, last = expression.of
    # Each condition is computed for each row, as in SQL.
    conditions = [meant(condition, row) for condition in pairs[::2]]
    taken = next((value for is_true, value in zip(conditions, pairs[1::2], strict=True) if is_true), last)
    return meant(taken, row)


def away(value: Fraction, scale: int) -> Fraction:
    """Return a number rounded half away from zero."""
    units = int(abs(value) * 10**scale + Fraction(1, 2))
    return Fraction(units if value >= 0 else -units, 10**scale)


def divided(top: Fraction, bottom: Fraction, scale: int, by_zero: str) -> Fraction | None:
    if bottom == 0:
        if by_zero == "refuse":
            raise ByZero
        return Fraction(0)
    return away(top / bottom, scale)


def days_later(day: date, days: Fraction) -> date:
    try:
        return day + timedelta(days=int(days))
    except OverflowError:
        raise TooLarge from None


def local(at: datetime) -> datetime:
    try:
        return at.astimezone(ZONE)
    except OverflowError:
        raise TooLarge from None


def plus(left: Any, right: Any) -> Any:
    if isinstance(right, date):
        return days_later(right, left)
    return days_later(left, right) if isinstance(left, date) else left + right


def minus(left: Any, right: Any) -> Any:
    if isinstance(left, date):
        return Fraction((left - right).days) if isinstance(right, date) else days_later(left, -right)
    return left - right


THREE_VALUED: dict[str, Callable[..., Any]] = {
    "&": lambda a, b: False if a is False or b is False else (None if None in (a, b) else True),
    "|": lambda a, b: True if a is True or b is True else (None if None in (a, b) else False),
    "is_null": lambda a: a is None,
}
PLAIN: dict[str, Callable[..., Any]] = {
    "+": plus,
    "-": minus,
    "*": lambda a, b: a * b,
    "negate": lambda a: -a,
    "abs": abs,
    "round": away,
    "divided_by": divided,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "is_in": lambda a, *others: a in others,
    "~": lambda a: not a,
    "year": lambda d: Fraction(d.year),
    "quarter": lambda d: Fraction((d.month + 2) // 3),
    "month": lambda d: Fraction(d.month),
    "day_of_month": lambda d: Fraction(d.day),
    "weekday": lambda d: Fraction(d.isoweekday()),
    "iso_week": lambda d: Fraction(d.isocalendar().week),
    "iso_year": lambda d: Fraction(d.isocalendar().year),
    "first_of_month": lambda d: d.replace(day=1),
    "local_date": lambda at: local(at).date(),
    "local_hour": lambda at: Fraction(local(at).hour),
    "length": lambda s: Fraction(len(s)),
    "slice": lambda s, start, length: s[start:][: len(s) if length is None else length],
    "upper": str.upper,
    "lower": str.lower,
    "strip": str.strip,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "contains": lambda s, other: other in s,
    "replace": str.replace,
}

# Values and expressions that Hypothesis makes: few values, at the edges.

WHOLE = st.sampled_from([0, 1, -1, 2, 7, -250, 10**9, 2**62, -(2**63), 2**63 - 1]) | st.integers(-999, 999)
CENTS = st.sampled_from([0, 5, -5, 150, 999_999_999, -999_999_999]).map(lambda n: Decimal(n).scaleb(-2))
FINE_DECIMALS = st.sampled_from([0, 1, -49_999, 50_000, 10**18 - 1, 1 - 10**18, 3]).map(lambda n: Decimal(n).scaleb(-4))
TEXTS = st.sampled_from(["", "a", "Straße", "İx", "ǆ é", " \u00a0b\t", "日本語", "\U0001f600a", "aXa", "ÀÉ", "e\u0301"])
DAYS = st.sampled_from([date(1, 1, 1), date(9999, 12, 31), date(1969, 12, 31), date(2024, 2, 29)]) | st.dates()
SECONDS = st.sampled_from([1774747800, 1774746000, 1792890000, -2_177_453_500, 253_402_298_000])
INSTANTS = (SECONDS | st.integers(-2_500_000_000, 4_000_000_000)).map(lambda one: datetime.fromtimestamp(one, UTC))
BOOLEANS = st.booleans()
CELLS = {
    **dict.fromkeys(("n", "m"), WHOLE),
    "p": CENTS,
    "q": FINE_DECIMALS,
    **dict.fromkeys(("s", "t"), TEXTS),
    **dict.fromkeys(("b", "c"), BOOLEANS),
    **dict.fromkeys(("d", "e"), DAYS),
    "at": INSTANTS,
}


def row_of(expression: Expression) -> Any:
    """Return rows with the columns that an expression needs."""
    return st.fixed_dictionaries({name: st.none() | CELLS[name] for name in expression.names()})


SCALES = st.integers(0, 6)


def numbers(of: dict[str, Any]) -> Any:
    number, condition = of["number"], of["condition"]
    dates, texts = of["date"], of["text"]
    return (
        st.tuples(number, number).map(lambda two: two[0] + two[1])
        | st.tuples(number, number).map(lambda two: two[0] - two[1])
        | st.tuples(number, number).map(lambda two: two[0] * two[1])
        | number.map(lambda one: -one)
        | number.map(abs)
        | st.tuples(number, SCALES).map(lambda two: two[0].round(two[1]))
        | st.tuples(number, number, SCALES).map(lambda three: quotient(*three))
        | st.tuples(number, number).map(lambda two: two[0].fill(two[1]))
        | st.tuples(condition, number, number).map(lambda three: when(three[0]).then(three[1]).otherwise(three[2]))
        | st.tuples(dates, dates).map(lambda two: two[0] - two[1])
        | dates.flatmap(
            lambda one: st.sampled_from(
                [one.year(), one.quarter(), one.month(), one.weekday(), one.iso_week(), one.iso_year()]
            )
        )
        | texts.map(lambda one: one.length())
        | st.just(col("at").local_hour())
    )


def quotient(top: Expression, bottom: Expression, scale: int) -> Expression:
    """Return a division of which no row is by zero."""
    return top.divided_by(when(bottom == 0).then(3).otherwise(bottom), scale=scale, by_zero="refuse")


def conditions(of: dict[str, Any]) -> Any:
    condition, same = (
        of["condition"],
        st.sampled_from(["number", "date", "text"]).flatmap(lambda kind: st.tuples(of[kind], of[kind])),
    )
    compare = st.sampled_from(["__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"])
    return (
        st.tuples(compare, same).map(lambda two: getattr(two[1][0], two[0])(two[1][1]))
        | st.tuples(condition, condition).map(lambda two: two[0] & two[1])
        | st.tuples(condition, condition).map(lambda two: two[0] | two[1])
        | condition.map(lambda one: ~one)
        | st.sampled_from(["number", "date", "text", "condition"])
        .flatmap(lambda kind: of[kind])
        .map(Expression.is_null)
        | of["number"].map(lambda one: one.is_in(0, Decimal("-2.50"), 7))
        | of["text"].map(lambda one: one.is_in("a", "STRASSE"))
        | st.tuples(compare, INSTANTS | st.just(col("at"))).map(lambda two: getattr(col("at"), two[0])(two[1]))
        | INSTANTS.map(lambda one: when(col("b")).then(one).otherwise(col("at")).is_in(one))
        | of["text"].flatmap(
            lambda one: st.sampled_from([one.starts_with("a"), one.ends_with("é"), one.contains("aß"), one == one])
        )
    )


def further_texts(of: dict[str, Any]) -> Any:
    one = of["text"]
    return (
        st.tuples(one, one).map(lambda two: two[0] + "-" + two[1])
        | one.map(Expression.upper)
        | one.map(Expression.lower)
        | one.map(Expression.strip)
        | st.tuples(one, st.integers(-4, 4), st.none() | st.integers(0, 3)).map(lambda w: w[0].slice(w[1], w[2]))
        | one.map(lambda text: text.replace("a", "ẞ.*"))
        | st.tuples(of["condition"], one).map(lambda two: when(two[0]).then(two[1]).otherwise(None))
    )


def further_dates(of: dict[str, Any]) -> Any:
    return (
        st.tuples(of["date"], st.integers(-400, 400)).map(lambda two: two[0] + two[1])
        | st.tuples(of["date"], st.just(col("n"))).map(lambda two: two[0] - two[1])
        | of["date"].map(Expression.first_of_month)
        | st.tuples(of["date"], of["date"]).map(lambda two: two[0].fill(two[1]))
    )


def expressions() -> Any:
    """Return expressions of each kind, up to three operators deep."""
    of = {
        "number": st.sampled_from([col("n"), col("m"), col("p"), col("q"), lit(1), lit(Decimal("-0.05"))]),
        "condition": st.sampled_from([col("b"), col("c"), lit(True)]),
        "text": st.sampled_from([col("s"), col("t"), lit("ß")]),
        "date": st.sampled_from([col("d"), col("e"), col("at").local_date(), lit(date(2024, 2, 29))]),
    }
    for _ in range(2):
        of = {
            "number": of["number"] | numbers(of),
            "condition": of["condition"] | conditions(of),
            "text": of["text"] | further_texts(of),
            "date": of["date"] | further_dates(of),
        }
    return st.one_of(*of.values())


def outcome(expression: Expression, row: dict[str, Any]) -> Any:
    """Return the value that is meant, or the error."""
    try:
        found = meant(expression, row)
        given = result_of(expression, KNOWN)
        is_too_large = (
            given.kind == "decimal" and found is not None and abs(found) * 10**given.scale >= 10**given.digits
        )
        return TooLarge if is_too_large else found
    except TooLarge:
        return TooLarge


EXPRESSIONS = expressions()


def has_kind(expression: Expression) -> bool:
    """Return whether an expression has no number with too many digits after the point."""
    try:
        return bool(result_of(expression, KNOWN))
    except WrongKind:
        return False


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data(), expression=EXPRESSIONS)
def test_each_expression_gives_what_python_gives(data: st.DataObject, expression: Expression) -> None:
    rows = data.draw(st.lists(row_of(expression), max_size=3))
    assume(has_kind(expression))
    names = expression.names()
    columns = {name: pa.array([row[name] for row in rows], arrow_type(KNOWN[name])) for name in names}
    table = pa.table({"line": pa.array(range(len(rows)), pa.int64()), **columns})
    found = evaluated(expression, table, KNOWN, ZONE.key)
    assert [outcome(expression, row) for row in rows] == [
        TooLarge if fault == TOO_LARGE else exact(value)
        for value, fault in zip(found.values.to_pylist(), found.faults.to_pylist(), strict=True)
    ]


# What docs/expressions.md shows, and what becomes of rows that do not fit, on every engine.

DOCUMENT = (REPOSITORY / "docs" / "expressions.md").read_text()
SHOWN = re.findall(r"(?m)^\| (?:`|<code>)([^`]*?)(?:`|</code>) \| (`.*?) \| (.*) \|$", DOCUMENT)
READ: dict[str, Callable[[str], Any]] = {
    "decimal": Decimal,
    "integer": int,
    "text": str,
    "boolean": {"yes": True, "no": False}.__getitem__,
    "date": date.fromisoformat,
    "timestamp": lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC),
}
WORDS = {"col": col, "lit": lit, "when": when, "Decimal": Decimal, "date": date, "instant": instant}


def drawn(cells: str) -> dict[str, Any]:
    """Return the values of a row that the document shows."""
    pairs = re.findall(r"`(\w+)` ([^,]+)", cells)
    return {name: None if cell == "nothing" else READ[DRAWN[name].kind](cell) for name, cell in pairs}


@pytest.mark.parametrize("engine", ENGINES)
def test_the_document_shows_what_each_engine_gives(engine: str) -> None:
    written = [html.unescape(expression) for expression, _, _ in SHOWN]
    derived = {f"x{number}": eval(one, WORDS) for number, one in enumerate(written)}  # noqa: S307 - our own document
    kept = cleaned([drawn(cells) for _, cells, _ in SHOWN], derived, engine).kept
    found = [shown(kept[f"x{number}"][number].as_py()) for number in range(len(SHOWN))]
    assert found == [gives for _, _, gives in SHOWN]
    operators = frozenset[str]().union(*(one.operators() for one in derived.values()))
    assert operators | {"literal"} == {"column", *_GIVES}


def shown(value: Any) -> str:
    """Return a value as the document shows it."""
    if value is None:
        return "nothing"
    return ("no", "yes")[value] if isinstance(value, bool) else str(value)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_row_that_divides_by_zero_is_refused_if_the_spec_says_so(engine: str) -> None:
    each = col("n").divided_by(col("m"), scale=2, by_zero="refuse")
    rows: list[dict[str, Any]] = [{"n": 1, "m": 3}, {"n": 1, "m": 0}, {"n": None, "m": 0}, {"n": -1, "m": 8}]
    found = cleaned(rows, {"each": each, "twice": col("each") * 2}, engine)
    assert found.kept["each"].to_pylist() == [Decimal("0.33"), None, Decimal("-0.13")]
    assert found.refused.to_pylist() == [{"line": 3, "column": "each", "reason": "division_by_zero"}]
    guarded = when(col("m") == 0).then(None).otherwise(each)
    assert values(guarded, rows, engine) == [Decimal("0.33"), None, None, Decimal("-0.13")]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_value_that_does_not_fit_refuses_the_day_with_line_and_column(engine: str) -> None:
    rows: list[dict[str, Any]] = [{"n": number, "q": Decimal("0.5")} for number in (1, 10**15, 10**15)]
    with pytest.raises(BadData) as refused:
        values(col("n") * col("q"), rows, engine)
    assert str(refused.value).startswith(
        "shop: sales, line 3 and 1 more, column 'x': col('n') * col('q') gives a value that does not fit: a number has "
    )
    assert values(when(col("n") < 9).then(col("n") * col("q")).otherwise(0), rows, engine) == [Decimal("0.5"), 0, 0]
    # A row that is refused for another reason stops nobody.
    twice = [{"n": 10**15, "q": Decimal("0.5"), "id": 2}, {"n": 10**15, "q": Decimal("0.5"), "id": 2}]
    assert cleaned(twice, {"x": col("n") * col("q")}, engine).refused["reason"].to_pylist() == ["key_conflict"] * 2


@pytest.mark.parametrize("engine", ENGINES)
def test_a_column_is_derived_of_what_was_looked_up(engine: str) -> None:
    derived = {"key": col("s").upper(), "per_year": col("n").divided_by(col("age"), scale=1, by_zero="refuse")}
    by_name = CUSTOMERS.model_copy(update={"columns": (text("name"), integer("age")), "key": ("name",)})
    lookup = Lookup(source="customers", key={"name": "key"}, gives={"age": "age"}, when_unknown="keep")
    words = {"tables": (by_name,), "lookups": (lookup,)}
    rows = [{"n": 7, "s": "ann"}, {"n": 7, "s": "bob"}, {"n": 7, "s": "eve"}, {"n": 8, "s": "new"}]
    facts = cleaned(rows, derived, engine, **words).kept
    known = pa.table({"line": [2, 3, 4], "name": ["ANN", "BOB", "NEW"], "age": [2, 0, None]})
    found = index(facts, {"customers": known}, pipeline(derived, engine, **words), DAY)
    assert found.facts.select(["key", "per_year"]).to_pylist() == [
        {"key": "ANN", "per_year": Decimal("3.5")},
        {"key": "EVE", "per_year": None},
        {"key": "NEW", "per_year": None},
    ]
    assert found.refused.to_pylist() == [{"line": 3, "column": "per_year", "reason": "division_by_zero"}]
    assert found.unknown == {"customers": 1}


def test_a_day_without_rows_has_its_derived_columns() -> None:
    found = cleaned([], {"x": col("p") * col("q"), "y": col("s").upper(), "z": col("at").local_date()}).kept
    assert [str(kind) for kind in found.schema.types[-3:]] == ["decimal128(18, 6)", "string", "date32[day]"]


MEASURED = {
    "revenue": Measure(name="revenue", how="sum", of=col("p") * col("n")),
    "large": Measure(name="large", how="count", where=(col("p") > 1) & ~col("b")),
    "longest": Measure(name="longest", how="max", of=col("s").length(), where="c"),
    "hours": Measure(name="hours", how="distinct", of=col("at").local_hour()),
}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_measure_is_of_an_expression_and_of_rows_for_which_one_is_true(engine: str) -> None:
    winter, summer = datetime(2026, 1, 9, 23, tzinfo=UTC), datetime(2026, 7, 9, 22, tzinfo=UTC)
    rows: list[dict[str, Any]] = [
        {"n": 2, "p": Decimal("1.25"), "b": False, "c": True, "s": "Zoë", "at": winter},
        {"n": 3, "p": Decimal("0.10"), "b": False, "c": None, "s": "longer", "at": summer},
        {"n": 4, "p": Decimal("9.99"), "b": None, "c": True, "s": "日本"},
    ]
    whole = (Summary(name="by_day", columns=tuple(MEASURED)),)
    spec = pipeline({}, engine, measures=tuple(MEASURED.values()), summaries=whole)
    facts = cleaned(rows, {}, engine, measures=tuple(MEASURED.values()), summaries=whole).kept
    (found,) = summarize(aggregate(facts, spec), spec, DAY, per_summary(facts, spec))["by_day"].to_pylist()
    meant = {"revenue": Decimal("42.76"), "large": 1, "longest": 3, "hours": 1}
    assert {name: found[name] for name in meant} == meant
    assert {name: recomputed(facts, spec, name) for name in meant} == meant
    with pytest.raises(BadData, match=r"sales, line 4, measure 'revenue': col\('p'\) \* col\('n'\) gives a value that"):
        aggregate(cleaned([*rows[:2], rows[2] | {"n": 10**17}], {}, engine).kept, spec)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_row_that_breaks_a_rule_is_refused_by_its_name(engine: str) -> None:
    by_name = CUSTOMERS.model_copy(update={"columns": (text("name"), integer("age")), "key": ("name",)})
    lookup = Lookup(source="customers", key={"name": "s"}, gives={"age": "age"}, when_unknown="keep")
    rules = {
        "positive": col("n") > 0,
        "twice_at_most_m": col("twice") <= col("m"),
        "of_age": col("age") >= 18,
    }
    words = {"tables": (by_name,), "lookups": (lookup,), "rules": rules}
    derived = {"twice": col("n") * 2}
    rows: list[dict[str, Any]] = [
        {"n": 1, "m": 2, "s": "ann"},
        {"n": 2, "m": 3, "s": "ann"},
        {"n": -1, "m": -3, "s": "ann"},
        {"n": 1, "m": None, "s": "new"},
        {"n": 1, "m": 5, "s": "kid"},
    ]
    found = cleaned(rows, derived, engine, **words)
    assert found.refused.to_pylist() == [
        {"line": 3, "column": None, "reason": "twice_at_most_m"},
        {"line": 4, "column": None, "reason": "positive"},
    ]
    known = pa.table({"line": [2, 3], "name": ["ann", "kid"], "age": [40, 9]})
    facts = index(found.kept, {"customers": known}, pipeline(derived, engine, **words), DAY)
    assert facts.refused.to_pylist() == [{"line": 6, "column": None, "reason": "of_age"}]
    assert facts.facts["line"].to_pylist() == [2, 5]
    assert facts.unknown == {"customers": 1}


@pytest.mark.parametrize("engine", ENGINES)
def test_a_measure_that_refuses_a_division_by_zero_refuses_the_day_with_line_and_column(engine: str) -> None:
    rate = col("n").divided_by(col("m"), scale=2, by_zero="refuse")
    rows: list[dict[str, Any]] = [{"n": 1, "m": 4}, {"n": 1, "m": 0}, {"n": None, "m": 0}, {"n": 2, "m": 0}]

    def total(**words: Any) -> pa.Table:
        measures = (Measure(name="sales", how="count"), Measure(name="rate", **words))
        facts = cleaned(rows, {}, engine, measures=measures).kept
        return aggregate(facts, pipeline({}, engine, measures=measures))

    says = r"sales, line 3 and 1 more, measure 'rate': .* divides by zero \(column 'm'\), which it is to refuse"
    with pytest.raises(BadData, match=says):
        total(how="sum", of=rate)
    with pytest.raises(BadData, match=says):
        total(how="count", where=rate > 0)
    assert total(how="sum", of=rate, where=col("m") > 0)["rate"].to_pylist() == [Decimal("0.25")]
    nothing = col("n").divided_by(col("m"), scale=2, by_zero="nothing")
    assert total(how="sum", of=nothing)["rate"].to_pylist() == [Decimal("0.25")]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_row_that_divides_by_zero_does_not_keep_to_a_rule_that_refuses_it(engine: str) -> None:
    rows: list[dict[str, Any]] = [{"n": 1, "m": 4}, {"n": 1, "m": 0}, {"n": 9, "m": 1}, {"n": None, "m": 0}]
    small = col("n").divided_by(col("m"), scale=2, by_zero="refuse") < 3
    found = cleaned(rows, {}, engine, rules={"small": small})
    assert found.refused.select(["line", "reason"]).to_pylist() == [
        {"line": 3, "reason": "small"},
        {"line": 4, "reason": "small"},
    ]
    assert found.kept["line"].to_pylist() == [2, 5]
