"""The part of a spec about roll-ups: what the rows of their days have to have, so that they add up."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from daybook.spec.summary import Shown, Summary


class Parts(Protocol):
    """What is known of a ratio here: its name and its two measures."""

    @property
    def name(self) -> str:
        """Return its name."""

    @property
    def of(self) -> str:
        """Return the measure that is divided."""

    @property
    def over(self) -> str:
        """Return the measure that it is divided by."""


def stored_numbers(summary: Shown, ratios: tuple[Parts, ...]) -> tuple[str, ...]:
    """Return what a summary's rows of a day have: its columns; of a roll-up, the measures that they are made from."""
    if summary.every is None:
        return summary.columns
    of = {ratio.name: (ratio.of, ratio.over) for ratio in ratios}
    return tuple(dict.fromkeys(name for column in summary.columns for name in of.get(column, (column,))))


def not_additive(path: str, summary: Summary, others: Mapping[str, str], ratios: tuple[Parts, ...]) -> Iterator[str]:
    """Yield what of a roll-up does not add up. others: how each measure is made that does not, by name."""
    for number, column in enumerate(summary.columns):
        parts = stored_numbers(summary.model_copy(update={"columns": (column,)}), ratios)
        for name in parts:
            if name in others:
                which = f"{column!r}" if name == column else f"{column!r} is made from {name!r}, which"
                yield (
                    f"{path}.columns[{number}]: {which} is a {others[name]}, and that of a {summary.every} does "
                    f"not follow from those of its days; leave it out here, or leave out every={summary.every!r}"
                )
