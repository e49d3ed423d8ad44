"""The part of a spec about input: sources, which are tables (table.py) or files (file.py)."""

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import chain, pairwise
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from daybook.errors import BadSpec
from daybook.spec.column import Column, Span, spans
from daybook.spec.form import Form, Limits
from daybook.spec.format import tells_of_utc
from daybook.spec.value import Name
from daybook.spec.writing import (
    OF_LOCAL_TIMES,
    Writing,
    check_marks,
    check_zone,
    is_for,
    said,
)
from daybook.text import nearest

Twins = Literal["keep", "drop", "refuse"]


class Source(Writing):
    """Rows from elsewhere: a name, the id of an Airflow connection, columns, and their unique key.

    `null_tokens` are the spellings of a missing value; an empty unquoted field is one too, and no other text is.
    `twins`: what to do about equal rows. Rows are equal if their whole records are, as they came: with the columns that
    the contract ignores, and with what is finer than a type. "keep": each is a row. "drop": all but the first are
    dropped. "refuse": all of them are refused. The default is "keep" without a key, and "drop" with one, because two
    equal rows of one key are one row that was delivered twice.
    """

    # A table's values have types; a file's are written, and its columns stand at places.
    is_written: ClassVar[bool] = True
    added_later: ClassVar[frozenset[str]] = frozenset({"has_other_days"})

    name: Name
    """Its name in this pipeline, as `facts` and lookups use it."""
    connection: str
    columns: tuple[Column, ...] = Field(min_length=1)
    key: tuple[str, ...] = ()
    null_tokens: tuple[str, ...] = ()
    delimiter: str = ","
    """What stands between two fields of a file: one byte."""
    form: Form = Form()
    """How its files are written."""
    limits: Limits = Limits()
    """How many of its rows may be refused."""
    twins: Twins | None = None
    has_other_days: bool = False
    """Whether the facts come with rows of other days, as a month in a file: these are dropped, and count as other_day
    and not as refused, so that no limit holds for them."""

    @model_validator(mode="after")
    def _equal_rows_have_one_key(self) -> Self:
        if self.key and self.twins == "keep":
            raise BadSpec(
                f"{self.name}, twins: 'keep' is refused: the key {', '.join(self.key)} is unique, so equal rows cannot "
                "all stay; it takes 'drop' or 'refuse', or leave out the key"
            )
        return self

    @property
    def on_twins(self) -> Twins:
        """Return what to do about equal rows: the word of the spec, or its default."""
        return self.twins or ("drop" if self.key else "keep")

    @model_validator(mode="after")
    def _tokens_mean_one_thing(self) -> Self:
        for column in (column for column in self.columns if column.kind == "boolean"):
            if both := [token for token in self.tokens(column) if token in column.true_tokens + column.false_tokens]:
                raise BadSpec(
                    f"{type(self).__name__} {self.name!r}, column {column.name!r}: {', '.join(map(repr, both))} is in "
                    "null_tokens, and in true_tokens or false_tokens too: a field is either missing or a value"
                )
        return self

    @model_validator(mode="after")
    def _dates_are_there(self) -> Self:
        known = [column.name for column in self.columns if column.kind in ("date", "text")]
        for column in self.columns:
            if column.date_column and column.date_column not in known:
                raise BadSpec(
                    f"{type(self).__name__} {self.name!r}, column {column.name!r}, date_column: {column.date_column!r} "
                    f"is refused: it takes a column of the kind date or text{nearest(column.date_column, known)}"
                )
        return self

    @model_validator(mode="after")
    def _marks_differ(self) -> Self:
        for column in map(self.as_written, self.columns) if self.is_written else ():
            where = f"{type(self).__name__} {self.name!r}, column {column.name!r}"
            check_marks(column, column.scale, self.sign_between, where)
        for column in map(self.as_written, self.columns):
            check_zone(column, f"{type(self).__name__} {self.name!r}, column {column.name!r}")
        return self

    @property
    def sign_between(self) -> str:
        """Return what stands between two fields, which no mark of a number may be; "" if nothing does."""
        return self.delimiter if self.form.format == "csv" and not self.form.is_fixed_width else ""

    def as_written(self, column: Column) -> Column:
        """Return a column with the words of this source about how it is written, if it has none of its own."""
        own = said(self).items()
        words = {word: value for word, value in own if is_for(word, column.kind, is_clock=column.is_clock)}
        if column.format and tells_of_utc(column.format):
            words = {word: value for word, value in words.items() if word not in OF_LOCAL_TIMES}
        return column.model_copy(update=words | said(column)) if words else column

    @model_validator(mode="after")
    def _places_are_clear(self) -> Self:
        if problem := next(chain(_problems_of_form(self), _problems_of_places(self)), None):
            raise BadSpec(f"{type(self).__name__} {self.name!r}, {problem}")
        return self

    @property
    def placed(self) -> list[tuple[int, Column]]:
        """Return the columns that are found by their place, from 1 on; all others are found by their names.

        Without a header line these are all: a column without a `position` follows the one before it.
        """
        placed: list[tuple[int, Column]] = []
        if self.form.is_fixed_width:
            return list(enumerate((one.column for one in self.spans), 1))
        for column in self.columns:
            if column.position or self.form.header_line == 0:
                placed.append((column.position or (placed[-1][0] + 1 if placed else 1), column))
        return placed

    @property
    def named(self) -> list[Column]:
        """Return the columns that are found by their names in the header."""
        return [column for column in self.columns if not column.position and self.form.has_names]

    @property
    def spans(self) -> list[Span]:
        """Return where the columns stand in a line of fixed width, in their order there."""
        return spans(self.columns)

    def are_all_in(self, names: Collection[str]) -> bool:
        """Return whether these names of a header have each column that is found by its name."""
        return all(not column.headers.isdisjoint(names) for column in self.named)

    @field_validator("delimiter")
    @classmethod
    def _is_a_delimiter(cls, delimiter: str) -> str:
        if not re.fullmatch(r"(?:[\x01-\x09\x0b\x0c\x0e-\x21\x23-\x2f\x3a-\x40\x5b-\x60\x7b-\x7e]){1,8}", delimiter):
            raise ValueError(
                "a delimiter is one byte of ASCII or up to eight, none a letter, digit, quote or line end, such as ';'"
            )
        return delimiter

    def column(self, name: str) -> Column | None:
        """Return the column of that name (the name here, not the header), or None."""
        return next((column for column in self.columns if column.name == name), None)

    def tokens(self, column: Column) -> tuple[str, ...]:
        """Return the spellings of a missing value in this column."""
        return self.null_tokens if column.null_tokens is None else column.null_tokens


