"""An expression as one writes it in Python, with the parentheses that it needs: its `repr`."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, Protocol, Self


class Tree(Protocol):
    """An expression: its operator, what that is of, and its own words."""

    @property
    def operator(self) -> str:
        """Return the operator."""

    @property
    def of(self) -> Sequence[Self]:
        """Return the expressions that the operator is of."""

    @property
    def words(self) -> Sequence[Any]:
        """Return the operator's own words."""


# How tightly Python binds: comparisons least, calls most.
_BINDS = dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 0) | {"|": 1, "&": 2, "+": 3, "-": 3, "*": 4}
_SIGNS = {"negate": "-", "~": "~"}
_SIGN, _CALL = 5, 6
_COMPARISON = 0


def written(expression: Tree) -> str:
    """Return an expression as one writes it."""
    operator = expression.operator
    if operator == "column":
        return f"col({expression.words[0]!r})"
    if operator == "literal":
        return f"lit({_literal(expression.words[0])})"
    if operator in _BINDS:
        return _between(expression)
    if operator in _SIGNS:
        return _SIGNS[operator] + _bound(expression.of[0], _SIGN)
    if operator == "abs":
        return f"abs({written(expression.of[0])})"
    return _choice(expression) if operator == "when" else _call(expression)


def _between(expression: Tree) -> str:
    left, right = expression.of
    binds = _BINDS[expression.operator]
    # Python turns 1 < x around, and does not ask us about 1 + 2.
    is_bare = left.operator == "literal" and right.operator != "literal" and binds != _COMPARISON
    first = _literal(left.words[0]) if is_bare else _bound(left, binds + (binds == _COMPARISON))
    return f"{first} {expression.operator} {_argument(right, binds + 1)}"


def _choice(expression: Tree) -> str:
    *pairs, last = expression.of
    choices = zip(pairs[::2], pairs[1::2], strict=True)
    taken = ".".join(f"when({_argument(condition)}).then({_argument(value)})" for condition, value in choices)
    return f"{taken}.otherwise({_argument(last)})"


def _call(expression: Tree) -> str:
    first, *others = expression.of
    words = [*map(_argument, others), *_words(expression)]
    return f"{_bound(first, _CALL)}.{expression.operator}({', '.join(words)})"


def _words(expression: Tree) -> list[str]:
    if expression.operator == "divided_by":
        scale, by_zero = expression.words
        return [f"scale={scale}", f"by_zero={by_zero!r}"]
    return [_literal(word) for word in expression.words if word is not None]


def _bound(expression: Tree, binds: int) -> str:
    own = _BINDS.get(expression.operator, _SIGN if expression.operator in _SIGNS else _CALL)
    return written(expression) if own >= binds else f"({written(expression)})"


def _argument(expression: Tree, binds: int = 0) -> str:
    return _literal(expression.words[0]) if expression.operator == "literal" else _bound(expression, binds)


def _literal(value: Any) -> str:
    if isinstance(value, datetime):
        return f"instant({value.isoformat().replace('+00:00', 'Z')!r})"
    return f"date({value.year}, {value.month}, {value.day})" if isinstance(value, date) else repr(value)
