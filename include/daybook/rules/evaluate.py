"""Expressions computed over whole columns: once, in Arrow, for all engines, so that none differs by a digit.

Numbers are 64-bit integers in units of their last digit (checked.py). An empty value gives an empty result, but for
`is_null`, `fill`, a choice, and `&` and `|`, which follow SQL. A row with a fault (a number that leaves 64 bits, a date
outside of the years 1 to 9999, a division by zero that is to refuse) is told; nothing is rounded or cut by itself.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import reduce
from itertools import zip_longest
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from daybook.rules import checked
from daybook.rules.checked import BY_ZERO, Computed, Digits, faults_of
from daybook.rules.coded import plain
from daybook.rules.moments import local_dates, local_hours
from daybook.rules.texts import by_text, sliced
from daybook.rules.units import from_units, units
from daybook.spec import Column, Expression, Result, arrow_type, column_of, result

# Rows at a time: numbers that do not fit are computed again for these rows only.
ROWS = 65_536
FIRST_DAY, LAST_DAY = ((each - date(1970, 1, 1)).days for each in (date.min, date.max))


class Scope(NamedTuple):
    """What an expression is computed over: rows, their columns in the spec, and the zone of local days and hours."""

    rows: pa.RecordBatch
    columns: Mapping[str, Column]
    time_zone: str


class Known(NamedTuple):
    """An expression that was computed: what it gives, and its values; numbers in units of the last digit."""

    result: Result
    computed: Computed


class Evaluated(NamedTuple):
    """The values of an expression in the type of its column, and the fault of each row."""

    values: pa.ChunkedArray
    faults: pa.ChunkedArray


def evaluated(expression: Expression, rows: pa.Table, columns: Mapping[str, Column], time_zone: str) -> Evaluated:
    """Return the values of an expression for each row. columns: those of the rows in the spec, by name."""
    column = column_of("value", expression, columns)
    batches = rows.to_batches(max_chunksize=ROWS)
    parts = [_typed(_known(expression, Scope(batch, columns, time_zone)), column) for batch in batches]
    return Evaluated(
        pa.chunked_array([part.values for part in parts], arrow_type(column)),
        pa.chunked_array([_all_faults(part) for part in parts], pa.int8()),
    )


def _typed(known: Known, column: Column) -> Computed:
    wanted = arrow_type(column)
    if column.kind != "decimal":
        return known.computed._replace(values=known.computed.values.cast(wanted))
    most = 10**column.digits - 1
    fitting = checked.within(known.computed.values, -most, most)
    decimals = from_units(pa.chunked_array([fitting.values]), wanted).combine_chunks()
    return Computed(decimals, faults_of(known.computed, fitting))


def _all_faults(computed: Computed) -> pa.Array:
    return pa.repeat(pa.scalar(checked.FINE, pa.int8()), len(computed.values)) if computed[1] is None else computed[1]


def _known(expression: Expression, scope: Scope) -> Known:
    if expression.operator == "column":
        return _column(str(expression.words[0]), scope)
    if expression.operator == "literal":
        return _literal(expression, scope)
    of = [_known(one, scope) for one in expression.of]
    given = result(expression, [one.result for one in of])
    computed = _COMPUTE[expression.operator](_Call(expression, given, of, scope))
    return Known(given, _with_faults(computed, of) if expression.operator not in _OWN_FAULTS else computed)


class _Call(NamedTuple):
    """An operator with its result, and what it is computed of."""

    expression: Expression
    gives: Result
    of: Sequence[Known]
    scope: Scope

    @property
    def values(self) -> list[pa.Array]:
        """Return the values that it is computed of."""
        return [one.computed.values for one in self.of]

    @property
    def words(self) -> tuple[Any, ...]:
        """Return the operator's own words."""
        return self.expression.words


def _with_faults(computed: Computed, of: Sequence[Known]) -> Computed:
    return computed._replace(faults=faults_of(computed, *(one.computed for one in of)))


