"""What an expression gives: its kind, and the digits of a number; and why it gives nothing.

How digits propagate. An integer has a scale of 0. + and - have the larger scale of both sides, * the sum of both,
`divided_by` and `round` the one that is declared; a choice and `fill` have the largest of their values. `digits` are
those that the result may need, at most 18: a value that needs more refuses the day.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple

from daybook.spec.column import Column
from daybook.spec.expression import Expression
from daybook.spec.writing import NUMBERS, Kind
from daybook.text import nearest

MOST_DIGITS = 18
_FORMATS = {"date": "%Y-%m-%d", "timestamp": "%Y-%m-%d %H:%M:%S"}


class Result(NamedTuple):
    """What an expression gives: its kind, or None for nothing at all; a number's digits in all and after the point."""

    kind: Kind | None
    digits: int = MOST_DIGITS
    scale: int = 0


class WrongKind(ValueError):
    """An expression over kinds that it does not take. The message says what was expected and found."""


def result_of(expression: Expression, columns: Mapping[str, Column]) -> Result:
    """Return what an expression gives. columns: those that it may need, by name. Raises WrongKind."""
    if expression.operator == "column":
        return _of_column(str(expression.words[0]), columns)
    return result(expression, [result_of(one, columns) for one in expression.of])


def result(expression: Expression, of: Sequence[Result]) -> Result:
    """Return what an operator gives, from the results of the expressions that it is of. Raises WrongKind."""
    return _GIVES[expression.operator](expression, of)


def column_of(name: str, expression: Expression, columns: Mapping[str, Column]) -> Column:
    """Return the column that an expression gives. Raises WrongKind."""
    found = result_of(expression, columns)
    if found.kind is None:
        raise WrongKind(f"{expression!r} is nothing for each row; give it a value")
    numbers = {"digits": found.digits, "scale": found.scale} if found.kind == "decimal" else {}
    return Column(header=name, name=name, kind=found.kind, format=_FORMATS.get(found.kind), **numbers)


def together(of: Sequence[Result]) -> Result | None:
    """Return the kind that holds the values of several results; None if there is none."""
    known = [one for one in of if one.kind]
    kinds = {one.kind for one in known}
    if kinds <= set(NUMBERS) and kinds:
        scale = max(one.scale for one in known)
        whole = max(one.digits - one.scale for one in known)
        return Result("decimal" if "decimal" in kinds else "integer", _at_most(whole + scale), scale)
    return known[0] if len(kinds) == 1 else (None if kinds else Result(None))


def _of_column(name: str, columns: Mapping[str, Column]) -> Result:
    if name not in columns:
        raise WrongKind(f"{name!r} is not a column of the facts{nearest(name, columns)}")
    column = columns[name]
    return Result(column.kind, column.digits, column.scale) if column.kind == "decimal" else Result(column.kind)


def _of_literal(expression: Expression, _: Sequence[Result]) -> Result:
    match expression.words[0]:
        case bool():
            return Result("boolean")
        case int() as number:
            return Result("integer", _at_most(len(str(abs(number)))))
        case Decimal() as number:
            return _of_decimal(number)
        case str():
            return Result("text")
        case datetime():
            return Result("timestamp")
        case date():
            return Result("date")
    return Result(None)


def _of_decimal(number: Decimal) -> Result:
    _, digits, exponent = number.as_tuple()
    scale = max(0, -int(exponent))
    return Result("decimal", _at_most(max(len(digits) + max(int(exponent), 0), scale)), scale)


def _sum(expression: Expression, of: Sequence[Result]) -> Result:
    left, right = of
    kinds = (left.kind, right.kind)
    match expression.operator, kinds:
        case _, (a, b) if a in NUMBERS and b in NUMBERS:
            found = together(of)
            return Result("decimal" if "decimal" in kinds else "integer", *_one_more(found or left))
        case "+", ("text", "text") | ("date", "integer"):
            return Result(left.kind)
        case "+", ("integer", "date"):
            return Result("date")
        case "-", ("date", "integer"):
            return Result("date")
        case "-", ("date", "date"):
            return Result("integer")
    takes = "two numbers, or a date and a number of days, or two dates"
    if expression.operator == "+":
        takes = "two numbers, two texts, or a date and a number of days"
    raise _wrong(expression, of, takes)


def _one_more(found: Result) -> tuple[int, int]:
    return _at_most(found.digits + 1), found.scale


