"""The part of a spec about numbers: what is derived from a column, the measures of a group, and their ratios."""

from collections.abc import Iterator
from decimal import Decimal
from typing import ClassVar, Literal

from daybook.spec.column import Column, check_fits_64_bits
from daybook.spec.value import Name, Value, unknown
from daybook.spec.writing import NUMBERS


class Derived(Value):
    """A yes-or-no column made in `clean` from another: is it missing, over, or at most a value?

    "Over" and "at most" are empty if the column is empty. `value` is in the column's unit.
    """

    for_readers: ClassVar[frozenset[str]] = frozenset({"description", "unit"})

    name: Name
    """Its name in the facts."""
    column: str
    test: Literal["is_missing", "is_over", "is_at_most"]
    """What is asked of the column."""
    value: int | Decimal | None = None
    description: str = ""
    """One line for readers: what it means."""
    unit: str = ""
    """What it is counted in, for readers, such as "min" or "EUR"."""


class Measure(Value):
    """A number per group that rolls up: the measure of a larger group follows from those of its groups.

    count: of all rows, of rows where a boolean is true (`where`), or of rows that have a value (`of`). sum, min, max:
    `of` a column of integers or decimals. A mean or a share is not a measure but a `Ratio` of two.
    """

    for_readers: ClassVar[frozenset[str]] = frozenset({"description", "unit"})

    name: Name
    """Its name in the summaries."""
    how: Literal["count", "sum", "min", "max"]
    """How it is made."""
    of: str | None = None
    where: str | None = None
    renamed_from: Name | None = None
    """The name that it had before; published columns get the new one and keep their values."""
    description: str = ""
    """One line for readers: what it means."""
    unit: str = ""
    """What it is counted in, for readers, such as "min" or "EUR"."""


class Ratio(Value):
    """One measure divided by another, `times` 1 or 100, to two decimals, half away from zero; empty if over zero."""

    for_readers: ClassVar[frozenset[str]] = frozenset({"description", "unit"})

    name: Name
    """Its name in the summaries."""
    of: str
    """The measure that is divided."""
    over: str
    """The measure that it is divided by."""
    times: Literal[1, 100] = 1
    renamed_from: Name | None = None
    """The name that it had before; published columns get the new one and keep their values."""
    description: str = ""
    """One line for readers: what it means."""
    unit: str = ""
    """What it is counted in, for readers, such as "min" or "EUR"."""


def derived_problems(path: str, derived: Derived, columns: dict[str, Column]) -> Iterator[str]:
    """Yield what is wrong with a derived column, one line a problem. columns: those of the facts, by name."""
    yield from unknown(f"{path}.column", derived.column, columns, "column of the facts")
    if derived.test == "is_missing":
        return
    if derived.value is None:
        yield f"{path}.value: is missing; {derived.test!r} compares with a value"
    yield from _not_a_number(f"{path}.column", derived.column, columns)
    column = columns.get(derived.column)
    try:
        check_fits_64_bits(derived.value, column.scale if column else 0)
    except ValueError as error:
        yield f"{path}.value: {derived.value} is refused: {error}"


def measure_problems(path: str, measure: Measure, columns: dict[str, Column]) -> Iterator[str]:
    """Yield what is wrong with a measure, one line a problem. columns: those of the facts after `index`, by name."""
    if measure.of is not None:
        yield from unknown(f"{path}.of", measure.of, columns, "column of the facts")
    if measure.how != "count":
        yield from _not_a_number(f"{path}.of", measure.of or "", columns)
        yield from ([f"{path}.where: only a count takes it"] if measure.where else [])
    elif measure.where is not None:
        yield from unknown(f"{path}.where", measure.where, columns, "column of the facts")
        if measure.where in columns and columns[measure.where].kind != "boolean":
            yield f"{path}.where: {measure.where!r} is {columns[measure.where].kind}; it takes a boolean"


def ratio_problems(path: str, ratio: Ratio, measures: dict[str, Measure]) -> Iterator[str]:
    """Yield what is wrong with a ratio, one line a problem. measures: those of the pipeline, by name."""
    for word, name in (("of", ratio.of), ("over", ratio.over)):
        yield from unknown(f"{path}.{word}", name, measures, "measure")
        if name in measures and measures[name].how not in ("count", "sum"):
            yield f"{path}.{word}: {name!r} is a {measures[name].how}; a ratio takes sums and counts"
    if ratio.over in measures and measures[ratio.over].how != "count":
        yield f"{path}.over: {ratio.over!r} is a {measures[ratio.over].how}; a ratio is over a count"


def _not_a_number(path: str, name: str, columns: dict[str, Column]) -> Iterator[str]:
    if name in columns and columns[name].kind not in NUMBERS:
        yield f"{path}: {name!r} is {columns[name].kind}; it takes an integer or a decimal"
    elif not name:
        yield f"{path}: is missing; it takes an integer or a decimal column"
