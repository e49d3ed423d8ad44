"""The words that take rows refused for a reason, which `check` tries. A new word is one entry in the table here.

Called by check_proposals.py; check_words.py says what an entry takes and returns.
"""

import re
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Any

from commands.check_form import head_of, names_in, tail_of
from commands.check_words import Seen, Word, with_column, with_form
from commands.spellings import (
    DATES,
    DECIMAL,
    INSTANTS,
    MARKS_OF_NUMBERS,
    MOST_DIGITS,
    NOTHING,
    UNPADDED_DATES,
    UNPADDED_INSTANTS,
    YES_AND_NO,
    signs,
)
from daybook.errors import BadSpec
from daybook.loader.fields import Damage, split, syntax_of
from daybook.loader.header_hints import LOOKED_AT_LINES
from daybook.loader.values import TRIMMED, ZEROS, Unfit, reader
from daybook.spec import Column, Source

# A single row that ends early may be damaged.
FEWEST_SHORT_ROWS = 2
# A footer of more lines would be another table.
MOST_FOOTER_LINES = 20


def windows(seen: Seen) -> Iterator[Source]:
    """Try the encoding of Western Windows."""
    if seen.source.form.encoding in ("utf-8", "utf-8-sig"):
        yield with_form(seen.source, encoding="cp1252")


def no_last_line_end(seen: Seen) -> Iterator[Source]:
    """Try a last line without a line end."""
    yield with_form(seen.source, is_last_line_end_needed=False)


def control_bytes(seen: Seen) -> Iterator[Source]:
    """Try control bytes as signs of the texts."""
    yield with_form(seen.source, are_control_bytes_kept=True)


def escapes(seen: Seen) -> Iterator[Source]:
    """Try a backslash that escapes quotes."""
    yield with_form(seen.source, escape="\\")


def no_quotes(seen: Seen) -> Iterator[Source]:
    """Try quotes as letters of the texts."""
    yield with_form(seen.source, quote=None)


def blanks_after_delimiter(seen: Seen) -> Iterator[Source]:
    """Try blanks after the delimiter that are no part of a field, as before a quote."""
    quoted = f"{seen.source.delimiter} {seen.source.form.quote}".encode()
    if quoted in head_of(seen.path, seen.source):
        yield with_form(seen.source, has_blanks_after_delimiter=True)


def formulas(seen: Seen) -> Iterator[Source]:
    """Try to read what spreadsheets write to keep zeros."""
    if seen.source.form.quote == '"' and b'="' in head_of(seen.path, seen.source):
        yield seen.source.model_copy(update={"formulas": "read"})


def may_end_early(seen: Seen) -> Iterator[Source]:
    """Try to fill up rows whose last fields are left out, if several are so and most of the first lines are not."""
    form, columns = seen.source.form, len(names_in(seen.path, seen.source))
    lines = [line for line in head_of(seen.path, seen.source).split(b"\n")[:LOOKED_AT_LINES] if line.strip()]
    are_whole = [_width(line, seen.source) == columns for line in lines]
    is_free = not form.may_end_early and not form.has_trailing_delimiter
    if is_free and len(seen.values) >= FEWEST_SHORT_ROWS and 2 * sum(are_whole) > len(lines):
        yield with_form(seen.source, may_end_early=True)


def footers(seen: Seen) -> Iterator[Source]:
    """Try to leave out the last lines, if they have another number of fields than the columns."""
    form = seen.source.form
    if form.has_footer or form.is_fixed_width:
        return
    lines = [line for line in tail_of(seen.path, seen.source).split(b"\n")[1:] if line.strip()]
    width = len(names_in(seen.path, seen.source)) + form.has_trailing_delimiter
    odd = list(takewhile(lambda line: _width(line, seen.source) != width, reversed(lines)))
    if 0 < len(odd) <= MOST_FOOTER_LINES and len(odd) < len(lines):
        yield with_form(seen.source, footer_lines=len(odd))


def _width(line: bytes, source: Source) -> int:
    try:
        cut = split(line, 0, syntax_of(source), is_last=True)
    except Damage:
        return 0
    return len(cut.values) if cut and not cut.problem else 0


def trimmed(seen: Seen) -> Iterator[Source]:
    """Try to take off the blanks around values, those that do not break among them."""
    column = _column(seen)
    if column.is_trimmed is None and any(value != value.strip(TRIMMED) for value in seen.values):
        yield with_column(seen.source, column, is_trimmed=True)


def null_tokens(seen: Seen) -> Iterator[Source]:
    """Try the refused values that are usual spellings of nothing."""
    column, found = _column(seen), [token for token in NOTHING if token in seen.values]
    if found:
        tokens = tuple(dict.fromkeys((*seen.source.tokens(column), *found)))
        yield with_column(seen.source, column, null_tokens=tokens)


