"""Records read one by one, strictly by the contract: the authority on the meaning of a line.

    load ─> blocks ─> fast ─> records ─> fields, values

In a daily run it reads only the few lines that fast.py could not settle; tests prove that fast.py agrees with it on all
others. Pure:
bytes in, records out.
"""

import re
from typing import Any, NamedTuple

from daybook.loader.fields import (
    BOM,
    END_OF_FILE,
    OPEN_QUOTE_BYTES,
    OPEN_QUOTE_LINES,
    PROBLEMS,
    RECORD_BYTES,
    Damage,
    Fields,
    OpenQuote,
    Places,
    split,
)
from daybook.loader.layout import (
    PROOF_VALUES,
    Layout,
    Parsed,
    Record,
    Refusal,
    kept_lines_of,
    kept_table,
    refused_table,
)
from daybook.loader.values import Unfit, reader
from daybook.text import counted, verb

# Allowed are tabs, and line ends inside quotes (RFC 4180, 2.6).
CONTROL = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f]")


class Reading(NamedTuple):
    """The records read from an offset on, the offset after them, and counts of empty lines and comments among them."""

    end: int
    records: list[Record]
    blank: int = 0
    comments: int = 0


class RecordReader:
    """Reads one record after another in a layout.

    If a record of several lines breaks the contract, its quotes may be stray and its lines rows. It is taken apart only
    if every line between its first and its last is proven a row; otherwise it is refused as one, with all its lines.
    """

    def __init__(self, layout: Layout, is_last: bool) -> None:
        self.layout = layout
        self.is_last = is_last
        self.readers = [column and reader(*layout.contract[column.header]) for column in layout.columns]
        place_of = {column.header: place for place, column in enumerate(layout.columns) if column}
        self.dates = {place_of[header]: place_of[date] for header, date in layout.date_headers.items()}

    def __call__(self, data: bytes, start: int, line: int) -> Reading | None:
        """Return the record at `start`, and where it ends; several if it is taken apart, none for an empty line.

        Returns None if a quote is still open at the end of the block. Raises Damage.
        """
        if self._is_comment(data, start):
            return self._comment(data, start)
        try:
            cut = split(data, start, self.layout.syntax, self.is_last)
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

    def _is_comment(self, data: bytes, start: int = 0) -> bool:
        return bool(self.layout.comment) and data.startswith(self.layout.comment, start)

    def _comment(self, data: bytes, start: int) -> Reading:
        end = data.find(b"\n", start) + 1 or len(data)
        if end - start > RECORD_BYTES or not (self.is_last or data.endswith(b"\n", start, end)):
            raise Damage(start, f"a line is longer than {RECORD_BYTES:,} bytes")
        return Reading(end, [], comments=1)

    def is_row(self, line: bytes) -> bool:
        """Return whether a line without its line end is proven to be a row of the contract."""
        return self._is_proven(self._alone(line + b"\n", 0))

    def _record(self, cut: Fields, whole: bytes, line: int) -> Record | None:
        raw = _without_line_end(whole)
        if not raw.removeprefix(BOM):
            return None
        try:
            cut = self._filled(cut)
            self._check(cut, raw.removeprefix(BOM), whole)
            return Record(line, raw, self._values(cut), None)
        except Unfit as unfit:
            return Record(line, raw, [], Refusal(unfit.column, unfit.reason, unfit.detail))

    def _filled(self, cut: Fields) -> Fields:
        """Return a record with the empty fields that were left out at its end."""
        missing = len(self.layout.columns) - len(cut.values) if self.layout.may_end_early else 0
        if missing <= 0:
            return cut
        return cut._replace(values=[*cut.values, *[b""] * missing], are_quoted=[*cut.are_quoted, *[False] * missing])

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
        numbered = [(number, content) for number, content in enumerate(others, 1) if not self._is_comment(content)]
        rows = [self._alone(content, record.line + number) for number, content in numbered]
        if not others[1:] and not (rows and self._is_proven(rows[-1])):
            return Reading(end, [record])
        one, more = "the line after this one is read as a row", "lines after this one are read as rows"
        after = verb(len(others), one, f"the {len(others):,} {more}")
        detail = f"{record.refusal.detail}; {after}"
        blank = sum(row is None for row in rows)
        found = [_first_of(record, first, detail), *filter(None, rows)]
        return Reading(end, found, blank, comments=len(others) - len(rows))

    def _are_proven(self, lines: list[bytes]) -> bool:
        rows = [content for content in lines if not self._is_comment(content)]
        return bool(rows or not lines) and all(self._is_proven(self._alone(content, 0)) for content in rows)

    def _is_proven(self, record: Record | None) -> bool:
        if record is None or record.refusal:
            return False
        columns = zip(self.layout.columns, record.values, strict=True)
        return sum(c is not None and c.kind != "text" and value is not None for c, value in columns) >= PROOF_VALUES

    def _alone(self, content: bytes, line: int) -> Record | None:
        """Return a line as the record that it is without its neighbours; None for an empty one."""
        try:
            cut = split(content, 0, self.layout.syntax, is_last=True)
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
        if layout.is_header(cut.values):
            raise Unfit("repeated_header", "the line repeats the header")
        if layout.syntax.places:
            _check_length(len(raw.decode()), layout.syntax.places)
        if len(cut.values) != len(layout.columns):
            _refuse_width(len(cut.values), len(layout.columns))
        if layout.has_trailing_delimiter and (cut.values[-1] or cut.are_quoted[-1]):
            raise Unfit("too_many_fields", "text behind the last delimiter")

    def _values(self, cut: Fields) -> list[Any]:
        return [self._value(place, read, *self._field(cut, place)) for place, read in enumerate(self.readers)]

    def _field(self, cut: Fields, place: int) -> tuple[bytes, bool]:
        """Return a field's bytes, and whether they stand in quotes; behind its date if that is another field."""
        value, is_quoted = cut.values[place], cut.are_quoted[place]
        if place not in self.dates:
            return value, is_quoted
        date, is_date_quoted = cut.values[self.dates[place]], cut.are_quoted[self.dates[place]]
        are_there = (value or is_quoted) and (date or is_date_quoted)
        return (date + b" " + value, True) if are_there else (b"", False)

    def _value(self, place: int, read: Any, value: bytes, is_quoted: bool) -> Any:
        try:
            if len(value) > self.layout.field_bytes:
                raise Unfit("field_too_long", f"{len(value):,} bytes, limit {self.layout.field_bytes:,}")
            return read(value.decode(), is_quoted) if read else None
        except Unfit as unfit:
            raise Unfit(unfit.reason, unfit.detail, self.layout.name_of(place)) from None


