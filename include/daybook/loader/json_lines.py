"""A file of JSON lines as blocks of cells: an object on each line, whose keys are the columns.

Called by other_formats.py. A missing key is a missing value, as null is; but a key that no row of the file has is a
missing column, unless the form says otherwise. Reads from the stream, only as far as asked.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from daybook.errors import BadData
from daybook.loader.blocks import cut_at_line_ends
from daybook.loader.cell_blocks import Block
from daybook.loader.cells import Cells
from daybook.loader.decode import Read, taken
from daybook.loader.fields import BOM, RECORD_BYTES
from daybook.loader.header import HEAD_BYTES
from daybook.loader.json_rows import column_of, known_names, refusal_of, row_of, value_in
from daybook.loader.layout import Layout, Refusal
from daybook.loader.values import Unfit
from daybook.text import nearest

BLANKS = b" \t\r"
SHOWN_NAMES = 20
HEAD_LINES = 1000


class JsonLines:
    """The lines of a file, and the names that its rows have had so far."""

    def __init__(self, read: Read, layout: Layout, name: str, block_bytes: int) -> None:
        self._read, self._name, self._block_bytes = read, name, block_bytes
        self.layout, self.known = layout, known_names(layout)
        self.names = set[str]()
        self.has_rows = False

    def blocks(self) -> Iterator[Block]:
        """Return the rows, block by block."""
        line = 1
        for data in cut_at_line_ends(self._read, self._block_bytes, b""):
            content = data.removeprefix(BOM) if line == 1 else data
            if line == 1:
                _check_start(content, self._name)
            lines = content.split(b"\n")
            if max(map(len, lines)) > RECORD_BYTES:
                first = next(number for number, one in enumerate(lines, line) if len(one) > RECORD_BYTES)
                raise BadData(
                    f"{self._name}, line {first:,}: a line is longer than {RECORD_BYTES:,} bytes; nothing is loaded"
                )
            yield _Lines(self, lines, line).block
            line += len(lines) - 1

    def note(self, rows: list[dict[str, Any]]) -> None:
        """Note the names that rows have."""
        self.names.update(*rows)
        self.has_rows |= any(rows)

    def check_names(self) -> None:
        """Raise BadData if a column is in no row at all, once the file was read to its end."""
        missing = [
            column.header
            for column, _ in self.layout.contract.values()
            if self.has_rows and column.headers.isdisjoint(self.names)
        ]
        if missing:
            unknown = sorted(self.names - self.known)[:SHOWN_NAMES]
            raise BadData(
                f"{self._name}: no row has the key {missing[0]!r}{nearest(missing[0], unknown)}"
                f"{f', and {len(missing) - 1} more' if missing[1:] else ''}; nothing is loaded; if a key is left out "
                "when it is null, declare may_lack_keys=True"
            )


class _Lines:
    """The lines of a block that are not empty. lines: of all the block; the last one has no line end."""

    def __init__(self, file: JsonLines, lines: list[bytes], first: int) -> None:
        numbered = [(number, line) for number, line in enumerate(lines, first) if line.strip(BLANKS)]
        blank = len(lines) - len(numbered) - (not lines[-1])
        self.file, self.is_cut = file, bool(lines[-1].strip(BLANKS))
        self.lines = [line.removesuffix(b"\r") for _, line in numbered]
        self.block = Block(np.array([number for number, _ in numbered], np.int64), self.cells, self.raw, blank)

    def raw(self, places: Sequence[int]) -> list[bytes]:
        """Return lines as they were delivered."""
        return [self.lines[place] for place in places]

    def cells(self) -> tuple[Mapping[str, Cells], Mapping[int, Refusal]]:
        """Return the lines as columns of cells, and why lines are refused."""
        rows, refusals = list[dict[str, Any]](), dict[int, Refusal]()
        for place, line in enumerate(self.lines):
            row, refusal = self._row(line, is_cut=self.is_cut and place == len(self.lines) - 1)
            rows.append(row)
            if refusal:
                refusals[place] = refusal
        self.file.note(rows)
        contract = self.file.layout.contract.items()
        return {
            header: column_of([value_in(row, column) for row in rows], column) for header, (column, _) in contract
        }, refusals

    def _row(self, line: bytes, is_cut: bool) -> tuple[dict[str, Any], Refusal | None]:
        try:
            row = row_of(line, has_line_end=not is_cut)
        except Unfit as unfit:
            return {}, Refusal(unfit.column, unfit.reason, unfit.detail)
        return row, refusal_of(row, self.file.layout, self.file.known)


def _check_start(content: bytes, name: str) -> None:
    if content.lstrip().startswith(b"["):
        raise BadData(
            f'{name}: it is an array of JSON, an object on each line agreed (format="json_lines"); have it written '
            "as JSON lines"
        )


def first_keys(read: Read) -> list[str]:
    """Return the keys of the first rows, in the order in which they come; lines that are no rows are passed over."""
    keys = dict[str, None]()
    for line in taken(read, HEAD_BYTES).removeprefix(BOM).split(b"\n")[:HEAD_LINES]:
        with suppress(Unfit):
            keys.update(dict.fromkeys(row_of(line.removesuffix(b"\r"))))
    return list(keys)
