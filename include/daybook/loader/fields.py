"""A record cut into its fields, strictly by RFC 4180 and the words of a form: the authority on quotes, delimiters and
fixed places.

Called by records.py, by header.py for the header, and by find.py. It exists because csv.reader cannot tell a quoted
empty field from an empty one, and accepts stray quotes. Pure.
"""

import re
from functools import cache
from typing import NamedTuple

from daybook.spec.source import Source

# Programs of CP/M and DOS end a text with this byte, and some pad its last block with it.
END_OF_FILE = b"\x1a"
BOM = b"\xef\xbb\xbf"  # the byte order mark U+FEFF in UTF-8
# How a spreadsheet's formula for a text begins.
FORMULA = b'="'
# If a quote stays open for longer, the file is damaged, not just the record.
OPEN_QUOTE_BYTES, OPEN_QUOTE_LINES = 2**20, 1000
RECORD_BYTES = 2**22
LINE_END = re.compile(rb"\r?\n|\Z")
PROBLEMS = {
    "text_after_closing_quote": "text after a closing quote",
    "quote_in_unquoted_field": "a quote inside of an unquoted field",
    "lone_carriage_return": "a carriage return that ends no line",
    "open_quote": "a quote that is opened and never closed",
    "unknown_escape": "an escape before a sign that needs none: nobody knows which sign is meant",
}


class Damage(Exception):
    """The file is damaged at an offset: no further record can be read."""

    def __init__(self, at: int, what: str) -> None:
        super().__init__(what)
        self.at = at


class OpenQuote(Damage):
    """A quote that is opened at the offset, and not closed where it should be."""


class Places(NamedTuple):
    """The fields of a line of fixed width: the first character of each and the one after its last, counted from 0, and
    which are texts, whose first blanks are part of them."""

    spans: tuple[tuple[int, int], ...]
    are_texts: tuple[bool, ...]
    may_be_shorter: bool = False
    may_be_longer: bool = False

    @property
    def width(self) -> int:
        """Return how many characters a line has."""
        return self.spans[-1][1]

    def cut(self, line: bytes) -> list[bytes]:
        """Return the fields of a line without the blanks that fill them up."""
        # A line that is not UTF-8 is refused; its fields are of no interest.
        text = line.decode(errors="surrogateescape")
        fields = [text[start:end].rstrip(" ") for start, end in self.spans]
        fields = [
            field if is_text else field.lstrip(" ") for field, is_text in zip(fields, self.are_texts, strict=True)
        ]
        return [field.encode(errors="surrogateescape") for field in fields]


class Syntax(NamedTuple):
    """The signs of a layout: the delimiter of one byte or more, the quote and the escape, each of a byte or none, and
    the blanks that are skipped at the start of a field.

    has_formulas: whether a field may be ="0012": its quotes hide delimiters and line ends, and are part of it. places:
    those of fields of fixed width, which have no delimiter.
    """

    delimiter: bytes
    quote: bytes = b'"'
    escape: bytes = b""
    skipped_blanks: bytes = b""
    has_formulas: bool = False
    places: Places | None = None

    @property
    def escapable(self) -> set[bytes]:
        """Return the signs that an escape may stand before."""
        return {sign for sign in (self.quote, self.escape, self.delimiter) if sign}

    def has_marks(self, content: bytes) -> bool:
        """Return whether quotes or escapes stand in some bytes."""
        return bool((self.quote and self.quote in content) or (self.escape and self.escape in content))


def syntax_of(source: Source) -> Syntax:
    """Return the signs that a source's form declares."""
    form = source.form
    if form.is_fixed_width:
        return Syntax(source.delimiter.encode(), quote=b"", places=_places(source))
    # An escape before a quote is none in a formula, and with another quote these are letters.
    may_have_formulas = form.quote == '"' and not form.escape and "=" not in source.delimiter
    return Syntax(
        delimiter=source.delimiter.encode(),
        quote=(form.quote or "").encode(),
        escape=(form.escape or "").encode(),
        skipped_blanks=b" \t" if form.has_blanks_after_delimiter else b"",
        has_formulas=may_have_formulas and any(source.as_written(column).formulas for column in source.columns),
    )


def _places(source: Source) -> Places:
    return Places(
        spans=tuple((span.start, span.end) for span in source.spans),
        are_texts=tuple(span.column.kind == "text" for span in source.spans),
        may_be_shorter=source.form.may_end_early,
        may_be_longer=source.form.extra_columns == "ignore",
    )


class Fields(NamedTuple):
    """A record cut into fields: its end (after its line end), the fields, which are quoted, and the problem, if any."""

    end: int
    values: list[bytes]
    are_quoted: list[bool]
    problem: str | None = None


def split(data: bytes, start: int, syntax: Syntax, is_last: bool) -> Fields | None:
    """Cut the record at `start` into fields; None if a quote is open at the end of the block.

    A quote opens only at the start of a field. After a wrong quote the record ends with its line, and the next one
    starts there. A byte order mark at its start, as in files that were joined, is no part of it. Raises Damage if a
    quote is never closed, or a record has no end.
    """
    if data.startswith(BOM, start):
        start += len(BOM)
    end = data.find(b"\n", start) + 1 or len(data)
    if end - start > RECORD_BYTES:
        raise Damage(start, f"a line is longer than {RECORD_BYTES:,} bytes")
    content = data[start:end].removesuffix(b"\n")
    if syntax.has_marks(content):
        cut = _split_marked(data, start, syntax, is_last)
    else:
        has_line_end = end > start + len(content)
        content = content.removesuffix(b"\r") if has_line_end else content
        values = syntax.places.cut(content) if syntax.places else content.split(syntax.delimiter)
        if syntax.skipped_blanks:
            values = [value.lstrip(syntax.skipped_blanks) for value in values]
        cut = Fields(end, values, [False] * len(values), "lone_carriage_return" if b"\r" in content else None)
    if cut and (cut.end - start > RECORD_BYTES or not (is_last or data.endswith(b"\n", start, cut.end))):
        raise Damage(start, f"a line is longer than {RECORD_BYTES:,} bytes")
    return cut


