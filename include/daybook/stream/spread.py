"""A table of a day cut into parts, each of which one worker of a Spark cluster reads, and writes what comes of it.

The file of `load` is cut at its row groups; what `clean` and `index` write on a cluster is a file a part. So no row of
the facts passes through one machine, and the same functions compute it as for the other engines, with Polars, so the
results cannot differ. A part that is done again, since its worker died, writes the same file with the same bytes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from daybook.ledger.receipt import Output
from daybook.run.step_run import StepRun
from daybook.spec import Pipeline
from daybook.storage.folder import Folder
from daybook.storage.tables import files_of, hand_over, parquet_batches, part_file, row_group_bytes

# Of the file of `load`, not compressed: so much that a part's start does not count.
PART_BYTES = 2**27


class Part(NamedTuple):
    """Some rows of a table: the part's number, the file that holds them, and its row groups, None for all.

    sha256: of the file, for the worker to check; "" if it was checked.
    """

    number: int
    folder: Folder
    file: str
    sha256: str
    groups: tuple[int, ...] | None

    def batches(self, columns: list[str] | None = None, least_rows: int = 0) -> Iterator[pa.Table]:
        """Read the rows, some at a time: see `parquet_batches`. Raises BrokenChain if the file was changed."""
        opened = self.folder.open_unchanged(self.file, self.sha256) if self.sha256 else self.folder.open(self.file)
        with opened as file:
            yield from parquet_batches(file, columns, least_rows, self.groups)


class Piece(NamedTuple):
    """The place of a new table, which each worker writes a part of."""

    folder: Folder
    name: str
    schema: pa.Schema

    @contextmanager
    def new_part(self, number: int) -> Iterator[Callable[[pa.Table], None]]:
        """Write the part of that number, a batch at a time, by the function of the block."""
        with self.folder.new_file(part_file(self.name, number)) as file, hand_over(file, self.schema) as write:
            yield write

    def output(self, number: int, rows: int) -> dict[str, Output]:
        """Return the output that a part is, by its file's name."""
        file = part_file(self.name, number)
        written = self.folder.written(file)
        return {file: Output(rows=rows, size_bytes=written.size_bytes, sha256=written.sha256)}

    def part(self, number: int) -> Part:
        """Return a part that was written, to be read."""
        return Part(number, self.folder, part_file(self.name, number), "", None)

    def remove(self) -> None:
        """Remove all parts that are there, such as those of an earlier try."""
        for file in files_of(self.name, self.folder.names()):
            self.folder.remove_file(file)


def is_spread(pipeline: Pipeline, source: str) -> bool:
    """Return whether a cluster computes the rows of a source: those of the facts are many."""
    return pipeline.engine == "pyspark" and source == pipeline.facts


def parts_of(step: StepRun, before: str, name: str) -> list[Part]:
    """Return the parts of a table that an earlier step wrote, in the order of its rows, one at least.

    Its files are inputs of the step. Raises BrokenChain if the only one is gone or was changed; a worker looks at more.
    """
    files, folder = step.files_of(before, name), step.day_run.folder / before
    if len(files) > 1:
        return [Part(place, folder, file, step.input(before, file), None) for place, file in enumerate(files)]
    with step.open(before, files[0]) as file:
        sizes = row_group_bytes(file)
    return [Part(number, folder, files[0], "", groups) for number, groups in enumerate(_cut(sizes))]


def new_table(step: StepRun, name: str, schema: pa.Schema) -> Piece:
    """Return the place of a new table of a step, without the parts of an earlier try."""
    piece = Piece(step.folder, name, schema)
    piece.remove()
    return piece


def _cut(sizes: list[int]) -> list[tuple[int, ...]]:
    """Return the row groups of each part: as many in a row as have PART_BYTES together, or one."""
    number = (np.cumsum(sizes) - 1) // PART_BYTES if sizes else np.empty(0, np.int64)
    cuts = np.flatnonzero(np.diff(number)) + 1
    return [tuple(map(int, groups)) for groups in np.split(np.arange(len(sizes)), cuts)]
