"""The part of a spec about derived columns: what the facts get beside the columns that they come with."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from pydantic import model_validator

from daybook.errors import BadSpec
from daybook.spec.column import Column
from daybook.spec.expression import Expression
from daybook.spec.kinds import WrongKind, column_of
from daybook.spec.parts import RESERVED
from daybook.spec.value import Name, Value, unknown


class Expressed(Value):
    """A value with words that may be expressions. Two are equal if their expressions are the same."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self._compared() == other._compared()

    def __hash__(self) -> int:
        return hash(repr(self))

    def _compared(self) -> dict[str, Any]:
        # Expressions as lists: == of two of them makes a third.
        return {word: value.dump() if isinstance(value, Expression) else value for word, value in self.__dict__.items()}


class Derived(Expressed):
    """A column that is computed for each row of the facts by an expression; see docs/expressions.md.

    It is made in `clean` if it needs only columns of the facts' own source and derived ones before it, so a lookup may
    find by it; otherwise in `index`, after the lookups.
    """

    for_readers: ClassVar[frozenset[str]] = frozenset({"description", "unit"})

    name: Name
    """Its name in the facts."""
    of: Expression
    """What is computed, such as `col("price") * (1 - col("discount"))`."""
    description: str = ""
    """One line for readers: what it means."""
    unit: str = ""
    """What it is counted in, for readers, such as "min" or "EUR"."""

    @model_validator(mode="before")
    @classmethod
    def _is_an_expression(cls, words: Any) -> Any:
        if isinstance(words, dict) and "test" in words:
            name, column = words.get("name"), words.get("column")
            raise BadSpec(
                f"Derived {name!r}, test: {words['test']!r} is refused: it takes an expression, `of`; write "
                f"derived={{{name!r}: col({column!r}).is_null()}}, or > or <= a value"
            )
        return words


class Made(NamedTuple):
    """A derived column, as the spec says it and as a column of the facts."""

    derived: Derived
    column: Column


def made_from(derived: Iterable[Derived], columns: Iterable[Column]) -> list[Made]:
    """Return those derived columns that need only these columns and each other, in their order."""
    known, made = {column.name: column for column in columns}, list[Made]()
    for one in derived:
        if known.keys() >= set(one.of.names()):
            known[one.name] = _column(one, known)
            made.append(Made(one, known[one.name]))
    return made


def wrong_kinds(derived: Sequence[Derived], columns: Iterable[Column], others: Iterable[str]) -> Iterator[str]:
    """Yield what is wrong with derived columns that need only these columns, and each name that no column has.

    others: the names of columns that come later.
    """
    known = {column.name: column for column in columns}
    everything = {**known, **dict.fromkeys([*others, *(one.name for one in derived)])}
    for one in derived:
        if one.name in RESERVED:
            yield f"{_path(one)}: the name is a word of Daybook's own; give the column another"
        for name in one.of.names():
            yield from unknown(_path(one), name, everything, "column of the facts")
        if known.keys() >= set(one.of.names()):
            try:
                known[one.name] = _column(one, known)
            except WrongKind as error:
                yield f"{_path(one)}: {error}"


def out_of_order(derived: Sequence[Derived], columns: Iterable[Column]) -> Iterator[str]:
    """Yield each derived column that needs one that is made after it. columns: all that come from elsewhere."""
    known = {column.name for column in columns}
    for one in derived:
        later = [name for name in one.of.names() if name not in known]
        yield from (f"{_path(one)}: {name!r} is made after it; put {name!r} before it" for name in later)
        known.add(one.name)


def needs_zone(expressions: Iterable[Expression]) -> bool:
    """Return whether one of the expressions depends on the schedule's time zone."""
    return any(expression.operators() & {"local_date", "local_hour"} for expression in expressions)


def _path(derived: Derived) -> str:
    return f"derived[{derived.name!r}]"


def _column(derived: Derived, known: Mapping[str, Column]) -> Column:
    column = column_of(derived.name, derived.of, known)
    return column.model_copy(update={"description": derived.description, "unit": derived.unit})