def _split_marked(data: bytes, start: int, syntax: Syntax, is_last: bool) -> Fields | None:
    """Cut a record that has quotes or escapes."""
    values: list[bytes] = []
    are_quoted: list[bool] = []
    at = start
    while True:
        while at < len(data) and data[at] in syntax.skipped_blanks:
            at += 1
        is_quoted = bool(syntax.quote) and data.startswith(syntax.quote, at)
        opening = at + (syntax.has_formulas and data.startswith(FORMULA, at))
        has_quotes = is_quoted or opening > at
        after = _after_quotes(data, opening, syntax) if has_quotes else _after_plain(data, at, syntax)
        if after is None:
            return _cut_off(data, opening) if is_last else None
        values.append(data[at + 1 : after - 1] if is_quoted else data[at:after])
        are_quoted.append(is_quoted)
        if not data.startswith(syntax.delimiter, after):
            return _meant(_ended(data, after, values, are_quoted, has_quotes, syntax), syntax)
        at = after + len(syntax.delimiter)


def _meant(cut: Fields, syntax: Syntax) -> Fields:
    """Return fields as they are meant: of two quotes or an escape with a sign one sign."""
    values = [
        value.replace(2 * syntax.quote, syntax.quote) if is_quoted and not syntax.escape else value
        for value, is_quoted in zip(cut.values, cut.are_quoted, strict=True)
    ]
    if not syntax.escape:
        return cut._replace(values=values)
    found = [sign for value in values for sign in _escapes(syntax).findall(value)]
    problem = None if syntax.escapable.issuperset(found) else "unknown_escape"
    values = [_escapes(syntax).sub(rb"\1", value) for value in values]
    return cut._replace(values=values, problem=cut.problem or problem)


@cache
def _escapes(syntax: Syntax) -> re.Pattern[bytes]:
    """Return the pattern of an escape with its sign, and of two quotes; the group is the sign."""
    quote = re.escape(syntax.quote)
    first = [re.escape(syntax.escape), *([quote + b"(?=" + quote + b")"] if quote else [])]
    return re.compile(b"(?:" + b"|".join(first) + b")(.?)", re.DOTALL)


@cache
def _stops(syntax: Syntax) -> re.Pattern[bytes]:
    signs = [re.escape(sign) for sign in (syntax.delimiter, syntax.quote) if sign]
    escaped = re.escape(syntax.escape) + rb"(?:[^\r\n])?" if syntax.escape else None
    return re.compile(b"|".join([rb"[\r\n]", *signs, *([rb"(?P<escaped>" + escaped + b")"] if escaped else [])]))


def _after_plain(data: bytes, start: int, syntax: Syntax) -> int:
    at = start
    while (found := _stops(syntax).search(data, at)) and syntax.escape and found["escaped"]:
        at = found.end()
    return found.start() if found else len(data)


def _ended(
    data: bytes, after: int, values: list[bytes], are_quoted: list[bool], has_quotes: bool, syntax: Syntax
) -> Fields:
    line_end = LINE_END.match(data, after)
    if line_end:
        return Fields(line_end.end(), values, are_quoted)
    is_quote = syntax.quote and data.startswith(syntax.quote, after)
    problem = "quote_in_unquoted_field" if is_quote else "lone_carriage_return"
    if has_quotes:
        problem = "text_after_closing_quote"
    return Fields(data.find(b"\n", after) + 1 or len(data), values, are_quoted, problem)


def _after_quotes(data: bytes, start: int, syntax: Syntax) -> int | None:
    at = start + 1
    while (quote := _next_quote(data, at, syntax)) >= 0 and data.startswith(syntax.quote, quote + 1):
        if at - start > OPEN_QUOTE_BYTES:
            break
        at = quote + 2
    end = quote if quote >= 0 else len(data)
    if end - start > OPEN_QUOTE_BYTES or data.count(b"\n", start, end) > OPEN_QUOTE_LINES:
        raise OpenQuote(
            start, f"a quote opened here is not closed within {OPEN_QUOTE_LINES:,} lines or {OPEN_QUOTE_BYTES:,} bytes"
        )
    return quote + 1 if quote >= 0 else None


def _next_quote(data: bytes, at: int, syntax: Syntax) -> int:
    """Return where the next quote is that no escape stands before, or -1."""
    if not syntax.escape:
        return data.find(syntax.quote, at)
    while (found := _marks(syntax).search(data, at)) and found[0] != syntax.quote:
        at = found.start() + 2
    return found.start() if found else -1


@cache
def _marks(syntax: Syntax) -> re.Pattern[bytes]:
    return re.compile(b"[" + re.escape(syntax.quote) + re.escape(syntax.escape) + b"]")


def _cut_off(data: bytes, quote: int) -> Fields:
    # If the open quote is on the last line, the file is cut; if it has swallowed whole lines, it is damaged.
    if b"\n" in data[quote:]:
        raise OpenQuote(quote, "a quote opened here is never closed")
    return Fields(len(data), [], [], "open_quote")
