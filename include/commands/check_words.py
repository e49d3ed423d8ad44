"""The words of a spec that `check` tries on a refused file. A new word is one entry in one of the two tables here.

Called by check_proposals.py. An entry takes what was seen of the file and returns sources with the word changed; it may
return a wrong one, since the loader tries each. It may not choose where the file does not say: then it returns all.
"""

import codecs
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from commands.check_form import head_of, names_in
from daybook.errors import BadSpec
from daybook.loader.decode import taken, unpacked
from daybook.loader.fields import BOM, Damage, split, syntax_of
from daybook.loader.header_hints import LOOKED_AT_BYTES, LOOKED_AT_LINES, OTHER_DELIMITERS
from daybook.loader.kinds import KINDS, MARKS
from daybook.loader.values import ZEROS, Unfit, reader
from daybook.spec import Column, Form, Source
from daybook.spec.writing import check_marks

# Fewer signs than a spec may declare: those that are seen between fields.
DELIMITERS = (*OTHER_DELIMITERS, "^", "~", ":", "!", "\x1f", "\x01", " ")
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


class Seen(NamedTuple):
    """What was seen of a file: by the words of `source` so far, refused values of a column, if it is about one.

    has_contract: whether the columns are agreed; else they are those that its header happens to have.
    """

    path: Path
    source: Source
    has_contract: bool
    column: Column | None = None
    values: tuple[str, ...] = ()


Word = Callable[[Seen], Iterable[Source]]


def with_form(source: Source, **words: Any) -> Source:
    """Return the source with words of its form changed."""
    return source.model_copy(update={"form": Form(**(source.form.model_dump() | words))})


def with_column(source: Source, column: Column, **words: Any) -> Source:
    """Return the source with words of a column changed. Raises BadSpec if the spec refuses them."""
    changed = Column(**(column.model_dump() | words))
    check_marks(source.as_written(changed), changed.scale, source.delimiter, f"column {column.name!r}")
    columns = tuple(changed if one.header == column.header else one for one in source.columns)
    return source.model_copy(update={"columns": columns})


def compressions(seen: Seen) -> Iterator[Source]:
    """Try the compression that the first bytes are of."""
    with seen.path.open("rb") as stream:
        start = stream.read(4)
    for pattern, kind in (KINDS[0], (rb"PK\x03\x04", "zip")):
        if re.match(pattern, start) and seen.source.form.compression == "none":
            yield with_form(seen.source, compression=kind.split()[0])


def encodings(seen: Seen) -> Iterator[Source]:
    """Try UTF-16 and UTF-32 if the first bytes look so, UTF-8 if they are, and else the encoding of Western Windows."""
    encoding = _encoding(_unpacked_by(seen.path, _as_file(seen.source)))
    if encoding and encoding != seen.source.form.encoding.replace("-sig", ""):
        yield with_form(seen.source, encoding=encoding)


def windows(seen: Seen) -> Iterator[Source]:
    """Try the encoding of Western Windows."""
    if seen.source.form.encoding in ("utf-8", "utf-8-sig"):
        yield with_form(seen.source, encoding="cp1252")


def line_ends(seen: Seen) -> Iterator[Source]:
    """Try carriage returns if there is no line feed."""
    head = _head(seen)
    if b"\r" in head and b"\n" not in head:
        yield with_form(seen.source, line_end="cr")


def delimiters(seen: Seen) -> Iterator[Source]:
    """Try each usual sign that stands in most of the first lines, and each other one that stands in all of them."""
    lines = [line for line in _head(seen).decode(errors="replace").split("\n")[:LOOKED_AT_LINES] if line.strip()]
    for sign in DELIMITERS:
        count, enough = sum(sign in line for line in lines), len(lines) // 2 + 1
        if sign != seen.source.delimiter and lines and count >= (enough if sign in OTHER_DELIMITERS else len(lines)):
            yield seen.source.model_copy(update={"delimiter": sign})


def header_lines(seen: Seen) -> Iterator[Source]:
    """Try the first line with the agreed names, and the first that has as many fields as most lines."""
    lines = [_fields(line, seen.source) for line in _head(seen).split(b"\n")[:LOOKED_AT_LINES]]
    expected = plainly(column.header for column in seen.source.columns)
    usual = Counter(len(fields) for fields in lines if len(fields) > 1).most_common(1)
    named = next((number for number, fields in enumerate(lines, 1) if expected <= plainly(fields)), None)
    even = next((number for number, fields in enumerate(lines, 1) if usual and len(fields) == usual[0][0]), None)
    for number in dict.fromkeys(filter(None, (named, even))):
        if number != seen.source.form.header_line:
            yield with_form(seen.source, header_line=number)


