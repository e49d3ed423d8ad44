"""Records and fields read one by one, strictly by RFC 4180: the authority on the meaning of a line.

    load ─> blocks ─> fast ─> records ─> values

In a daily run it reads only the few lines that fast.py could not settle; tests prove that fast.py agrees with it on all
others. It exists because csv.reader cannot tell a quoted empty field from an empty one, and accepts stray quotes. Pure:
bytes in, records out.
"""

import re
from typing import Any, NamedTuple

from daybook.loader.layout import BOM, Layout, Record, Refusal
from daybook.loader.values import Unfit, reader

# If a quote stays open for longer, the file is damaged, not just the record.
OPEN_QUOTE_BYTES, OPEN_QUOTE_LINES = 2**20, 1000
RECORD_BYTES = 2**22
# Allowed are tabs, and line ends inside quotes (RFC 4180, 2.6).
CONTROL = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f]")
LINE_END = re.compile(rb"\r?\n|\Z")
# Programs of CP/M and DOS end a text with this byte, and some pad its last block with it.
END_OF_FILE = b"\x1a"
# A line is proven a row if it fits the contract, and so many of its values are not text: any text may hold a comma.
PROOF_VALUES = 2
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


class Reading(NamedTuple):
    """The records read from an offset on, the offset after them, and how many empty lines are among them."""

    end: int
    records: list[Record]
    blank: int = 0


class RecordReader:
    """Reads one record after another in a layout.

    If a record of several lines breaks the contract, its quotes may be stray and its lines rows. It is taken apart only
    if every line between its first and its last is proven a row; otherwise it is refused as one, with all its lines.
    """

    def __init__(self, layout: Layout, is_last: bool) -> None:
        self.layout = layout
        self.is_last = is_last
        self.readers = [column and reader(*layout.contract[column.header]) for column in layout.columns]

    def __call__(self, data: bytes, start: int, line: int) -> Reading | None:
        """Return the record at `start`, and where it ends; several if it is taken apart, none for an empty line.

        Returns None if a quote is still open at the end of the block. Raises Damage.
        """
        try:
            cut = split(data, start, self.layout.delimiter, self.is_last)
        except OpenQuote as damage:
            return self._only_first(data, start, line, damage)
        if cut is None:
            return None
        whole = data[start : cut.end]
        if not whole.endswith(b"\n") and not whole.strip(END_OF_FILE):
            return Reading(cut.end, [])
        record = self._record(cut, whole, line)
        if record is None:
            return Reading(cut.end, [], blank=1)
        return self._apart(data, start, cut.end, record) if b"\n" in record.raw else Reading(cut.end, [record])

    def _record(self, cut: Fields, whole: bytes, line: int) -> Record | None:
        raw = _without_line_end(whole)
        if not raw.removeprefix(BOM):
            return None
        try:
            self._check(cut, raw.removeprefix(BOM), whole)
            return Record(line, raw, self._values(cut), None)
        except Unfit as unfit:
            return Record(line, raw, [], Refusal(unfit.column, unfit.reason, unfit.detail))

    def _only_first(self, data: bytes, start: int, line: int, damage: OpenQuote) -> Reading:
        """Refuse only the line with a quote that is not closed, if the lines after it are proven rows; else raise."""
        end, most = data.find(b"\n", start) + 1, self.layout.field_line_ends
        window = _lines(data[end : damage.at + OPEN_QUOTE_BYTES], min(most + 1, OPEN_QUOTE_LINES)) if end else []
        if not window or (most and not self._are_proven(window)):
            raise damage
        detail = f"{PROBLEMS['open_quote']}; the lines after it are read as rows"
        refused = Record(line, _without_line_end(data[start:end]), [], Refusal(None, "open_quote", detail))
        return Reading(end, [refused])

    def _apart(self, data: bytes, start: int, end: int, record: Record) -> Reading:
        """Return a record of several lines as one, or line by line if its quotes are proven to be stray."""
        first, *others = _lines(data[start:end])
        if not self.layout.field_line_ends:
            return Reading(start + len(first), [_first_of(record, first, "a text has no line ends by the contract")])
        if not self._are_proven(others[:-1]):
            return Reading(end, [record])
        if record.refusal is None:
            return Reading(end, [_doubted(record, len(others) - 1) if others[1:] else record])
        rows = [self._alone(content, record.line + number) for number, content in enumerate(others, 1)]
        if not others[1:] and not self._is_proven(rows[-1]):
            return Reading(end, [record])
        detail = f"{record.refusal.detail}; the {len(others):,} lines after this one are read as rows"
        return Reading(end, [_first_of(record, first, detail), *filter(None, rows)])

    def _are_proven(self, lines: list[bytes]) -> bool:
        return all(self._is_proven(self._alone(content, 0)) for content in lines)

    def _is_proven(self, record: Record | None) -> bool:
        if record is None or record.refusal:
            return False
        columns = zip(self.layout.columns, record.values, strict=True)
        return sum(c is not None and c.kind != "text" and value is not None for c, value in columns) >= PROOF_VALUES

    def _alone(self, content: bytes, line: int) -> Record | None:
        """Return a line as the record that it is without its neighbours; None for an empty one."""
        try:
            cut = split(content, 0, self.layout.delimiter, is_last=True)
        except Damage:
            cut = Fields(len(content), [], [], "open_quote")
        return self._record(cut, content, line) if cut else None

    def _check(self, cut: Fields, raw: bytes, whole: bytes) -> None:
        layout = self.layout
        if not whole.endswith(b"\n") and layout.is_last_line_end_needed:
            raise Unfit("no_line_end", "the last line has no line end (is_last_line_end_needed): it may be cut")
        _check_bytes(raw, layout)
        if cut.problem:
            raise Unfit(cut.problem, PROBLEMS[cut.problem])
        most = max((value.count(b"\n") for value in cut.values), default=0) if b"\n" in raw else 0
        if most > layout.field_line_ends:
            raise Unfit("too_many_line_ends", f"{most:,} line ends in a field, limit {layout.field_line_ends:,}")
        if not raw.strip(layout.blanks):
            raise Unfit("only_blanks", "the line holds blanks only")
        if len(cut.values) == len(layout.header) and frozenset(cut.values) == layout.names:
            raise Unfit("repeated_header", "the line repeats the header")
        if len(cut.values) != len(layout.header):
            _refuse_width(len(cut.values), len(layout.header))
        if layout.has_trailing_delimiter and (cut.values[-1] or cut.are_quoted[-1]):
            raise Unfit("too_many_fields", "text behind the last delimiter")

    def _values(self, cut: Fields) -> list[Any]:
        fields = zip(self.layout.header, self.readers, cut.values, cut.are_quoted, strict=True)
        return [self._value(*field) for field in fields]

    def _value(self, name: bytes, read: Any, value: bytes, is_quoted: bool) -> Any:
        try:
            if len(value) > self.layout.field_bytes:
                raise Unfit("field_too_long", f"{len(value):,} bytes, limit {self.layout.field_bytes:,}")
            return read(value.decode(), is_quoted) if read else None
        except Unfit as unfit:
            raise Unfit(unfit.reason, unfit.detail, name.decode()) from None


