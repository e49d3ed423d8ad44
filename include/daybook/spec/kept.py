"""What follows from a value of the spec alone: it is computed once for each value, since every day asks for it again.

A value never changes, so what follows from it does not either. It is told from others by identity, not by equality: to
compare two pipelines takes longer than what is kept. It goes with its value.
"""

import weakref
from collections.abc import Callable
from typing import TypeVar

V = TypeVar("V")
R = TypeVar("R")


def kept(follows: Callable[[V], R]) -> Callable[[V], R]:
    """Return the function with its results kept. follows: gives what nobody changes; an error of it is not kept."""
    known: dict[int, tuple[weakref.ref[V], R]] = {}

    def of(value: V) -> R:
        place = id(value)
        found = known.get(place)
        if found and found[0]() is value:
            return found[1]
        result = follows(value)
        known[place] = weakref.ref(value, lambda _: known.pop(place, None)), result
        return result

    of.__doc__ = follows.__doc__
    return of
