"""A record cut into its fields, strictly by RFC 4180: the authority on quotes, delimiters and line ends.

Called by records.py, by header.py for the header, and by find.py. It exists because csv.reader cannot tell a quoted
empty field from an empty one, and accepts stray quotes. Pure.
"""

import re
from typing import NamedTuple

BOM = b"\xef\xbb\xbf"  # the byte order mark U+FEFF in UTF-8
# If a quote stays open for longer, the file is damaged, not just the record.
OPEN_QUOTE_BYTES, OPEN_QUOTE_LINES = 2**20, 1000
RECORD_BYTES = 2**22
LINE_END = re.compile(rb"\r?\n|\Z")
PROBLEMS = {
    "text_after_closing_quote": "text after a closing quote",
    "quote_in_unquoted_field": "a quote inside of an unquoted field",
    "lone_carriage_return": "a carriage return that ends no line",
    "open_quote": "a quote that is opened and never closed",
}


class Damage(Exception):
    """The file is damaged at an offset: no further record can be read."""

    def __init__(self, at: int, what: str) -> None:
        super().__init__(what)
        self.at = at


class OpenQuote(Damage):
    """A quote that is opened at the offset, and not closed where it should be."""


class Fields(NamedTuple):
    """A record cut into fields: its end (after its line end), the fields, which are quoted, and the problem, if any."""

    end: int
    values: list[bytes]
    are_quoted: list[bool]
    problem: str | None = None


def split(data: bytes, start: int, delimiter: bytes, is_last: bool) -> Fields | None:
    """Cut the record at `start` into fields by RFC 4180; None if a quote is open at the end of the block.

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
    if b'"' in content:
        cut = _split_quoted(data, start, delimiter, is_last)
    else:
        has_line_end = end > start + len(content)
        content = content.removesuffix(b"\r") if has_line_end else content
        values = content.split(delimiter)
        cut = Fields(end, values, [False] * len(values), "lone_carriage_return" if b"\r" in content else None)
    if cut and (cut.end - start > RECORD_BYTES or not (is_last or data.endswith(b"\n", start, cut.end))):
        raise Damage(start, f"a line is longer than {RECORD_BYTES:,} bytes")
    return cut


def _split_quoted(data: bytes, start: int, delimiter: bytes, is_last: bool) -> Fields | None:
    stops = re.compile(rb'["\r\n]|' + re.escape(delimiter))
    values: list[bytes] = []
    are_quoted: list[bool] = []
    at = start
    while True:
        is_quoted = data.startswith(b'"', at)
        after = _after_quotes(data, at) if is_quoted else _start(stops.search(data, at), len(data))
        if after is None:
            return _cut_off(data, at) if is_last else None
        values.append(data[at + 1 : after - 1].replace(b'""', b'"') if is_quoted else data[at:after])
        are_quoted.append(is_quoted)
        if not data.startswith(delimiter, after):
            return _ended(data, after, values, are_quoted)
        at = after + len(delimiter)


def _start(found: re.Match[bytes] | None, otherwise: int) -> int:
    return found.start() if found else otherwise


def _ended(data: bytes, after: int, values: list[bytes], are_quoted: list[bool]) -> Fields:
    line_end = LINE_END.match(data, after)
    if line_end:
        return Fields(line_end.end(), values, are_quoted)
    problem = "quote_in_unquoted_field" if data.startswith(b'"', after) else "lone_carriage_return"
    if are_quoted[-1]:
        problem = "text_after_closing_quote"
    return Fields(data.find(b"\n", after) + 1 or len(data), values, are_quoted, problem)


def _after_quotes(data: bytes, start: int) -> int | None:
    at = start + 1
    while (quote := data.find(b'"', at)) >= 0 and data.startswith(b'"', quote + 1) and at - start <= OPEN_QUOTE_BYTES:
        at = quote + 2
    end = quote if quote >= 0 else len(data)
    if end - start > OPEN_QUOTE_BYTES or data.count(b"\n", start, end) > OPEN_QUOTE_LINES:
        raise OpenQuote(
            start, f"a quote opened here is not closed within {OPEN_QUOTE_LINES:,} lines or {OPEN_QUOTE_BYTES:,} bytes"
        )
    return quote + 1 if quote >= 0 else None


def _cut_off(data: bytes, quote: int) -> Fields:
    # If the open quote is on the last line, the file is cut; if it has swallowed whole lines, it is damaged.
    if b"\n" in data[quote:]:
        raise OpenQuote(quote, "a quote opened here is never closed")
    return Fields(len(data), [], [], "open_quote")
