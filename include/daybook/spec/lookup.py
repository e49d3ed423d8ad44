"""The part of a spec about lookups: which columns find a fact's row in another source, and when that row holds."""

from collections.abc import Iterator, Mapping
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from daybook.spec.column import Column
from daybook.spec.source import Source
from daybook.spec.value import Name, Value, unknown


class Lookup(Value):
    """A source that facts are joined to by key.

    A fact's row in it has the fact's values in the columns of `key`. A column of the facts may itself come from an
    earlier lookup, as a supplier's nation finds the nation's region. `gives` names the columns that a match adds to a
    fact: {column of the lookup: name in the facts}. A fact without a match is refused, or kept with these columns
    empty; `unknown_flag` names a boolean that is true if there is none.
    If rows hold for some days only, `valid_from` names the column of a row's first day, and `valid_to` that of its
    last; a fact is matched to the row that holds on its day. Without `valid_to`, a row holds until the next one of its
    key begins.
    `as_of`: which rows a day is matched to. "latest": those of now, each time that the day is run. "day": those of when
    the day was first published, whose copy is kept with the day; a later run of it takes that copy, and a plan does no
    day again because the source has changed. A forced run takes the rows of now, and they are kept from then on.
    Refused facts count against the limits of the facts; with `refused_rows` or `refused_share`, those without a match
    here have a limit of their own instead: the larger of so many rows and of this share of the facts.
    """

    added_later: ClassVar[frozenset[str]] = frozenset({"as_of"})

    source: str
    """The name of a table or file of the pipeline."""
    name: Name | None = None
    """Its name in messages and counts, if not that of the source: needed if one source is looked up twice."""
    key: str | tuple[str, ...] | dict[str, str]
    """The key of the source: columns that both sides have, or {column of the lookup: column of the facts}."""
    gives: dict[str, Name] = {}
    when_unknown: Literal["refuse", "keep"]
    """What to do about a fact without a match."""
    unknown_flag: Name | None = None
    valid_from: str | None = None
    valid_to: str | None = None
    is_valid_to_included: bool = True
    """Whether a row still holds on the day in `valid_to`; an empty `valid_to` has no end."""
    as_of: Literal["latest", "day"] = "latest"
    refused_rows: int | None = Field(default=None, ge=0)
    refused_share: float | None = Field(default=None, ge=0, le=1)

    @field_validator("key")
    @classmethod
    def _names_a_column(cls, key: str | tuple[str, ...] | dict[str, str]) -> str | tuple[str, ...] | dict[str, str]:
        if not key:
            raise ValueError("it names no column")
        return key

    @property
    def label(self) -> str:
        """Return its name in messages, counts and files."""
        return self.name or self.source

    @property
    def keys(self) -> dict[str, str]:
        """Return the columns of the facts that its key is compared with, by the column of the lookup."""
        if isinstance(self.key, dict):
            return self.key
        return {column: column for column in ((self.key,) if isinstance(self.key, str) else self.key)}

    @property
    def reason(self) -> str:
        """Return the reason for which a fact without a match is refused."""
        return f"unknown_in_{self.label}"

    @property
    def refused_column(self) -> str | None:
        """Return the column of the facts that the reason is about, or None if there are several."""
        first, *others = self.keys.values()
        return None if others else first

    @property
    def has_own_limit(self) -> bool:
        """Return whether the facts that it refuses have a limit of their own."""
        return self.refused_rows is not None or self.refused_share is not None


def problems(path: str, lookup: Lookup, source: Source, facts: Mapping[str, Column]) -> Iterator[str]:
    """Return what is wrong with a lookup.

    source: the one that it names. facts: the columns of the facts before it, by name.
    """
    columns = {column.name: column for column in source.columns}
    for there, here in lookup.keys.items():
        yield from unknown(f"{path}.key", there, columns, f"column of {source.name}")
        yield from unknown(f"{path}.key", here, facts, "column of the facts")
        yield from _never_equal(f"{path}.key", here, facts.get(here), columns.get(there), source)
    for given in lookup.gives:
        yield from unknown(f"{path}.gives", given, columns, f"column of {source.name}")
    yield from _validity(path, lookup, columns, source)
    yield from _not_one_row(path, lookup, source)
    if lookup.has_own_limit and lookup.when_unknown == "keep":
        yield f"{path}.refused_rows: only a lookup that refuses has a limit; it takes when_unknown='refuse'"


def _never_equal(path: str, name: str, here: Column | None, there: Column | None, source: Source) -> Iterator[str]:
    if not here or not there:
        return
    column = f"{name!r}" if here.name == there.name else f"{name!r}, which is compared with {there.name!r},"
    if here.kind != there.kind:
        yield f"{path}: {column} is {here.kind} in the facts and {there.kind} in {source.name}: never equal"
    elif here.kind == "decimal" and here.scale != there.scale:
        yield (
            f"{path}: {column} has {here.scale} digits after the point in the facts and {there.scale} in "
            f"{source.name}: give both the same scale"
        )


def _validity(path: str, lookup: Lookup, columns: Mapping[str, Column], source: Source) -> Iterator[str]:
    for word in ("valid_from", "valid_to"):
        if (name := getattr(lookup, word)) is None:
            continue
        yield from unknown(f"{path}.{word}", name, columns, f"column of {source.name}")
        if name in columns and columns[name].kind != "date":
            yield f"{path}.{word}: {name!r} is {columns[name].kind}; it takes a date"
    if lookup.valid_to and not lookup.valid_from:
        yield f"{path}.valid_to: without valid_from nothing says when a row begins to hold; name its column"
    if not lookup.is_valid_to_included and not lookup.valid_to:
        yield f"{path}.is_valid_to_included: there is no valid_to"


def _not_one_row(path: str, lookup: Lookup, source: Source) -> Iterator[str]:
    needed = [*lookup.keys, *([lookup.valid_from] if lookup.valid_from else [])]
    if sorted(source.key) != sorted(needed):
        written = repr(needed[0]) if len(needed) == 1 else repr(needed)
        yield f"{path}.key: {written} is not the key of {source.name}, {list(source.key)}: it may match many rows"


def moment_problems(lookups: tuple[Lookup, ...], facts: str) -> Iterator[str]:
    """Yield which lookups read a source as of two moments, or the facts as of a day. facts: their source's name."""
    of_days = as_of_day(lookups)
    for number, lookup in enumerate(lookups):
        if lookup.source not in of_days:
            continue
        path = f"lookups[{number}].as_of"
        if lookup.source == facts:
            yield f"{path}: 'day' is refused: {lookup.source} are the facts, which each run reads; it takes 'latest'"
        elif lookup.as_of != "day":
            yield (
                f"{path}: {lookup.as_of!r} is refused: another lookup reads {lookup.source} with 'day', and a day keeps"
                f" one copy of it; say 'day' here too, or declare {lookup.source} twice, under two names"
            )


def as_of_day(lookups: tuple[Lookup, ...]) -> frozenset[str]:
    """Return the names of the sources whose rows stay those of when a day was first published."""
    return frozenset(lookup.source for lookup in lookups if lookup.as_of == "day")