def _problems_of_places(source: Source) -> Iterator[str]:
    taken = dict[int, Column]()
    for place, column in source.placed:
        if not source.is_written:
            yield f"column {column.name!r}, position: {place} is refused: a table's columns have names"
        elif source.form.format in ("json_lines", "parquet"):
            yield (
                f"column {column.name!r}, position: {place} is refused: the columns of {source.form.format} have names"
            )
        if place in taken:
            yield (
                f"column {column.name!r}, position: {place} is refused: column {taken[place].name!r} stands there; "
                "give each column a place of its own"
            )
        taken[place] = column
    gaps = [place for place in range(1, max(taken, default=0)) if place not in taken]
    if gaps and not source.form.has_names and source.form.extra_columns == "refuse":
        yield (
            f"column {taken[max(taken)].name!r}, position: {max(taken)} is refused: no column stands at {gaps[0]}; "
            'declare one, or extra_columns="ignore"'
        )


def _problems_of_form(source: Source) -> Iterator[str]:
    form, delimiter = source.form, source.delimiter
    if not source.is_written:
        used = [
            word for word in sorted(form.added_later | {"header_line"}) if getattr(form, word) != getattr(Form(), word)
        ]
        yield from (f"form.{word}: is refused: it is for files, and Daybook copies a table itself" for word in used)
    if form.format != "csv" and delimiter != ",":
        yield f"delimiter: {delimiter!r} is refused: the format is {form.format!r}, which has none; leave it out"
    if form.header_line == "find" and not source.named:
        yield "form.header_line: 'find' is refused: every column has a position, so no name tells which line it is"
    yield from _problems_of_widths(source.columns, form)
    if form.is_fixed_width and delimiter != Source.model_fields["delimiter"].default:
        yield f"delimiter: {delimiter!r} is refused: form.is_fixed_width: there is none"
    seen = dict[str, Column]()
    for column in source.columns:
        if form.is_fixed_width and source.as_written(column).are_marks_quoted:
            yield f"column {column.name!r}, are_marks_quoted: True is refused: form.is_fixed_width: there are no quotes"
        if column.aliases and (not source.is_written or column not in source.named):
            yield f"column {column.name!r}, aliases: {column.aliases!r} is refused: no header names the column here"
        for name in dict.fromkeys([column.header, *column.aliases]):
            if (other := seen.setdefault(name, column)) is not column and (column.aliases or other.aliases):
                yield f"column {column.name!r}, aliases: {name!r} is refused: column {other.name!r} has that name too"
    for word, sign in (("quote", form.quote), ("escape", form.escape)):
        if sign and (sign in delimiter or delimiter in sign):
            yield f"form.{word}: {sign!r} is refused: the delimiter is {delimiter!r}; it takes another sign"
    if form.escape and form.escape == form.quote:
        yield f"form.escape: {form.escape!r} is refused: it is the quote; two quotes are one without a word"
    if form.escape and len(delimiter) > 1:
        yield f"form.escape: {form.escape!r} is refused: the delimiter has several bytes, and which would it escape?"
    if form.has_blanks_after_delimiter and delimiter.strip(" \t") != delimiter:
        yield f"form.has_blanks_after_delimiter: True is refused: the delimiter is a blank itself ({delimiter!r})"
    if form.comment and (form.comment[0] in (form.quote, form.escape) or form.comment.startswith(delimiter)):
        yield f"form.comment: {form.comment!r} is refused: a row may begin with it; it takes a sign of its own, as '#'"
    for column in source.named if form.comment else ():
        for name in (column.header, *column.aliases):
            if name.startswith(form.comment):
                yield f"form.comment: {form.comment!r} is refused: the header may begin with {name!r}"


