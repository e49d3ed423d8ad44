"""The last lines of a file that are no rows: kept back from the stream, and held to what was agreed.

Called by load. Reads from the stream below it, only as far as asked. A file that lacks its footer may be cut, and so
may one whose rows are not as many as the footer says.
"""

import re
from typing import NamedTuple

from daybook.errors import BadData
from daybook.loader.decode import Read
from daybook.loader.fields import END_OF_FILE
from daybook.spec import Form
from daybook.text import one_line

# A footer of more lines would be another table.
MOST_LINES = 200


class Line(NamedTuple):
    """A line of a footer: its number in the file, and its bytes without line end."""

    number: int
    content: bytes


class WithoutFooter:
    """A stream without the footer; at the end of the stream `lines` has it.

    lines_read: the lines of the whole file, known at its end.
    """

    def __init__(self, read: Read, form: Form, name: str) -> None:
        self._below, self._form, self._name = read, form, name
        self._held, self._is_at_end = b"", False
        self.lines: list[Line] = []
        self.lines_read = 0

    def read(self, size: int) -> bytes:
        """Return some bytes, none only at the end. Raises BadData if the footer is not there."""
        while not self._is_at_end:
            chunk = self._below(size)
            self._is_at_end = not chunk
            self._held += chunk
            if some := self._last_rows() if self._is_at_end else self._beginning():
                return some
        return b""

    def check(self, rows: int) -> None:
        """Check the counts that the footer tells. Raises BadData."""
        found = {"rows": rows, "lines": self.lines_read}
        told = [(line, *count) for line in self.lines for count in (_match(self._form, line.content) or {}).items()]
        for line, what, count in told:
            if (count.strip().lstrip("0") or "0") != str(found[what]):
                raise BadData(
                    f"{self._name}, line {line.number:,}: the footer says {one_line(count[:20])} {what}, the file has "
                    f"{found[what]:,}; nothing is loaded; it may be cut: have it delivered again"
                )
        if not told and self._form.footer and re.compile(self._form.footer).groupindex:
            raise BadData(f"{self._name}: no line of its footer has the count agreed; nothing is loaded")

    def _beginning(self) -> bytes:
        """Return what comes before the last MOST_LINES lines of the bytes so far."""
        cut = len(self._held)
        for _ in range(MOST_LINES + 1):
            cut = self._held.rfind(b"\n", 0, cut)
            if cut < 0:
                return b""
        some, self._held = self._held[: cut + 1], self._held[cut + 1 :]
        self.lines_read += some.count(b"\n")
        return some

    def _last_rows(self) -> bytes:
        """Return the last lines without the footer; empty lines in it and after it stay."""
        lines = _lines(self._held)
        first = self.lines_read + 1
        self.lines_read += len(lines)
        filled = [place for place, line in enumerate(lines) if line.strip(b"\r\n" + END_OF_FILE)]
        places = self._places([lines[place].rstrip(b"\r\n") for place in filled])
        footer = set(filled[len(filled) - places :])
        if footer and not lines[filled[-1]].endswith(b"\n") and self._form.is_last_line_end_needed:
            raise BadData(
                f"{self._name}, line {first + filled[-1]:,}: the last line has no line end (is_last_line_end_needed): "
                "it may be cut; nothing is loaded"
            )
        self.lines = [Line(first + place, lines[place].rstrip(b"\r\n")) for place in sorted(footer)]
        return b"".join(line for place, line in enumerate(lines) if place not in footer)

    def _places(self, lines: list[bytes]) -> int:
        """Return how many of the last lines are the footer. Raises BadData if they are not as agreed."""
        form, most = self._form, self._form.footer_lines or len(lines)
        matching = 0
        while matching < min(most, len(lines)) and _match(form, lines[-1 - matching]) is not None:
            matching += 1
        if matching < (form.footer_lines or 1):
            agreed = f"{form.footer_lines} lines" if form.footer_lines > 1 else "a line"
            which = f"that match {form.footer!r}" if form.footer else "that are no rows"
            raise BadData(
                f"{self._name}: it ends without its footer: {agreed} {which} agreed, {matching} found; nothing is "
                "loaded; it may be cut: have it delivered again"
            )
        return matching


def _match(form: Form, line: bytes) -> dict[str, str] | None:
    """Return the counts that a line of the footer tells; None if it is not of the footer."""
    found = re.fullmatch(form.footer or ".*", line.decode(errors="replace"), re.DOTALL)
    return {what: told for what, told in found.groupdict().items() if told} if found else None


def _lines(data: bytes) -> list[bytes]:
    """Return lines with their line ends; no carriage return ends a line."""
    return re.findall(rb"[^\n]*\n|[^\n]+", data)


def lines_before(head: bytes, count: int) -> list[Line]:
    """Return the last `count` lines of a file's beginning, which ends with a line end."""
    lines = _lines(head)
    return [Line(number, line.rstrip(b"\r\n")) for number, line in enumerate(lines, 1)][len(lines) - count :]