def no_header(seen: Seen) -> Iterator[Source]:
    """Try to take the first line for a row, if it has as many fields as agreed, and no line has one of the names.

    Without a contract nothing says that it is none.
    """
    lines = [_fields(line, seen.source) for line in _head(seen).split(b"\n")[:LOOKED_AT_LINES]]
    names = plainly(column.header for column in seen.source.columns)
    is_without = seen.has_contract and not any(names & plainly(fields) for fields in lines)
    if is_without and len(lines[0]) == len(seen.source.columns):
        yield with_form(seen.source, header_line=0)


def headers(seen: Seen) -> Iterator[Source]:
    """Try the names of the header that differ from those agreed by capitals and blanks alone."""
    found = names_in(seen.path, seen.source)
    changed = seen.source
    for column in seen.source.columns:
        alike = [name for name in found if plainly([name]) == plainly([column.header])]
        if column.header not in found and len(alike) == 1:
            changed = with_column(changed, column, header=alike[0])
    if changed is not seen.source:
        yield changed


def further_columns(seen: Seen) -> Iterator[Source]:
    """Try to leave out the columns that are not agreed, if all that are agreed are there."""
    found = names_in(seen.path, seen.source)
    if {column.header for column in seen.source.columns} < set(found) and seen.source.form.extra_columns == "refuse":
        yield with_form(seen.source, extra_columns="ignore")


def trailing_delimiters(seen: Seen) -> Iterator[Source]:
    """Try a delimiter at the end of each line, if most of the first lines have it."""
    lines = [line.rstrip(b"\r") for line in _head(seen).split(b"\n")[:LOOKED_AT_LINES] if line.strip()]
    ends = sum(line.endswith(seen.source.delimiter.encode()) for line in lines)
    if 2 * ends > len(lines) and not seen.source.form.has_trailing_delimiter:
        yield with_form(seen.source, has_trailing_delimiter=True)


# The words that the head of a file tells, in the order in which the loader reads by them: each is tried with each
# combination of those before it.
FILE_WORDS: tuple[Word, ...] = (
    compressions,
    encodings,
    line_ends,
    delimiters,
    header_lines,
    no_header,
    headers,
    trailing_delimiters,
    further_columns,
)


def no_last_line_end(seen: Seen) -> Iterator[Source]:
    """Try a last line without a line end."""
    yield with_form(seen.source, is_last_line_end_needed=False)


def control_bytes(seen: Seen) -> Iterator[Source]:
    """Try control bytes as signs of the texts."""
    yield with_form(seen.source, are_control_bytes_kept=True)


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
        quoted = {"are_marks_quoted": True} if seen.source.delimiter in marks.values() else {}
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
    for written in (*DATES, *INSTANTS):
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
    "not_an_integer": (null_tokens, extra_zeros, more_digits, writings),
    "not_a_decimal": (null_tokens, writings, more_digits),
    "too_many_decimals": (extra_zeros, more_digits),
    "too_many_digits": (more_digits,),
    **dict.fromkeys(("not_a_date", "no_such_date", "not_a_timestamp", "no_such_time"), (null_tokens, formats)),
    "not_a_boolean": (null_tokens, yes_and_no),
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


def plainly(names: Iterable[str]) -> set[str]:
    """Return names as the eye takes them: without their case and the blanks around them."""
    return {name.strip().casefold() for name in names}


def _fields(line: bytes, source: Source) -> list[str]:
    try:
        cut = split(line, 0, syntax_of(source), is_last=True)
    except Damage:
        cut = None
    return [value.decode(errors="replace") for value in cut.values] if cut and cut.values else []


def _head(seen: Seen) -> bytes:
    return _head_by(seen.path, _as_file(seen.source))


def _as_file(source: Source) -> Source:
    """Return what the start of a file is read by: a table's conditions are no part of it, and cannot be hashed."""
    words = {word: getattr(source, word) for word in Source.model_fields}
    return Source.model_construct(**(words | {"columns": source.columns[:1]}))


@cache
def _head_by(path: Path, source: Source) -> bytes:
    return head_of(path, source)[:LOOKED_AT_BYTES]


@cache
def _unpacked_by(path: Path, source: Source) -> bytes:
    with path.open("rb") as stream:
        return taken(unpacked(stream, source, path.name), LOOKED_AT_BYTES)


def _encoding(head: bytes) -> str | None:
    for mark, encoding in MARKS:
        if head.startswith(mark):
            return encoding.lower() if mark != BOM else "utf-8"
    even, odd = head[::2].count(0), head[1::2].count(0)
    if even + odd > len(head) / 10:
        return "utf-16-le" if odd > 10 * even else "utf-16-be" if even > 10 * odd else None
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
