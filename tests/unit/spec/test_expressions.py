"""Expressions are values: written as in Python, compared as a whole, hashed, and checked when the spec is built."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from daybook.errors import BadSpec
from daybook.ledger.fingerprint import spec_of
from daybook.spec import Derived, Expression, Lookup, Measure, Pipeline, Summary, col, instant, lit, when
from tests.support.shop import shop

WRITTEN = [
    "col('a') * (1 - col('b'))",
    "(col('a') + 1) * -col('b')",
    "-(col('a') - (col('b') - 2)).round(2)",
    "abs(col('a')) + 1",
    "(col('a') > 1) & ~(col('b') == col('c')) | col('d').is_null()",
    "lit(5) < col('a')",
    "col('a') & (col('b') | col('c')) == True",
    "col('a').divided_by(col('b'), scale=4, by_zero='nothing').fill(Decimal('-0.5'))",
    "when(col('a') > 1).then('x').when(col('b')).then(None).otherwise('y' + col('c'))",
    """col('a').is_in('x', "it's").is_null()""",
    "date(2026, 1, 10) - col('a').first_of_month() + 3",
    "col('a').slice(-3, 2).upper().replace('.', '')",
    "lit(1) + 2 + col('a').fill(-3)",
    "col('a') >= instant('2013-01-01T00:00:00.250000Z')",
    "lit(instant('2013-01-01T00:00:00Z')) < col('a')",
]
WORDS = {"col": col, "lit": lit, "when": when, "Decimal": Decimal, "date": date, "instant": instant}


def read(written: str) -> Expression:
    """Return the expression that a text is."""
    return eval(written, WORDS)  # type: ignore[no-any-return]  # noqa: S307 - our own text


COUNT = shop().measures[:1]
BY_DAY = (Summary(name="by_day", columns=("sales",)),)
OLD: dict[str, Any] = {"name": "x", "column": "a", "test": "is_over", "value": 1}
ONE: dict[str, Any] = {"measures": COUNT, "ratios": (), "summaries": BY_DAY}


@pytest.mark.parametrize("written", WRITTEN)
def test_an_expression_is_shown_as_it_is_written(written: str) -> None:
    assert repr(read(written)) == written
    assert read(repr(read(written))).equals(read(written))


def test_two_expressions_are_the_same_if_they_are_written_the_same() -> None:
    all_equal = [[read(one).equals(read(other)) for other in WRITTEN] for one in WRITTEN]
    assert all_equal == [[one == other for other in WRITTEN] for one in WRITTEN]
    assert not lit(1).equals(lit("1"))
    assert not lit(1).equals(lit(True))
    assert not lit(Decimal("1.0")).equals(lit(Decimal("1.00")))
    assert instant("2013-01-01T02:00:00+02:00").equals(lit(datetime(2013, 1, 1, tzinfo=UTC)))


def test_values_with_equal_expressions_are_equal_and_others_are_not() -> None:
    one, same, other = (Derived(name="x", of=col("id") * factor) for factor in (2, 2, 3))
    assert one == same
    assert hash(one) == hash(same)
    assert one != other
    assert shop(derived=(one,), **ONE) == shop(derived={"x": col("id") * 2}, **ONE)
    assert shop(derived=(one,), **ONE) != shop(derived=(other,), **ONE)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: bool(col("a")), "write & for `and`, | for `or`, ~ for `not`"),
        (lambda: 0 < col("a") < 2, "col('a') > 0 has no truth of its own"),
        (lambda: not col("a"), "~ for `not`"),
        (lambda: col("a") * 0.1, '0.1 in an expression is refused: a float is not exact; write Decimal("0.1")'),
        (lambda: col("a") / 2, "a division needs a scale; write .divided_by(…, scale=4"),
        (lambda: col("a").divided_by(2, scale=4, by_zero="null"), 'it takes "nothing" or "refuse"'),  # type: ignore[arg-type]
        (lambda: col("a").round(19), "round, scale: 19 is refused: it takes an integer from 0 to 18"),
        (lambda: col("a") + Decimal("NaN"), "it is not a number"),
        (lambda: col("a") + Decimal("1E+18"), "more than 18 digits"),
        (lambda: col("a") + 2**63, "does not fit 64 bits"),
        (lambda: col("a") > datetime(2026, 1, 1), "it has no time zone; write instant('2026-01-01T00:00:00Z')"),  # noqa: DTZ001
        (lambda: instant("2013-01-01T00:00:00"), "it says no time zone; end it with Z"),
        (lambda: instant("2013-01-01"), "it says no time zone"),
        (lambda: instant("1.1.2013"), "it takes an instant as in '2013-01-01T00:00:00Z'"),
        (lambda: instant("2013-01-01T00:00:60Z"), "it takes an instant as in"),
        (lambda: instant("2013-01-01T00:00:00.1234567Z"), "at most six digits of a second"),
        (lambda: instant("0001-01-01T00:00:00+01:00"), "in no year from 1 to 9999"),
        (lambda: instant(2013), "instant(2013) is refused"),  # type: ignore[arg-type]
        (lambda: col("a").fill(when(col("b")).then(1)), "a choice ends with .otherwise(…)"),
        (lambda: col("a").is_in(), "is_in: it takes one or more values"),
        (lambda: col("a").is_in(1, None), "for nothing, is_null"),
        (lambda: col("a").is_in(col("b")), "for a column, write =="),
        (lambda: col("a").contains(""), "contains: '' is refused"),
        (lambda: col("a").slice(0, -1), "slice, length: -1 is refused"),
        (lambda: col(1), "it takes the name of a column"),  # type: ignore[arg-type]
        (lambda: Derived(**OLD), "derived={'x': col('a').is_null()}, or > or <= a value"),
        (lambda: lit(None), "write None where `then` or `otherwise` takes it"),  # type: ignore[arg-type]
    ],
)
def test_a_word_that_means_nothing_is_refused_with_the_right_one(build: Callable[[], Any], says: str) -> None:
    with pytest.raises(BadSpec) as refused:
        build()
    assert says in str(refused.value)


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        (col("kind") * 2, "shop.derived['x']: col('kind') * 2: * takes integers and decimals, not text and integer"),
        (
            col("amount_eur") + "1",
            "+ takes two numbers, two texts, or a date and a number of days, not decimal and text",
        ),
        (col("sold_on") * 2, "* takes integers and decimals, not date and integer"),
        (col("kind") == 1, "== takes two values of the same kind, or two numbers, not text and integer"),
        (col("kind").is_in("cash", 1), "is_in takes two values of the same kind"),
        (col("kind") == None, "nothing equals nothing; write .is_null()"),  # noqa: E711 - what a person may write
        (col("kind") & col("kind"), "& takes what is true or false, not text and text"),
        (when(col("id")).then(1).otherwise(0), "when takes conditions that are true or false, not integer"),
        (when(col("id") > 1).then(1).otherwise("a"), "when takes values of one kind, not integer and text"),
        (when(col("id") > 1).then(None).otherwise(None), "is nothing for each row; give it a value"),
        (col("id").fill("a"), "fill takes a value of the same kind, not integer and text"),
        (col("sold_on").upper(), "upper takes a text, not date"),
        (col("kind").month(), "month takes a date, not text"),
        (col("sold_on").local_date(), "local_date takes a timestamp, not date"),
        (col("sold_on") > instant("2026-01-01T00:00:00Z"), "two values of the same kind, or two numbers, not date and"),
        (
            col("amount_eur") * col("amount_eur") * lit(1).divided_by(3, scale=15, by_zero="nothing"),
            "has 19 digits after",
        ),
        (col("amount_euro") * 2, "'amount_euro' is not a column of the facts; did you mean 'amount_eur'?"),
        (col("x") + 1, "'x' is made after it; put 'x' before it"),
        (col("y") + 1, "'y' is made after it; put 'y' before it"),
    ],
)
def test_an_expression_over_the_wrong_kinds_is_refused_with_its_path(expression: Expression, says: str) -> None:
    with pytest.raises(BadSpec) as refused:
        shop(derived={"x": expression, "y": col("id") + 1})
    assert str(refused.value).startswith("shop.derived['x']: ")
    assert says in str(refused.value)


def test_a_derived_column_is_made_in_the_first_step_that_has_its_columns() -> None:
    derived = {
        "last": col("first") + 1,
        "of_city": col("city").length() + col("first"),
        "first": col("id"),
    }
    with pytest.raises(BadSpec, match=r"derived\['last'\]: 'first' is made after it"):
        shop(derived=derived)
    pipeline = shop(derived=dict(reversed(derived.items())), measures=COUNT, ratios=(), summaries=BY_DAY)
    changed = shop(derived={**dict(reversed(derived.items())), "of_city": col("city").length() - col("first")}, **ONE)
    assert steps_changed(pipeline, changed) == ["index"]
    assert steps_changed(pipeline, shop(derived={"first": col("id") + 0}, **ONE)) == ["clean", "index", "aggregate"]


def test_a_derived_column_cannot_have_a_name_of_the_steps_own() -> None:
    with pytest.raises(BadSpec, match=r"derived\['line'\]: the name is a word of Daybook's own"):
        shop(derived={"line": col("id") + 1}, **ONE)


def test_a_lookup_may_find_by_a_derived_column() -> None:
    derived = {"shop_key": col("shop").upper()}
    lookups = (Lookup(source="shops", key={"shop": "shop_key"}, gives={"city": "city"}, when_unknown="refuse"),)
    shop(derived=derived, lookups=lookups, **ONE)
    with pytest.raises(BadSpec, match="compared with 'shop', is integer in the facts and text in shops: never equal"):
        shop(derived={"shop_key": col("shop").length()}, lookups=lookups, **ONE)


def test_words_for_readers_change_no_fingerprint_and_the_zone_does_only_if_it_is_used() -> None:
    plain = shop(derived=(Derived(name="x", of=col("id") * 2),), **ONE)
    told = shop(derived=(Derived(name="x", of=col("id") * 2, description="Twice", unit="pieces"),), **ONE)
    assert steps_changed(plain, told) == []
    assert told.derived[0].unit == "pieces"
    elsewhere = plain.schedule.model_copy(update={"time_zone": "Asia/Tokyo"})
    assert steps_changed(plain, plain.model_copy(update={"schedule": elsewhere})) == []


def steps_changed(one: Pipeline, other: Pipeline) -> list[str]:
    """Return the steps whose part of the spec differs."""
    steps = ("extract_tables", "load", "clean", "index", "aggregate", "summarize")
    return [step for step in steps if spec_of(step, one) != spec_of(step, other)]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"how": "sum", "of": col("kind").upper()}, "measures[0].of: col('kind').upper() is text; it takes an integer"),
        (
            {"how": "sum", "of": col("amount_euro") * 2},
            "measures[0].of: 'amount_euro' is not a column of the facts",
        ),
        ({"how": "sum", "of": col("kind") * 2}, "measures[0].of: col('kind') * 2: * takes integers and decimals, not"),
        ({"how": "count", "where": col("id") + 1}, "measures[0].where: col('id') + 1 is integer; it takes a boolean"),
    ],
)
def test_a_measure_over_an_expression_of_the_wrong_kind_is_refused(words: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSpec) as refused:
        shop(**(ONE | {"measures": (Measure(name="sales", **words),)}))
    assert f"shop.{says}" in str(refused.value)


def test_an_expression_of_a_measure_is_in_the_fingerprint_and_a_name_is_as_it_was() -> None:
    def of(**words: Any) -> Pipeline:
        return shop(**(ONE | {"measures": (Measure(name="sales", how="count", **words),)}))

    large, larger = of(where=col("id") > 1), of(where=col("id") > 2)
    assert steps_changed(large, larger) == ["aggregate", "summarize"]
    assert large != larger
    assert large == of(where=col("id") > 1)
    assert of(of="id").measures[0].model_dump()["of"] == "id"


@pytest.mark.parametrize(
    ("name", "holds", "says"),
    [
        ("known", col("idd") > 1, "'idd' is not a column of the facts; did you mean 'id'?"),
        ("known", col("kind") > 1, "col('kind') > 1: > takes two values of the same kind"),
        ("known", col("id") + 1, "col('id') + 1 is integer; it takes what is true or false, such as a comparison"),
        ("twin", col("id") > 1, "the name is a reason of Daybook's own; give it another"),
    ],
)
def test_a_rule_of_the_wrong_kind_is_refused_with_its_path(name: str, holds: Expression, says: str) -> None:
    with pytest.raises(BadSpec) as refused:
        shop(rules={name: holds}, **ONE)
    assert str(refused.value).startswith(f"shop.rules[{name!r}]: ")
    assert says in str(refused.value)


def test_a_rule_is_in_the_fingerprint_of_the_step_that_checks_it() -> None:
    plain = shop(**ONE)
    assert steps_changed(plain, shop(rules={"known": col("id") > 1}, **ONE)) == ["clean"]
    assert steps_changed(plain, shop(rules={"known": col("city") != "x"}, **ONE)) == ["index"]
    assert shop(rules={"known": col("id") > 1}, **ONE) == shop(rules={"known": col("id") > 1}, **ONE)