def _column(name: str, scope: Scope) -> Known:
    column = scope.columns[name]
    given = column_of(name, Expression("column", words=(name,)), scope.columns)
    values = plain(scope.rows.column(name))
    numbers = units(pa.chunked_array([values])).combine_chunks() if column.kind == "decimal" else values
    return Known(Result(given.kind, given.digits, given.scale), Computed(numbers))


def _literal(expression: Expression, scope: Scope) -> Known:
    given, value = result(expression, []), expression.words[0]
    if isinstance(value, Decimal):
        value = int(value.scaleb(given.scale))
    kind = _LITERALS[given.kind]
    return Known(given, Computed(pa.repeat(pa.scalar(value, kind), scope.rows.num_rows)))


_LITERALS: dict[str | None, pa.DataType] = {
    **dict.fromkeys(("integer", "decimal"), pa.int64()),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", "UTC"),
    "text": pa.string(),
    "boolean": pa.bool_(),
    None: pa.null(),
}


def _finer(known: Known, gives: Result) -> Computed:
    """Return values at the scale of a result, with their faults."""
    if gives.kind not in ("integer", "decimal") or known.result.kind is None:
        return known.computed
    scaled = checked.finer(known.computed.values, gives.scale - known.result.scale)
    return scaled._replace(faults=faults_of(scaled, known.computed))


def _sum(call: _Call) -> Computed:
    kinds = [one.result.kind for one in call.of]
    if kinds == ["text", "text"]:
        return Computed(pc.binary_join_element_wise(*call.values, ""))
    combine = checked.plus if call.expression.operator == "+" else checked.minus
    if "date" in kinds:
        return _days(combine(*map(_as_days, call.values)), call.gives)
    left, right = call.of
    return combine(left.computed.values, right.computed.values, _digits(left, right))


def _digits(left: Known, right: Known) -> Digits:
    scale = max(left.result.scale, right.result.scale)
    return scale - left.result.scale, scale - right.result.scale


def _as_days(values: pa.Array) -> pa.Array:
    return values.cast(pa.int32()).cast(pa.int64()) if pa.types.is_date32(values.type) else values


def _days(computed: Computed, gives: Result) -> Computed:
    if gives.kind != "date":
        return computed
    days = checked.within(computed.values, FIRST_DAY, LAST_DAY)
    return Computed(days.values.cast(pa.int32()).cast(pa.date32()), faults_of(computed, days))


def _rounded(call: _Call) -> Computed:
    digits = call.gives.scale - call.of[0].result.scale
    if digits >= 0:
        return checked.finer(call.values[0], digits)
    return checked.quotient(call.values[0], pa.repeat(1, len(call.values[0])), digits)


def _quotient(call: _Call) -> Computed:
    top, bottom = call.of
    digits = call.gives.scale + bottom.result.scale - top.result.scale
    computed = checked.quotient(top.computed.values, bottom.computed.values, digits)
    if call.words[1] != "refuse":
        return computed
    is_by_zero = pc.and_(pc.equal(bottom.computed.values, 0), pc.is_valid(top.computed.values))
    refused = checked.faulty(computed.values, is_by_zero, BY_ZERO)
    return Computed(computed.values, faults_of(computed, refused))


def _compared(call: _Call) -> Computed:
    return Computed(_compare(_KERNELS[call.expression.operator], *call.of))


def _compare(kernel: str, left: Known, right: Known) -> pa.Array:
    if left.result.kind not in ("integer", "decimal"):
        return getattr(pc, kernel)(left.computed.values, right.computed.values)
    return checked.compared(kernel, left.computed.values, right.computed.values, _digits(left, right))


def _is_in(call: _Call) -> Computed:
    first, *others = call.of
    return Computed(reduce(pc.or_kleene, [_compare("equal", first, other) for other in others]))


