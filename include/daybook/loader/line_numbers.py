"""The place of a row in its source: its raw file, and a line that is unique even if the source is in parts. Pure.

In a single file a row's `line` is the physical line. In a part, 10**12 is added for each part up to this one: line 17
of part 2 is 2000000000017. So a part's lines do not change when another part is delivered anew with more lines, and
nobody mistakes such a number for a line to look up.
"""

from typing import NamedTuple

# A part with so many lines would be over a terabyte.
LINES_OF_A_PART = 10**12


class RawFile(NamedTuple):
    """One raw file of a source: its name in the extract's folder, its name in messages, and its sha256.

    number: the part's, from 1 on; 0 if it is the only file.
    """

    file: str
    name: str
    number: int
    sha256: str

    @property
    def stem(self) -> str:
        """Return the name of the notes about it."""
        return self.file.removesuffix(".csv")

    def at(self, line: int) -> str:
        """Return the place of a row as messages name it. line: in the source."""
        return f"{self.name}, line {own_line(line):,}"


def line_in_source(number: int, line: int) -> int:
    """Return the line in the source for a line of part `number`."""
    return number * LINES_OF_A_PART + line


def part_of(line: int) -> int:
    """Return the number of the part that holds a line of the source; 0 if it is the only file."""
    return line // LINES_OF_A_PART


def own_line(line: int) -> int:
    """Return the line in its own file for a line of the source."""
    return line % LINES_OF_A_PART
