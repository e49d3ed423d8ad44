"""The part of a spec about choices in expressions: when(condition).then(value).otherwise(other)."""

from typing import Any

from daybook.spec.expression import Expression, as_expression


class When:
    """The beginning of a choice: a condition that waits for its `then`."""

    def __init__(self, condition: Any, before: tuple[Expression, ...] = ()) -> None:
        self._condition, self._before = as_expression(condition), before

    def then(self, value: Any) -> "Then":
        """Return the choice with its value for rows for which the condition is true; None is nothing."""
        return Then((*self._before, self._condition, as_expression(value)))


class Then:
    """A choice that waits for its last word, `otherwise`."""

    def __init__(self, choices: tuple[Expression, ...]) -> None:
        self._choices = choices

    def when(self, condition: Any) -> When:
        """Return the choice with a further condition, for rows for which none before it is true."""
        return When(condition, self._choices)

    def otherwise(self, value: Any) -> Expression:
        """Return the value of the first condition that is true, or this one; None is nothing."""
        return Expression("when", (*self._choices, as_expression(value)))


def when(condition: Any) -> When:
    """Return the beginning of a choice: when(condition).then(value).otherwise(other)."""
    return When(condition)
