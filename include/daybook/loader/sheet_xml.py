"""The XML of a sheet (ECMA-376, part 1, 18.3) as rows of raw cells, and which cells are merged.

Called by sheet_rows.py. The rows are read as the XML comes, so a sheet is never in memory as a whole. Pure: chunks of
bytes in, rows out; raises ValueError if they contradict themselves.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from daybook.loader.xml_parts import Attributes, parsed

MOST_ROWS, MOST_COLUMNS = 2**20, 2**14
MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)"')
MOST_MERGED_ROWS = 2_000_000
PLACE = re.compile("([A-Z]{1,3})([0-9]{1,7})")


class Raw(NamedTuple):
    """A cell as the sheet has it: its type, its style, its text, and whether a formula gives it."""

    kind: str
    style: str
    text: str | None
    is_formula: bool


class Row(NamedTuple):
    """A row that is not empty: its number, and its cells by their place, the first is 0."""

    number: int
    cells: dict[int, Raw]


def rows_of(chunks: Iterator[bytes]) -> Iterator[Row]:
    """Return the rows of a sheet's XML that are not empty. Raises ValueError if they are out of order."""
    reader = _Reader()
    for _ in parsed(chunks, reader.start, reader.end, reader.text):
        yield from reader.rows
        reader.rows.clear()


class _Reader:
    """Takes the tags of a sheet (ECMA-376, part 1, 18.3) one after another, and leaves its rows."""

    def __init__(self) -> None:
        self.rows: list[Row] = []
        self._row, self._place = Row(0, {}), -1
        self._words: Attributes = {}
        self._text: str | None = None
        self._is_formula = self._is_read = self._is_phonetic = False

    def start(self, tag: str, words: Attributes) -> None:
        match tag:
            case "v" | "t":
                self._is_read = not self._is_phonetic
                self._text = self._text or ""
            case "c":
                self._words, self._text, self._is_formula = words, None, False
                self._place = _place(words["r"], self._row.number) if "r" in words else self._place + 1
            case "f":
                self._is_formula = True
            case "row":
                number = int(words.get("r", self._row.number + 1))
                if not self._row.number < number <= MOST_ROWS:
                    raise ValueError(f"row {number} after row {self._row.number}")
                self._row, self._place = Row(number, {}), -1
            case "rPh":
                self._is_phonetic = True

    def text(self, text: str) -> None:
        if self._is_read:
            self._text = (self._text or "") + text

    def end(self, tag: str) -> None:
        match tag:
            case "v" | "t":
                self._is_read = False
            case "c":
                if self._text or (self._is_formula and self._text is None):
                    self._add()
            case "row":
                if self._row.cells:
                    self.rows.append(self._row)
            case "rPh":
                self._is_phonetic = False

    def _add(self) -> None:
        if self._place >= MOST_COLUMNS or self._place in self._row.cells:
            raise ValueError(f"cell {letters(self._place)}{self._row.number} stands twice or too far")
        words = self._words
        raw = Raw(words.get("t", "n"), words.get("s", "0"), self._text, self._is_formula)
        self._row.cells[self._place] = raw


@cache
def _letters_to_place(name: str) -> int:
    place = 0
    for letter in name:
        place = 26 * place + ord(letter) - 64
    return place - 1


def letters(place: int) -> str:
    """Return the letters of a column, as A for 0."""
    name, place = "", place + 1
    while place:
        place, rest = divmod(place - 1, 26)
        name = chr(65 + rest) + name
    return name


def _place(name: str, row: int) -> int:
    found = PLACE.fullmatch(name)
    if not found or int(found[2]) != row:
        raise ValueError(f"a cell {name[:12]!r} in row {row}")
    return _letters_to_place(found[1])


def merged_places(chunks: Iterator[bytes]) -> dict[int, list[tuple[int, int]]]:
    """Return the places of cells that are merged with others, by row: they are told after all rows."""
    merged, rest, height = dict[int, list[tuple[int, int]]](), b"", 0
    for chunk in chunks:
        data = rest + chunk
        for left, top, right, bottom in MERGED.findall(data):
            height += int(bottom) - int(top) + 1
            if height > MOST_MERGED_ROWS:
                raise ValueError("too many merged cells")
            span = _letters_to_place(left.decode()), _letters_to_place(right.decode())
            for row in range(int(top), int(bottom) + 1):
                merged.setdefault(row, []).append(span)
        rest = data[data.rfind(b"<") :] if b"<" in data else b""
    return merged