def _product(expression: Expression, of: Sequence[Result]) -> Result:
    _check(expression, of, NUMBERS, "integers and decimals")
    scale = of[0].scale + of[1].scale
    if scale > MOST_DIGITS:
        raise WrongKind(
            f"{expression!r} has {scale} digits after the point, at most {MOST_DIGITS} are held; round a factor first: "
            ".round(2)"
        )
    is_decimal = "decimal" in (of[0].kind, of[1].kind)
    return Result("decimal" if is_decimal else "integer", _at_most(of[0].digits + of[1].digits), scale)


def _same_number(expression: Expression, of: Sequence[Result]) -> Result:
    _check(expression, of, NUMBERS, "an integer or a decimal")
    return of[0]


def _rounded(expression: Expression, of: Sequence[Result]) -> Result:
    _check(expression, of, NUMBERS, "an integer or a decimal")
    scale = int(str(expression.words[0]))
    digits = max(_at_most(of[0].digits - of[0].scale + 1 + scale), scale)
    return Result("decimal" if scale else "integer", digits, scale)


def _quotient(expression: Expression, of: Sequence[Result]) -> Result:
    _check(expression, of, NUMBERS, "integers and decimals")
    scale = int(str(expression.words[0]))
    return Result("decimal" if scale else "integer", MOST_DIGITS, scale)


def _comparison(expression: Expression, of: Sequence[Result]) -> Result:
    kinds = {one.kind for one in of}
    if None in kinds:
        raise WrongKind(f"{expression!r}: nothing equals nothing; write .is_null()")
    if together(of) is None or (kinds == {"boolean"} and expression.operator not in ("==", "!=", "is_in")):
        raise _wrong(expression, of, "two values of the same kind, or two numbers")
    return Result("boolean")


def _logic(expression: Expression, of: Sequence[Result]) -> Result:
    _check(expression, of, ("boolean",), "what is true or false")
    return Result("boolean")


def _is_null(expression: Expression, of: Sequence[Result]) -> Result:
    return Result("boolean")


def _first_known(expression: Expression, of: Sequence[Result]) -> Result:
    if of[1].kind is None or (found := together(of)) is None:
        raise _wrong(expression, of, "a value of the same kind")
    return found


def _choice(expression: Expression, of: Sequence[Result]) -> Result:
    conditions, values = of[:-1:2], [*of[1::2], of[-1]]
    _check(expression, conditions, ("boolean",), "conditions that are true or false")
    if (found := together(values)) is None:
        raise _wrong(expression, values, "values of one kind")
    return found


def _part(kinds: tuple[Kind, ...], takes: str, gives: Kind) -> Callable[[Expression, Sequence[Result]], Result]:
    def found(expression: Expression, of: Sequence[Result]) -> Result:
        _check(expression, of, kinds, takes)
        return Result(gives)

    return found


def _check(expression: Expression, of: Sequence[Result], kinds: tuple[str, ...], takes: str) -> None:
    if any(one.kind not in kinds for one in of):
        raise _wrong(expression, of, takes)


def _wrong(expression: Expression, of: Sequence[Result], takes: str) -> WrongKind:
    found = " and ".join(one.kind or "nothing" for one in of)
    return WrongKind(f"{expression!r}: {expression.operator} takes {takes}, not {found}")


def _at_most(digits: int) -> int:
    return min(digits, MOST_DIGITS)


_OF_A_DATE = ("year", "quarter", "month", "day_of_month", "weekday", "iso_week", "iso_year")
_GIVES: dict[str, Callable[[Expression, Sequence[Result]], Result]] = {
    "literal": _of_literal,
    **dict.fromkeys(("+", "-"), _sum),
    "*": _product,
    **dict.fromkeys(("negate", "abs"), _same_number),
    "round": _rounded,
    "divided_by": _quotient,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "is_in"), _comparison),
    **dict.fromkeys(("&", "|", "~"), _logic),
    "is_null": _is_null,
    "fill": _first_known,
    "when": _choice,
    **dict.fromkeys(_OF_A_DATE, _part(("date",), "a date", "integer")),
    "first_of_month": _part(("date",), "a date", "date"),
    "local_date": _part(("timestamp",), "a timestamp", "date"),
    "local_hour": _part(("timestamp",), "a timestamp", "integer"),
    "length": _part(("text",), "a text", "integer"),
    **dict.fromkeys(("slice", "upper", "lower", "strip", "replace"), _part(("text",), "a text", "text")),
    **dict.fromkeys(("starts_with", "ends_with", "contains"), _part(("text",), "a text", "boolean")),
}