def _problems_of_widths(columns: Sequence[Column], form: Form) -> Iterator[str]:
    """Yield what is wrong with the widths of columns."""
    for column in columns:
        for word in ("starts_at", "width"):
            if not form.is_fixed_width and (value := getattr(column, word)) is not None:
                yield f"column {column.name!r}, {word}: {value} is refused: it needs Form(is_fixed_width=True)"
        if form.is_fixed_width and column.width is None:
            yield f"column {column.name!r}, width: is missing: form.is_fixed_width; it takes a number of characters"
        if form.is_fixed_width and column.position is not None:
            yield (
                f"column {column.name!r}, position: {column.position} is refused: in a file of fixed width it takes "
                "starts_at and width"
            )
    if form.is_fixed_width:
        yield from _overlaps_and_gaps(spans(columns), is_gap_meant=form.extra_columns == "ignore")


def _overlaps_and_gaps(found: list[Span], *, is_gap_meant: bool) -> Iterator[str]:
    begin = Span(0, 0, found[0].column)
    for before, after in pairwise([begin, *found]):
        where = f"column {after.column.name!r}, starts_at: {after.start + 1} is refused"
        if after.start < before.end:
            yield f"{where}: column {before.column.name!r} ends with character {before.end}"
        elif after.start > before.end and not is_gap_meant:
            yield (
                f"{where}: no column has the characters from {before.end + 1} to {after.start}; widen the one before "
                'it, if they are blanks, or declare extra_columns="ignore"'
            )
