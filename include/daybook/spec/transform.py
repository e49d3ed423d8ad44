"""The part of a spec about a pipeline's own function: which frames it takes."""

from collections.abc import Callable
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[[Any], Any])
_MARK = "takes_narwhals"


def narwhals_transform(function: Function) -> Function:
    """Mark a transform that takes and returns a narwhals LazyFrame of the pipeline's engine, instead of a pandas frame.

    @narwhals_transform
    def without_tests(facts):
        return facts.filter(nw.col("customer") != 0)
    """
    setattr(function, _MARK, True)
    return function


def takes_narwhals(function: Callable[..., Any] | None) -> bool:
    """Return whether a transform is marked by `narwhals_transform`."""
    return getattr(function, _MARK, False)
