"""Values of a spec that one run may set otherwise, for its own days: `may_override` names them by their paths.

plausible.WORD          what a day must look like, such as "plausible.within_pct"
SOURCE.limits.WORD      how much of a source may be wrong, such as "sales.limits.refused_rows"
SOURCE.COLUMN.WORD      a rule of a column: minimum or maximum
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from daybook.spec.column import Column
from daybook.spec.parts import Plausible
from daybook.spec.source import Source
from daybook.spec.value import Value
from daybook.spec.writing import NUMBERS

RULES = ("minimum", "maximum")


class Place(NamedTuple):
    """Where a path leads: the value that has the word, the word, and the source that it is about, if any."""

    holder: Value
    word: str
    source: str | None = None

    @property
    def value(self) -> Any:
        """Return what the spec says there."""
        return getattr(self.holder, self.word)

    @property
    def json_schema(self) -> dict[str, Any]:
        """Return the JSON Schema of the values that the word takes."""
        kind: Any = type(self.holder).model_fields[self.word].annotation
        return TypeAdapter(kind).json_schema()


def places(plausible: Plausible, sources: Iterable[Source]) -> dict[str, Place]:
    """Return every value that a run could set, by its path."""
    found = {f"plausible.{word}": Place(plausible, word) for word in Plausible.model_fields}
    for source in sources:
        for word in type(source.limits).model_fields:
            found[f"{source.name}.limits.{word}"] = Place(source.limits, word, source.name)
        for column in source.columns:
            for word in RULES if column.kind in NUMBERS else ():
                found[f"{source.name}.{column.name}.{word}"] = Place(column, word, source.name)
    return found


def changed(place: Place, value: object, words: dict[str, Any]) -> dict[str, Any]:
    """Return the words of a pipeline that another value at a place changes.

    words: those that it may change, "plausible", "tables" and "files". Raises BadSpec if the value is refused.
    """
    own = {word: getattr(place.holder, word) for word in place.holder.model_fields_set}
    holder = type(place.holder)(**own | {place.word: value})
    if place.source is None:
        return {"plausible": holder}
    return {
        kind: tuple(_in(source, holder) if source.name == place.source else source for source in words[kind])
        for kind in ("tables", "files")
    }


def _in(source: Source, holder: Value) -> Source:
    if not isinstance(holder, Column):
        return source.model_copy(update={"limits": holder})
    columns = tuple(holder if column.name == holder.name else column for column in source.columns)
    return source.model_copy(update={"columns": columns})
