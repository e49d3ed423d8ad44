"""Where a row stands in its source: its raw files, and lines that are unique in it, also if it is in parts. Pure.

A row's `line` is unique in its source. In a single file it is the physical line. In a part it is that, plus a million
millions for each part up to this one: line 17 of part 2 is 2000000000017. So the lines of a part stay what they are
when another part is delivered anew with more lines, and nobody takes such a number for one to look up.
"""

from typing import NamedTuple

# That many line ends are a terabyte.
LINES_OF_A_PART = 10**12


class RawFile(NamedTuple):
    """One raw file of a source: its name in the extract's folder, what messages call it, and its sha256.

    number: the part's, from 1 on; 0 where it is the only file.
    """

    file: str
    name: str
    number: int
    sha256: str

    @property
    def stem(self) -> str:
        """Return what the notes about it are called."""
        return self.file.removesuffix(".csv")

    def at(self, line: int) -> str:
        """Say where a row stands, by its line in the source."""
        return f"{self.name}, line {own_line(line):,}"


def line_in_source(number: int, line: int) -> int:
    """Return the line in the source of a line in part `number`."""
    return number * LINES_OF_A_PART + line


def part_of(line: int) -> int:
    """Return the number of the part that a line of the source is in; 0 where it is the only file."""
    return line // LINES_OF_A_PART


def own_line(line: int) -> int:
    """Return the line in its own file of a line of the source."""
    return line % LINES_OF_A_PART