def _filled(call: _Call) -> Computed:
    first, other = (_finer(one, call.gives) for one in call.of)
    # The other's faults count only for rows that take it.
    fault = _chosen_fault(pc.is_null(call.values[0]), other)
    return Computed(pc.coalesce(first.values, other.values), faults_of(first, fault))


def _choice(call: _Call) -> Computed:
    *pairs, last = call.of
    chosen = _finer(last, call.gives)
    for condition, value in reversed(list(zip_longest(pairs[::2], pairs[1::2]))):
        is_true = pc.fill_null(condition.computed.values, fill_value=False)
        then = _finer(value, call.gives)
        faults = faults_of(condition.computed, _chosen_fault(is_true, then), _chosen_fault(pc.invert(is_true), chosen))
        chosen = Computed(pc.if_else(is_true, then.values, chosen.values), faults)
    return chosen


def _chosen_fault(is_chosen: pa.Array, computed: Computed) -> Computed:
    """Return the faults of the rows that are chosen."""
    if computed.faults is None:
        return computed
    fine = pa.scalar(checked.FINE, pa.int8())
    return computed._replace(faults=pc.if_else(is_chosen, computed.faults, fine))


def _plain(function: Callable[..., pa.Array]) -> Callable[[_Call], Computed]:
    """Return how to compute an operator that is one function of the values and words."""
    return lambda call: Computed(function(*call.values, *call.words))


def _part(function: Callable[[pa.Array], pa.Array]) -> Callable[[_Call], Computed]:
    return lambda call: Computed(function(call.values[0]).cast(pa.int64()))


def _local(function: Callable[[pa.Array, str], pa.Array]) -> Callable[[_Call], Computed]:
    def computed(call: _Call) -> Computed:
        (instants,) = call.values
        found = function(instants, call.scope.time_zone)
        is_out = pc.and_(pc.is_valid(instants), pc.is_null(found))
        return checked.faulty(found, is_out, checked.TOO_LARGE) if pc.any(is_out).as_py() else Computed(found)

    return computed


_KERNELS = {
    "==": "equal",
    "!=": "not_equal",
    "<": "less",
    "<=": "less_equal",
    ">": "greater",
    ">=": "greater_equal",
}
# Of these, a row's faults are only those of the values that it takes.
_OWN_FAULTS = ("fill", "when")
_COMPUTE: dict[str, Callable[[_Call], Computed]] = {
    **dict.fromkeys(("+", "-"), _sum),
    "*": lambda call: checked.times(*call.values),
    "negate": lambda call: checked.negated(*call.values),
    "abs": lambda call: checked.absolute(*call.values),
    "round": _rounded,
    "divided_by": _quotient,
    **dict.fromkeys(_KERNELS, _compared),
    "is_in": _is_in,
    "&": _plain(pc.and_kleene),
    "|": _plain(pc.or_kleene),
    "~": _plain(pc.invert),
    "is_null": _plain(pc.is_null),
    "fill": _filled,
    "when": _choice,
    "year": _part(pc.year),
    "quarter": _part(pc.quarter),
    "month": _part(pc.month),
    "day_of_month": _part(pc.day),
    "weekday": _part(lambda dates: pc.day_of_week(dates, count_from_zero=False)),
    "iso_week": _part(pc.iso_week),
    "iso_year": _part(pc.iso_year),
    "first_of_month": _plain(lambda dates: pc.floor_temporal(dates, unit="month").cast(pa.date32())),
    "local_date": _local(local_dates),
    "local_hour": _local(local_hours),
    "length": _part(pc.utf8_length),
    "slice": _plain(sliced),
    "upper": _plain(by_text(str.upper)),
    "lower": _plain(by_text(str.lower)),
    "strip": _plain(by_text(str.strip)),
    "starts_with": _plain(pc.starts_with),
    "ends_with": _plain(pc.ends_with),
    "contains": _plain(pc.match_substring),
    "replace": _plain(pc.replace_substring),
}
