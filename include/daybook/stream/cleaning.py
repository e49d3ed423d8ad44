"""What `clean` does with some rows of a source, and what comes of them: the same here and on a worker of a cluster."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import date
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from daybook.days import days_around
from daybook.loader.line_numbers import LINES_OF_A_PART
from daybook.rules.clean import Cleaned, Cleaning, Known, clean_batch, keys_left, with_transform
from daybook.rules.first_look import Hashes, compared_by, has_one_of
from daybook.rules.frames import hashes, rows_schema
from daybook.rules.late_rows import LateFiles
from daybook.spec import LATER, File, clean_columns
from daybook.spec.needed import needed_after_clean


class Work(NamedTuple):
    """What a source's rows are cleaned by, and the days whose rows may be late: none if no row may."""

    by: Cleaning
    late: tuple[date, ...]

    @property
    def compared(self) -> list[str]:
        """Return the columns, as they are loaded, that tell whether two rows are to be compared."""
        headers = {column.name: column.header for column in self.by.source.columns}
        return [headers[name] for name in compared_by(self.by.source)]

    @property
    def schema(self) -> pa.Schema:
        """Return the schema of the rows that are handed on."""
        if not self.by.is_of_facts:
            return rows_schema(self.by.source.columns)
        columns = {column.name: column for column in clean_columns(self.by.pipeline)}
        return rows_schema([columns[name] for name in needed_after_clean(self.by.pipeline)])

    @property
    def _kept_columns(self) -> list[str] | None:
        """Return the columns that a batch keeps; None for all, which a transform gets."""
        return None if self.by.is_of_facts and self.by.pipeline.transform else self.schema.names

    def hand_on(self, batches: Iterable[pa.Table], known: Known, write: Callable[[pa.Table], None]) -> "Tally":
        """Clean batches of rows, and write those that are kept; return what came of all."""
        tally, names = Tally(), self.schema.names
        for batch in _transformed((self._cleaned(rows, known) for rows in tally.counted(batches)), self.by):
            write(batch.kept.select(names))
            tally.add(batch)
        return tally

    def _cleaned(self, rows: pa.Table, known: Known) -> Cleaned:
        return clean_batch(rows, self.by, known, self._late_files(rows), self._kept_columns)

    def hashes(self, rows: pa.Table) -> Hashes:
        """Return a hash of each row: equal ones for rows that are to be compared."""
        return hashes(rows.select(self.compared))

    def in_question(self, batches: Iterable[pa.Table], some: Hashes) -> "InQuestion":
        """Return the rows of some batches that have one of some hashes."""
        lines, left = list[int](), list[pa.Table]()
        for rows in batches:
            asked = rows.filter(pa.array(has_one_of(self.hashes(rows), some)))
            lines += asked.column(0).to_pylist()
            if asked.num_rows and self.by.source.key:
                left.append(keys_left(asked, self.by, self._late_files(asked)))
        return InQuestion(lines, left)

    def _late_files(self, rows: pa.Table) -> LateFiles | None:
        return LateFiles(list(self.late), pc.divide(rows.column(0), LATER * LINES_OF_A_PART)) if self.late else None


class InQuestion(NamedTuple):
    """The lines of rows that are to be compared; and if there is a key, what `keys_left` tells of these."""

    lines: list[int]
    left: list[pa.Table]


class Tally:
    """What has come of a source's rows so far."""

    def __init__(self) -> None:
        self.read = self.kept = 0
        self.refused: list[pa.Table] = []
        self.dropped = Counter[str]()
        self.kept_of_file = Counter[int]()

    def add(self, batch: Cleaned) -> None:
        """Count rows as they are handed on."""
        self.kept += batch.kept.num_rows
        self.refused.append(batch.refused)
        self.dropped.update(batch.dropped)
        for count in pc.value_counts(pc.divide(batch.kept["line"], LINES_OF_A_PART)).to_pylist():
            self.kept_of_file[count["values"]] += count["counts"]

    def add_all(self, other: "Tally") -> None:
        """Count what has come of other rows."""
        self.read, self.kept = self.read + other.read, self.kept + other.kept
        self.refused += other.refused
        self.dropped.update(other.dropped)
        self.kept_of_file.update(other.kept_of_file)

    def counted(self, batches: Iterable[pa.Table]) -> Iterator[pa.Table]:
        """Yield batches of rows that are read, and count these."""
        for rows in batches:
            self.read += rows.num_rows
            yield rows


def _transformed(batches: Iterator[Cleaned], by: Cleaning) -> Iterator[Cleaned]:
    """Yield the batches; if there is a transform, all of them as one, as it leaves them."""
    if not (by.is_of_facts and by.pipeline.transform):
        yield from batches
        return
    kept, refused, dropped = zip(*batches, strict=True)
    together = Cleaned(pa.concat_tables(kept), pa.concat_tables(refused), dict(sum(map(Counter, dropped), Counter())))
    yield with_transform(together, by.pipeline)


def late_days(by: Cleaning) -> tuple[date, ...]:
    """Return the days whose rows may come in the files of a source: none if no row may be late."""
    source = by.source
    if not isinstance(source, File) or not source.late_days:
        return ()
    return tuple(days_around(by.pipeline.schedule, by.day, source.late_days))
