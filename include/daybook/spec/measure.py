"""The part of a spec about numbers: the measures of a group, and their ratios."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal

from pydantic import Field

from daybook.spec.column import Column
from daybook.spec.derived import Expressed
from daybook.spec.expression import Expression, col
from daybook.spec.kinds import WrongKind, column_of
from daybook.spec.value import Name, Value, unknown
from daybook.spec.writing import NUMBERS

# The measures that roll up: counts and sums are added, of extremes the extreme is taken.
ADDITIVE = ("count", "sum", "min", "max")
SPREADS = ("stddev_samp", "stddev_pop", "var_samp", "var_pop")
# The kinds whose values have an order.
ORDERED = ("integer", "decimal", "date", "timestamp", "text")


class Measure(Expressed):
    """A number per group, made of the rows of the group that have a value; with `where`, of those for which it is true.

    count: of rows; with `of`, of those that have a value. sum: `of` integers or decimals; 0 without a value. min, max:
    `of` integers, decimals, dates, instants or texts (by code point). These roll up: the measure of a larger group
    follows from those of its groups.

    These do not, so they are computed from the facts for the groups of each summary. distinct: how many different
    values. median, quantile: by `method`, "continuous" is SQL's percentile_cont, which may lie between two values, and
    "discrete" its percentile_disc, the first value that at least that share of the values does not exceed; it takes all
    that min takes. var_samp, stddev_samp: variance and standard deviation of a sample, empty for one value. var_pop,
    stddev_pop: of a whole population. All are exact, and rounded once to `scale` digits, half away from zero.

    A mean or a share is not a measure but a `Ratio` of two.
    """

    added_later: ClassVar[frozenset[str]] = frozenset({"quantile", "method", "scale"})
    for_readers: ClassVar[frozenset[str]] = frozenset({"description", "unit"})

    name: Name
    """Its name in the summaries."""
    how: Literal[
        "count",
        "sum",
        "min",
        "max",
        "distinct",
        "median",
        "quantile",
        "stddev_samp",
        "stddev_pop",
        "var_samp",
        "var_pop",
    ]
    """How it is made."""
    of: str | Expression | None = None
    """The column of the facts that it is made of, or an expression, such as `col("price") * col("quantity")`."""
    where: str | Expression | None = None
    """A yes-or-no column, or an expression, such as `col("price") > 100`: only rows for which it is true count."""
    quantile: Decimal | None = Field(default=None, ge=0, le=1)
    """Of a quantile: which one, such as Decimal("0.9")."""
    method: Literal["continuous", "discrete"] = "continuous"
    """Of a median or quantile: whether it may lie between two values, or is one of them."""
    scale: int = Field(default=2, ge=0, le=20)
    """How many digits after the point a continuous median or quantile, a variance or a standard deviation has."""
    renamed_from: Name | None = None
    """The name that it had before; published columns get the new one and keep their values."""
    description: str = ""
    """One line for readers: what it means."""
    unit: str = ""
    """What it is counted in, for readers, such as "min" or "EUR"."""

    @property
    def is_additive(self) -> bool:
        """Return whether the measure of several groups follows from those of each, as a sum does from sums."""
        return self.how in ADDITIVE

    @property
    def is_spread(self) -> bool:
        """Return whether it is a variance or a standard deviation."""
        return self.how in SPREADS

    @property
    def is_quantile(self) -> bool:
        """Return whether it is a quantile; a median is one."""
        return self.how in ("median", "quantile")

    @property
    def is_rounded(self) -> bool:
        """Return whether it is a decimal that is rounded to `scale`."""
        return self.is_spread or (self.is_quantile and self.method == "continuous")

    @property
    def share(self) -> Fraction:
        """Return the share of the values that a quantile is at."""
        return Fraction(1, 2) if self.quantile is None else Fraction(self.quantile)

    def kind_of_values(self, columns: Mapping[str, Column]) -> str:
        """Return the kind of its values, a number if it cannot be known. columns: those of the facts, by name."""
        try:
            column = self.measured_column(columns)
        except WrongKind:
            return "decimal"
        if self.how in ("count", "distinct") or column is None:
            return "integer"
        return "decimal" if self.is_rounded else column.kind

    def measured_column(self, columns: Mapping[str, Column]) -> Column | None:
        """Return the column that it is made of, or None. columns: those of the facts, by name. Raises WrongKind."""
        return None if self.of is None else column_of("value", _expression(self.of), columns)

    @property
    def expressions(self) -> tuple[Expression, ...]:
        """Return the expressions in its words."""
        return tuple(word for word in (self.of, self.where) if isinstance(word, Expression))

    @property
    def needed_columns(self) -> tuple[str, ...]:
        """Return the names of the columns of the facts that it needs."""
        return tuple(name for word in (self.of, self.where) if word is not None for name in _expression(word).names())


class Ratio(Value):
    """One measure of numbers divided by another, exactly, and rounded once to `scale` digits, half away from zero.

    It is empty if a part of it is. A part may be any measure, also one that does not add up, such as a median.
    """

    added_later: ClassVar[frozenset[str]] = frozenset({"scale", "by_zero"})
    for_readers: ClassVar[frozenset[str]] = frozenset({"description", "unit"})

    name: Name
    """Its name in the summaries."""
    of: str
    """The measure that is divided."""
    over: str
    """The measure that it is divided by."""
    times: Literal[1, 100] = 1
    """100 makes it a percentage."""
    scale: int = Field(default=2, ge=0, le=20)
    """How many digits after the point it has; before it are at most 18."""
    by_zero: Literal["nothing", "refuse"] = "nothing"
    """What a ratio over zero is: nothing, or a reason to refuse the day. In a roll-up's view it is nothing."""
    renamed_from: Name | None = None
    """The name that it had before; published columns get the new one and keep their values."""
    description: str = ""
    """One line for readers: what it means."""
    unit: str = ""
    """What it is counted in, for readers, such as "min" or "EUR"."""


