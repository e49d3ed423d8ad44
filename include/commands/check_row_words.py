"""The words that take rows refused for a reason, which `check` tries. A new word is one entry in the table here.

Called by check_proposals.py; check_words.py says what an entry takes and returns.
"""

import re
from collections.abc import Callable, Iterator
from itertools import takewhile
from typing import Any

from commands.check_form import head_of, names_in, tail_of
from commands.check_words import Seen, Word, with_column, with_form
from daybook.errors import BadSpec
from daybook.loader.fields import Damage, split, syntax_of
from daybook.loader.header_hints import LOOKED_AT_LINES
from daybook.loader.values import TRIMMED, ZEROS, Unfit, reader
from daybook.spec import Column, Source

NOTHING = (
    *("", "NA", "N/A", "n/a", "na", "NULL", "Null", "null", "None", "none", "NaN", "nan", "nil", "NIL", "#N/A"),
    *("-", "--", "---", "?", ".", "..", "*", "\\N", "(null)", "<NA>", "#NULL!", "missing"),
)
YES_AND_NO = (
    *(("Y", "N"), ("y", "n"), ("yes", "no"), ("Yes", "No"), ("YES", "NO"), ("1", "0"), ("T", "F"), ("t", "f")),
    *(("true", "false"), ("True", "False"), ("TRUE", "FALSE"), ("J", "N"), ("ja", "nein"), ("Ja", "Nein")),
    *(("O", "N"), ("oui", "non"), ("S", "N"), ("si", "no"), ("on", "off"), ("X", "-")),
)
DATES = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y"),
    *("%m.%d.%Y", "%d%m%Y", "%m%d%Y", "%Y-%d-%m", "%d.%m.%y", "%d/%m/%y", "%m/%d/%y", "%y-%m-%d", "%y%m%d"),
    *("%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%d%b%Y", "%d-%b-%y"),
)
TIMES = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p", "%H.%M.%S", "%H.%M", "%H%M%S")
INSTANTS = tuple(
    f"{day}{sign}{time}{zone}" for day in DATES for sign in " T" for time in TIMES for zone in ("", "Z", "%z")
)
# Without zeros before days, months and hours. They take those with zeros too, and are tried after them.
UNPADDED = (
    *("%-d/%-m/%Y", "%-m/%-d/%Y", "%-d.%-m.%Y", "%-d-%-m-%Y", "%-m-%-d-%Y", "%Y-%-m-%-d", "%Y/%-m/%-d"),
    *("%-d/%-m/%y", "%-m/%-d/%y", "%-d.%-m.%y", "%-d-%b-%Y", "%-d %b %Y", "%b %-d, %Y"),
)
UNPADDED_TIMES = ("%-H:%M:%S", "%-H:%M", "%-I:%M:%S %p", "%-I:%M %p")
UNPADDED_INSTANTS = tuple(f"{day} {time}" for day in (*DATES, *UNPADDED) for time in UNPADDED_TIMES)
# A footer of more lines would be another table.
MOST_FOOTER_LINES = 20
DECIMAL = re.compile(r"[+-]?([0-9]+)(?:\.([0-9]*))?")
MOST_DIGITS, MOST_UNITS = 18, 5
MARKS_OF_NUMBERS: tuple[dict[str, str], ...] = (
    {},
    {"decimal_mark": ","},
    {"thousands_mark": ","},
    *({"thousands_mark": mark} for mark in ("'", "\u2019", " ", "\u00a0", "\u202f")),
    *({"decimal_mark": ",", "thousands_mark": mark} for mark in (".", " ", "\u00a0", "\u202f", "'")),
)
# A unit, a number with its marks and signs, and a unit.
NUMBER = re.compile(
    r"([^-\d.,+()%'\"\s\u2019]*)\s*[+(-]*[\d.,'\u2019\s_]*\d[\d.,'\u2019\s_]*(?:[eE][+-]?\d+)?[)%-]*\s*([^-\d.,+()%'\"\s\u2019]*)"
)


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


def formulas(seen: Seen) -> Iterator[Source]:
    """Try to read what spreadsheets write to keep zeros."""
    if seen.source.form.quote == '"' and b'="' in head_of(seen.path, seen.source):
        yield seen.source.model_copy(update={"formulas": "read"})


def may_end_early(seen: Seen) -> Iterator[Source]:
    """Try to fill up rows whose last fields are left out, if most of the first lines have all of theirs."""
    form, columns = seen.source.form, len(names_in(seen.path, seen.source))
    lines = [line for line in head_of(seen.path, seen.source).split(b"\n")[:LOOKED_AT_LINES] if line.strip()]
    are_whole = [_width(line, seen.source) == columns for line in lines]
    if not form.may_end_early and not form.has_trailing_delimiter and 2 * sum(are_whole) > len(lines):
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
    own = _signs(seen.values)
    for marks in MARKS_OF_NUMBERS:
        quoted = {"are_marks_quoted": True} if seen.source.sign_between in marks.values() else {}
        for percent in (
            ({"percent": "divide"}, {"percent": "keep"}) if any("%" in text for text in seen.values) else ({},)
        ):
            if words := {**marks, **quoted, **own, **percent}:
                yield from _if_taken(seen.source, _column(seen), **words)


def _signs(values: tuple[str, ...]) -> dict[str, Any]:
    """Return the words for what stands round the numbers of a column."""
    parts = [found for text in values if (found := NUMBER.fullmatch(text.strip()))]
    units = tuple(dict.fromkeys(unit for found in parts for unit in found.groups() if unit))
    negatives = {"trailing": any(re.search(r"[0-9]-$", text) for text in values)}
    negatives["parentheses"] = any(text.startswith("(") for text in values)
    said = {
        "units": units if len(units) <= MOST_UNITS else (),
        "negatives": tuple(sign for sign, is_there in negatives.items() if is_there),
        "bare_points": "read" if any(re.search(r"^[+-]?\.[0-9]|[0-9]\.$", text) for text in values) else "",
        "exponents": "read" if any(re.search(r"[0-9.][eE][+-]?[0-9]+$", text) for text in values) else "",
    }
    return {word: value for word, value in said.items() if value}


def formats(seen: Seen) -> Iterator[Source]:
    """Try every usual format of dates and times; if day and month may stand in either order, both of them."""
    column = _column(seen)
    for written in (*DATES, *UNPADDED, *INSTANTS, *UNPADDED_INSTANTS):
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
    "quote_in_unquoted_field": (formulas, no_quotes),
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
    return [value for text in seen.values for value in _read(read, text)]


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