def _lines(data: bytes, most: int = -1) -> list[bytes]:
    """Return the lines of some bytes with their line ends, at most `most` of them; no carriage return ends a line."""
    parts = data.split(b"\n", most)
    whole = [part + b"\n" for part in parts[:-1]]
    return whole if len(whole) == most or not parts[-1] else [*whole, parts[-1]]


def _without_line_end(line: bytes) -> bytes:
    return line.removesuffix(b"\n").removesuffix(b"\r") if line.endswith(b"\n") else line


def _doubted(record: Record, rows: int) -> Record:
    """Return a record whose quotes are in order, refused: the lines in it may be rows, or a text like them."""
    return record._replace(
        refusal=Refusal(None, "rows_in_quotes", f"{rows:,} whole rows stand in quotes, or a text like them"), values=[]
    )


def _first_of(record: Record, first: bytes, detail: str) -> Record:
    """Return the first line of a record, refused for the record's reason."""
    refusal = (record.refusal or Refusal(None, "too_many_line_ends", ""))._replace(detail=detail)
    return Record(record.line, _without_line_end(first), [], refusal)


def _refuse_width(found: int, expected: int) -> None:
    reason = "too_many_fields" if found > expected else "too_few_fields"
    raise Unfit(reason, f"{found} fields, {expected} expected")


def _check_bytes(raw: bytes, layout: Layout) -> None:
    if b"\0" in raw:
        raise Unfit("nul_byte", f"NUL byte at offset {raw.index(0)}")
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        detail = f"byte 0x{raw[error.start]:02X} at offset {error.start} is not {layout.encoding}"
        raise Unfit("wrong_encoding", detail) from None
    control = None if layout.are_control_bytes_kept else CONTROL.search(raw.replace(layout.delimiter, b""))
    if control:
        raise Unfit("control_byte", f"control byte 0x{control[0][0]:02X}")


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
