"""How `check` tries words about a whole file on a refused one; check_file_words.py has their table.

Called by check_proposals.py; check_row_words.py has the words that take refused rows. An entry takes what was seen of
the file and returns sources with the word changed; it may return a wrong one, since the loader tries each. It may not
choose where the file does not say: then it returns all.
"""

import codecs
import re
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from commands.check_form import head_of
from daybook.loader.decode import taken, unpacked
from daybook.loader.fields import BOM, Damage, split, syntax_of
from daybook.loader.header_hints import LOOKED_AT_BYTES, LOOKED_AT_LINES, OTHER_DELIMITERS
from daybook.loader.kinds import A_WORKBOOK, KINDS, MARKS, kind_of
from daybook.loader.other_formats import sheets_in
from daybook.spec import Column, Form, Source
from daybook.spec.writing import check_marks

# Fewer signs than a spec may declare: those that are seen between fields.
DELIMITERS = (*OTHER_DELIMITERS, "^", "~", ":", "!", "\x1f", "\x01", " ")
# A line that begins so may be a comment.
COMMENTS = ("#", "//", "%")


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
# The formats of the first bytes, as loader/kinds.py calls them.
OTHER_FORMATS = {"a Parquet file": "parquet", "JSON": "json_lines"}


def with_form(source: Source, **words: Any) -> Source:
    """Return the source with words of its form changed."""
    return source.model_copy(update={"form": Form(**(source.form.model_dump() | words))})


def with_column(source: Source, column: Column, **words: Any) -> Source:
    """Return the source with words of a column changed. Raises BadSpec if the spec refuses them."""
    changed = Column(**(column.model_dump() | words))
    check_marks(source.as_written(changed), changed.scale, source.sign_between, f"column {column.name!r}")
    columns = tuple(changed if one.header == column.header else one for one in source.columns)
    return source.model_copy(update={"columns": columns})


def compressions(seen: Seen) -> Iterator[Source]:
    """Try the compression that the first bytes are of."""
    with seen.path.open("rb") as stream:
        start = stream.read(4)
    for pattern, kind in (KINDS[0], (rb"PK\x03\x04", "zip")):
        if re.match(pattern, start) and seen.source.form.compression == "none":
            yield with_form(seen.source, compression=kind.split()[0])


def formats(seen: Seen) -> Iterator[Source]:
    """Try the format that the first bytes are of, with each sheet of a workbook."""
    extra = seen.source.form.extra_columns
    for words in _formats(seen) if seen.source.form.format == "csv" else ():
        yield seen.source.model_copy(update={"form": Form(**words, extra_columns=extra), "delimiter": ","})


def _formats(seen: Seen) -> list[dict[str, Any]]:
    kind, compression = kind_of(_unpacked_by(seen.path, _as_file(seen.source))), seen.source.form.compression
    if kind == A_WORKBOOK:
        with seen.path.open("rb") as stream:
            sheets = sheets_in(stream, seen.source, seen.path.name)
        return [{"format": "xlsx", "sheet": name} if len(sheets) > 1 else {"format": "xlsx"} for name in sheets]
    return [{"format": OTHER_FORMATS[kind], "compression": compression}] if kind in OTHER_FORMATS else []


def encodings(seen: Seen) -> Iterator[Source]:
    """Try UTF-16 and UTF-32 if the first bytes look so, UTF-8 if they are, and else the encoding of Western Windows."""
    encoding = _encoding(_unpacked_by(seen.path, _as_file(seen.source)))
    if encoding and encoding != seen.source.form.encoding.replace("-sig", ""):
        yield with_form(seen.source, encoding=encoding)


def line_ends(seen: Seen) -> Iterator[Source]:
    """Try carriage returns if there is no line feed, and two before each line feed."""
    head = _head(seen)
    if b"\r\r\n" in head:
        yield with_form(seen.source, line_end="crcrlf")
    elif b"\r" in head and b"\n" not in head:
        yield with_form(seen.source, line_end="cr")


def delimiters(seen: Seen) -> Iterator[Source]:
    """Try each usual sign that stands in most of the first lines, and each other one that stands in all of them."""
    lines = [line for line in _head(seen).decode(errors="replace").split("\n")[:LOOKED_AT_LINES] if line.strip()]
    for sign in DELIMITERS:
        count, enough = sum(sign in line for line in lines), len(lines) // 2 + 1
        if sign != seen.source.delimiter and lines and count >= (enough if sign in OTHER_DELIMITERS else len(lines)):
            yield seen.source.model_copy(update={"delimiter": sign})


def sep_lines(seen: Seen) -> Iterator[Source]:
    """Try what a first line for spreadsheets says, such as "sep=;": the delimiter, and that the header is below it."""
    found = re.match(rb"sep=([!-/:-@\[-`{-~\t])\r?\n", _head(seen))
    if found and seen.source.form.header_line == 1:
        changed = with_form(seen.source, header_line=2)
        yield changed.model_copy(update={"delimiter": found[1].decode()})


def quotes(seen: Seen) -> Iterator[Source]:
    """Try single quotes, if DuckDB's sniffer sees them around fields."""
    if seen.source.form.quote == '"' and sniffed_quote(_head(seen)) == "'":
        yield with_form(seen.source, quote="'")


@cache
def sniffed_quote(head: bytes) -> str:
    """Return the sign that DuckDB's sniffer sees around the fields of a file's first bytes; "" if it sees none."""
    if b"'" not in head:
        return ""
    import duckdb

    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        file.write(head[: head.rfind(b"\n") + 1 or None])
        file.flush()
        try:
            # Of its own: the engine's may have a result that is not fetched yet.
            with duckdb.connect() as connection:
                found = connection.execute("select Quote from sniff_csv(?)", [file.name]).fetchone()
        except duckdb.Error:
            return ""
    return str(found[0]) if found and found[0] != "(empty)" else ""


def header_lines(seen: Seen) -> Iterator[Source]:
    """Try the first line with the agreed names, and the first that has as many fields as most lines."""
    if seen.source.form.is_fixed_width:
        return
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


def comments(seen: Seen) -> Iterator[Source]:
    """Try each usual sign that some of the first lines begin with, but not all of them."""
    lines = [line for line in _head(seen).decode(errors="replace").split("\n")[:LOOKED_AT_LINES] if line.strip()]
    for sign in COMMENTS if not seen.source.form.comment else ():
        if 0 < sum(line.startswith(sign) for line in lines) < len(lines):
            yield with_form(seen.source, comment=sign)


def trailing_delimiters(seen: Seen) -> Iterator[Source]:
    """Try a delimiter at the end of each line, if most of the first lines have it."""
    lines = [line.rstrip(b"\r") for line in _head(seen).split(b"\n")[:LOOKED_AT_LINES] if line.strip()]
    ends = sum(line.endswith(seen.source.delimiter.encode()) for line in lines)
    if 2 * ends > len(lines) and not seen.source.form.has_trailing_delimiter:
        yield with_form(seen.source, has_trailing_delimiter=True)


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
