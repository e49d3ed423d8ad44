"""Words about how values are written: refused where they contradict each other, and in no fingerprint unless said."""

from collections.abc import Callable
from typing import Any

import pytest

from daybook.errors import BadSpec
from daybook.spec import Column, Table, Writing, clock_time, day_date, decimal, integer, text, timestamp
from tests.support.drawn import SALES, with_columns

AMOUNT: dict[str, Any] = {"digits": 9, "scale": 2}


@pytest.mark.parametrize(
    ("words", "of_column", "says"),
    [
        ({"thousands_mark": "."}, {}, "thousands_mark: '.' is refused: the decimal mark is '.' too"),
        ({"decimal_mark": ","}, {"thousands_mark": ","}, "thousands_mark: ',' is refused: the decimal mark is ',' too"),
        ({"decimal_mark": ","}, {}, "decimal_mark: ',' is refused: it is the delimiter too.* are_marks_quoted=True"),
        ({"thousands_mark": " ", "delimiter": " "}, {}, "thousands_mark: ' ' is refused: it is the delimiter too"),
        ({"percent": "divide"}, {"scale": 1}, "a hundredth has 2 more digits after the point, and the scale is 1"),
        ({}, {"units": (".",)}, "units: .* is refused: '.' is a mark of the number too"),
        ({"units": ("5",)}, {}, "'5': a unit has no digits"),
        ({}, {"units": ("%",)}, "a percent sign has a word of its own: percent"),
        ({"decimal_mark": "x"}, {}, "decimal_mark: 'x' is refused: a decimal mark is one sign"),
        ({"thousands_mark": "-"}, {}, "thousands_mark: '-' is refused: a thousands mark is one of"),
        ({"decimals_mark": ","}, {}, "has no word 'decimals_mark'.*did you mean 'decimal_mark'"),
        ({"negatives": ("trailing", "brackets")}, {}, "negatives.1: 'brackets' is refused: it takes 'trailing' or"),
    ],
)
def test_words_that_contradict_each_other_or_are_none_are_refused(
    words: dict[str, Any], of_column: dict[str, Any], says: str
) -> None:
    with pytest.raises(BadSpec, match=says):
        with_columns(decimal("amount", **AMOUNT | of_column), **words)


@pytest.mark.parametrize(
    ("kind", "words", "says"),
    [
        (text, {"decimal_mark": ","}, "the column is text; decimal_mark is for integer and decimal"),
        (integer, {"exponents": "read"}, "an exponent has lost digits: declare a decimal of scale 0"),
        (integer, {"percent": "keep"}, "the column is integer; percent is for decimal"),
    ],
)
def test_a_word_of_a_column_is_for_its_kind(kind: Callable[..., Column], words: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSpec, match=says):
        kind("x", **words)


def test_a_word_of_a_source_holds_for_its_columns_of_that_kind_and_a_columns_own_goes_first() -> None:
    columns = (text("t"), integer("i"), decimal("d", thousands_mark="_", **AMOUNT))
    source = with_columns(*columns, delimiter=";", decimal_mark=",", thousands_mark=".", exponents="read")
    t, i, d = map(source.as_written, columns)
    assert (t.thousands_mark, i.thousands_mark, d.thousands_mark) == (None, ".", "_")
    assert (i.exponents, d.exponents, d.decimal_mark) == (None, "read", ",")


def test_marks_may_be_the_delimiter_in_quotes() -> None:
    assert with_columns(decimal("amount", **AMOUNT), thousands_mark=",", are_marks_quoted=True)