def extra_zeros(seen: Seen) -> Iterator[Source]:
    """Try to ignore zeros after the point."""
    if any(ZEROS.search(value) or re.search(r"\.[0-9]*0$", value) for value in seen.values):
        yield with_column(seen.source, _column(seen), extra_zeros="ignore")


def more_digits(seen: Seen) -> Iterator[Source]:
    """Try a decimal with as many digits as the values have, before the point and after it."""
    column = _column(seen)
    found = [match for value in seen.values if (match := DECIMAL.fullmatch(value.strip()))]
    scale = max((len(match[2] or "") for match in found), default=0)
    places = max((len(match[1].lstrip("0")) for match in found), default=0)
    scale, before = max(scale, column.scale), (column.digits - column.scale if column.kind == "decimal" else 9)
    digits = scale + max(places, before)
    digits = MOST_DIGITS if scale + places <= MOST_DIGITS < digits else digits
    if found and digits <= MOST_DIGITS:
        yield with_column(seen.source, column, kind="decimal", digits=digits, scale=scale)


def writings(seen: Seen) -> Iterator[Source]:
    """Try the usual marks of numbers, with the units, signs and exponents that the values have.

    A comma may stand before the decimals or between thousands, and a percent sign may divide or not: all are tried.
    """
    own = signs(seen.values)
    for marks in MARKS_OF_NUMBERS:
        quoted = {"are_marks_quoted": True} if seen.source.sign_between in marks.values() else {}
        for percent in (
            ({"percent": "divide"}, {"percent": "keep"}) if any("%" in text for text in seen.values) else ({},)
        ):
            if words := {**marks, **quoted, **own, **percent}:
                yield from _if_taken(seen.source, _column(seen), **words)


def formats(seen: Seen) -> Iterator[Source]:
    """Try every usual format of dates and times; if day and month may stand in either order, both of them."""
    column = _column(seen)
    for written in (*DATES, *UNPADDED_DATES, *INSTANTS, *UNPADDED_INSTANTS):
        yield from _if_taken(seen.source, column, format=written)


def yes_and_no(seen: Seen) -> Iterator[Source]:
    """Try usual spellings of yes and no, beside those agreed."""
    column = _column(seen)
    for yes, no in YES_AND_NO:
        if set(seen.values) <= {yes, no, *column.true_tokens, *column.false_tokens}:
            words = {"true_tokens": (*column.true_tokens, yes), "false_tokens": (*column.false_tokens, no)}
            yield from _if_taken(seen.source, column, **words)


# The words that take rows refused for a reason.
ROW_WORDS: dict[str, tuple[Word, ...]] = {
    "wrong_encoding": (windows,),
    "no_line_end": (no_last_line_end,),
    "control_byte": (control_bytes,),
    "text_after_closing_quote": (escapes, no_quotes),
    "quote_in_unquoted_field": (formulas, blanks_after_delimiter, no_quotes),
    "too_few_fields": (footers, may_end_early),
    "too_many_fields": (footers,),
    "not_an_integer": (null_tokens, extra_zeros, more_digits, writings, trimmed),
    "not_a_decimal": (null_tokens, writings, more_digits, trimmed),
    "too_many_decimals": (extra_zeros, more_digits),
    "too_many_digits": (more_digits,),
    **dict.fromkeys(("not_a_date", "no_such_date", "not_a_timestamp", "no_such_time"), (null_tokens, formats, trimmed)),
    "not_a_boolean": (null_tokens, yes_and_no, trimmed),
}


def taken_by(changed: Source, seen: Seen) -> list[Any]:
    """Return the refused values as the changed source reads them, without those that it refuses too.

    If the words are not about a column, the loader alone can say: one value stands for all.
    """
    if seen.column is None:
        return [None]
    column = next(one for one in changed.columns if one.name == seen.column.name)
    read = reader(changed.as_written(column), changed.tokens(column))
    values = {text: _read(read, text) for text in dict.fromkeys(seen.values)}
    return [value for text in seen.values for value in values[text]]


def _read(read: Callable[[str, bool], Any], value: str) -> list[Any]:
    try:
        return [read(value, True)]
    except Unfit:
        return []


def _column(seen: Seen) -> Column:
    if seen.column is None:
        raise BadSpec("the file has no such column")
    return seen.column


def _if_taken(source: Source, column: Column, **words: Any) -> Iterator[Source]:
    try:
        yield with_column(source, column, **words)
    except BadSpec:
        # A format of a time with another zone is not for a date that is a day, for one.
        return
