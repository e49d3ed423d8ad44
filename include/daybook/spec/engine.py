"""What Spark cannot do for a pipeline: checked if the pipeline has `engine="pyspark"`. Pure.

It is there for a day that is too large for a machine, so it refuses what holds all facts of a day at one place.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from daybook.spec.lookup import Lookup
from daybook.spec.parts import Engine


def engine_problems(
    engine: Engine, facts: str, transform: Callable[[Any], Any] | None, lookups: Sequence[Lookup]
) -> Iterator[str]:
    """Yield what holds all facts at one place, with a pipeline's engine and the name of its facts."""
    if engine != "pyspark":
        return
    if transform:
        yield (
            "transform: it is refused with engine='pyspark', since it gets all facts of a day in one frame, which no "
            "machine may hold; say it by `derived` and `rules`, or choose another engine"
        )
    for number, lookup in enumerate(lookups):
        if lookup.source == facts:
            yield (
                f"lookups[{number}].source: {facts!r} is refused with engine='pyspark', since each worker holds a "
                "lookup whole, and these are the facts; look it up in another source, or choose another engine"
            )