def measure_problems(path: str, measure: Measure, columns: Mapping[str, Column]) -> Iterator[str]:
    """Yield what is wrong with a measure, one line a problem. columns: those of the facts after `index`, by name."""
    wrong = [*_wrong_word(f"{path}.of", measure.of, columns), *_wrong_word(f"{path}.where", measure.where, columns)]
    yield from wrong
    if not wrong:
        kind = column_of("value", _expression(measure.where), columns).kind if measure.where is not None else "boolean"
        yield from ([f"{path}.where: {measure.where!r} is {kind}; it takes a boolean"] if kind != "boolean" else [])
        yield from _not_measured(f"{path}.of", measure, columns)
    yield from _idle_words(path, measure)


def _wrong_word(path: str, word: str | Expression | None, columns: Mapping[str, Column]) -> Iterator[str]:
    if word is None:
        return
    expression = _expression(word)
    missing = [line for name in expression.names() for line in unknown(path, name, columns, "column of the facts")]
    yield from missing
    if not missing:
        try:
            column_of("value", expression, columns)
        except WrongKind as error:
            yield f"{path}: {error}"


def _not_measured(path: str, measure: Measure, columns: Mapping[str, Column]) -> Iterator[str]:
    column = measure.measured_column(columns)
    if measure.how == "count":
        return
    if measure.how == "sum" or measure.is_rounded:
        hint = "; with method='discrete' it may be of any kind that has an order" if measure.is_quantile else ""
        yield from (f"{problem}{hint}" for problem in _not_a_number(path, measure, column))
    elif column is None:
        yield f"{path}: is missing; it takes a column of the facts"
    elif measure.how != "distinct" and column.kind not in ORDERED:
        yield f"{path}: {measure.of!r} is {column.kind}; it takes {', '.join(ORDERED[:-1])} or text"


def _idle_words(path: str, measure: Measure) -> Iterator[str]:
    if measure.how == "quantile" and measure.quantile is None:
        yield f'{path}.quantile: is missing; a quantile says which one: quantile=Decimal("0.9")'
    if measure.how != "quantile" and measure.quantile is not None:
        yield f"{path}.quantile: {measure.quantile} is refused: it is for how='quantile'"
    if not measure.is_quantile and measure.method != "continuous":
        yield f"{path}.method: {measure.method!r} is refused: it is for a median or quantile"
    if not measure.is_rounded and measure.scale != 2:
        yield (
            f"{path}.scale: {measure.scale} is refused: a {measure.how} of {measure.of!r} is not rounded; scale is for "
            "variances, standard deviations and continuous quantiles"
        )


def ratio_problems(
    path: str, ratio: Ratio, measures: dict[str, Measure], columns: Mapping[str, Column]
) -> Iterator[str]:
    """Yield what is wrong with a ratio, one line a problem. measures, columns of the facts: by name."""
    for word, name in (("of", ratio.of), ("over", ratio.over)):
        yield from unknown(f"{path}.{word}", name, measures, "measure")
        if name in measures and (kind := measures[name].kind_of_values(columns)) not in NUMBERS:
            yield f"{path}.{word}: {name!r} is the {measures[name].how} of a {kind}; a ratio takes numbers"


def total_problems(path: str, name: str, measures: dict[str, Measure]) -> Iterator[str]:
    """Yield what is wrong with a name that has to be of a measure with a total of the day. measures: by name."""
    totals = [measure.name for measure in measures.values() if measure.how in ("count", "sum")]
    if name in measures and name not in totals:
        yield f"{path}: {name!r} is a {measures[name].how}, and makes no total of the day; it takes a count or sum"
    else:
        yield from unknown(path, name, totals, "count or sum")


def _not_a_number(path: str, measure: Measure, column: Column | None) -> Iterator[str]:
    if column is None:
        yield f"{path}: is missing; it takes an integer or a decimal column"
    elif column.kind not in NUMBERS:
        yield f"{path}: {measure.of!r} is {column.kind}; it takes an integer or a decimal"


def _expression(word: str | Expression) -> Expression:
    return col(word) if isinstance(word, str) else word