def slow_block(data: bytes, layout: Layout, is_last: bool) -> Parsed:
    """Read a block that starts with a record, record by record: what the fast way is held to, and its last resort.

    is_last: the file ends with it.
    """
    read, records, blank, at, line = RecordReader(layout, is_last), list[Record](), 0, 0, 0
    damage, comments = None, 0
    try:
        while at < len(data) and (found := read(data, at, line)):
            records.extend(found.records)
            blank += found.blank
            comments += found.comments
            line += data.count(b"\n", at, found.end)
            at = found.end
    except Damage as error:
        damage = (data.count(b"\n", 0, error.at), str(error))
    tail = data[data.rfind(b"\n") + 1 :]
    read_lines = line + (at == len(data) and bool(tail.strip(END_OF_FILE)))
    kept_lines = kept_lines_of(records)
    kept, refused = kept_table(records, layout), refused_table(records)
    return Parsed(kept, refused, blank, line, at, read_lines, kept_lines, damage, comments)


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


def _check_length(found: int, places: Places) -> None:
    if found > places.width and not places.may_be_longer:
        raise Unfit("line_too_long", f"{counted(found, 'character')}, {places.width:,} expected")
    if found < places.width and not places.may_be_shorter:
        raise Unfit("line_too_short", f"{counted(found, 'character')}, {places.width:,} expected")


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