def test_a_table_has_values_and_no_spelling() -> None:
    words: dict[str, Any] = {"name": "t", "connection": "source_db", "relation": "public.t"}
    with pytest.raises(BadSpec, match="Table 't', decimal_mark: ',' is refused: a table's values have types"):
        Table(columns=(integer("i"),), decimal_mark=",", **words)
    with pytest.raises(BadSpec, match="Table 't', column 'i', thousands_mark: ',' is refused"):
        Table(columns=(integer("i", thousands_mark=","),), **words)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"format": "%-d%-m%Y"}, "beside %-d, which has one digit or two, digits have no clear end"),
        ({"format": "%-Y-%m-%d"}, "%-Y is none: %-m, %-d"),
        ({"format": "%H:%M"}, "a time alone is not an instant"),
        ({"format": "%Y-%m"}, 'for a month without a day declare missing_day="first" or "last"'),
        ({"format": "%Y-%m-%d", "missing_day": "last"}, "it tells the day of the month, so missing_day says nothing"),
        ({"pivot_year": 1930}, "pivot_year: 1930 is refused: the format .* has no %y"),
        ({"format": "%d.%m.%y", "pivot_year": 30}, "pivot_year: 30 is refused"),
        ({"long_fraction": "cut"}, "has no %f after a sign"),
        ({"format": "%Y%m%d%H%M%S%f", "missing_fraction": "zero"}, "has no %f after a sign"),
        ({"format": "unix", "time_zone": "Europe/Madrid"}, "tells instants, so there is no local time"),
        ({"time_zone": "Europe/Madird"}, "no time zone of that name.*did you mean 'Europe/Madrid'"),
        ({"time_zone": "Europe/Madrid", "repeated_hour": "both"}, "it takes 'refuse', 'first' or 'second'"),
    ],
)
def test_words_about_instants_that_say_nothing_or_leave_it_open_are_refused(words: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSpec, match=says):
        timestamp("at", **words)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"format": "%H:%M:%S.%f"}, "whole seconds"),
        ({"format": "%Y-%m-%d %H:%M"}, "has no date"),
        ({"format": "%M:%S"}, "does not tell the hour"),
        ({"format": "%H:%S"}, "the second without the minute"),
        ({"format": "%I:%M"}, "%I tells the hour only with %p"),
        ({"format": "%H %I %p"}, "tell the same"),
        ({"format": "excel"}, "does not tell the hour"),
        ({"time_zone": "Europe/Madrid"}, "time_zone: 'Europe/Madrid' is refused: the column is a clock time"),
        ({"thousands_mark": "."}, "thousands_mark: '.' is refused: the column is a clock time"),
        ({"format": "%I:%M %p", "hour_24": "next_day"}, "hour_24: 'next_day' is refused: the format .* has no %H"),
    ],
)
def test_words_of_a_clock_time_that_leave_it_open_or_are_not_for_it_are_refused(
    words: dict[str, Any], says: str
) -> None:
    with pytest.raises(BadSpec, match=says):
        clock_time("at", **words)


def test_an_hour_of_no_zone_is_refused_and_a_zone_of_the_source_holds_for_local_times_alone() -> None:
    local, with_offset = timestamp("at"), timestamp("until", format="%Y-%m-%d %H:%M:%S%z")
    with pytest.raises(BadSpec, match="column 'at', repeated_hour: 'first' is refused: it needs the time_zone"):
        with_columns(local, repeated_hour="first")
    source = with_columns(local, with_offset, time_zone="Europe/Madrid")
    assert [source.as_written(column).time_zone for column in source.columns] == ["Europe/Madrid", None]


def test_a_table_takes_the_zone_of_its_local_times() -> None:
    words: dict[str, Any] = {"name": "t", "connection": "source_db", "relation": "public.t"}
    table = Table(columns=(timestamp("at"),), time_zone="Europe/Madrid", repeated_hour="second", **words)
    assert table.as_written(table.columns[0]).repeated_hour == "second"
    with pytest.raises(BadSpec, match="column 'at', format: 'unix' is refused: a table's values have types"):
        Table(columns=(timestamp("at", format="unix"),), **words)


def test_the_column_of_a_date_is_one_of_the_source_and_of_a_fitting_kind() -> None:
    at = timestamp("at", format="%Y-%m-%d %H:%M", date_column="dya")
    with pytest.raises(BadSpec, match=r"column 'at', date_column: 'dya' is refused: .*did you mean 'day'"):
        with_columns(day_date("day"), at)
    with pytest.raises(BadSpec, match="date_column: 'day' is refused: the column is date"):
        day_date("d", date_column="day")


def test_a_word_that_nobody_says_is_in_no_fingerprint() -> None:
    said = [source.model_dump() for source in (SALES, *SALES.columns)]
    assert [word for dump in said for word in dump if word in Writing.model_fields] == []
    assert with_columns(integer("i"), delimiter=";", decimal_mark=",").model_dump()["decimal_mark"] == ","
