"""A block of rows of a file that is no CSV, as its reader hands it to the loader. Pure."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from daybook.loader.cells import Cell, Cells
from daybook.loader.layout import Refusal
from daybook.loader.texts import Numbers


class Block(NamedTuple):
    """Rows of a file: their numbers there, their cells, and those that are refused before their cells are looked at.

    cells: a column of cells for each column of the contract, by its header, and why rows are refused, by their place
    in the block. raw: the rows at some places, as they are kept. blank: how many rows are empty, and not among these.
    skipped: how many are no rows, by the word that says so; no_rows: their numbers, and their cells by header.
    """

    numbers: Numbers
    cells: Callable[[], tuple[Mapping[str, Cells], Mapping[int, Refusal]]]
    raw: Callable[[Sequence[int]], list[bytes]]
    blank: int = 0
    skipped: Mapping[str, int] = {}
    no_rows: Sequence[tuple[int, Mapping[str, Cell]]] = ()
