"""Numbers of lines and parts as a person writes them."""

from collections.abc import Iterable


def spans(numbers: Iterable[int]) -> str:
    """Give numbers in order, runs of them by their ends: "2-5, 9"."""
    known = set(numbers)
    starts = sorted(number for number in known if number - 1 not in known)
    ends = sorted(number for number in known if number + 1 not in known)
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True))
