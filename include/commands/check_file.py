"""A supplier's file tried on the loader, before the first run and without a server.

Called by check.py. It reads the file, and writes only if a folder is given: the accepted rows, if the file is not
refused as a whole, and the refused ones beside them, each file whole or not at all. storage/tables.py says how it
writes texts that a spreadsheet would run.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.csv as pa_csv

from daybook.errors import BadData
from daybook.loader.find import hashed, raw_records
from daybook.loader.layout import BOM
from daybook.loader.load import REFUSED_SCHEMA, Batch, load, schema
from daybook.loader.records import Damage, split
from daybook.rules.twins import may_be_twins, twins
from daybook.spec import File, Source, Twins, text
from daybook.storage.disk import temporary
from daybook.storage.tables import without_formulas

HEAD_BYTES = 2**20
# The refused rows in a file that any program opens: bytes that are not text are written as \xEB.
WRITTEN_REFUSED = pa.schema([field if field.name != "raw" else ("raw", pa.string()) for field in REFUSED_SCHEMA])


class Refused(NamedTuple):
    """A refused row: its line, the header of the column if one column is to blame, and the code of the reason."""

    line: int
    column: str | None
    reason: str


class Checked(NamedTuple):
    """The loader's verdict on a file: rows accepted and refused, empty lines, and why it is refused as a whole.

    twins: the lines of accepted rows that `clean` will take out, since they are equal to others: it drops or refuses
    them, as `on_twins` says.
    """

    file: str
    accepted: int
    refused: list[Refused]
    empty_lines: int
    message: str | None
    twins: list[int]
    on_twins: Twins

    @property
    def reasons(self) -> Counter[tuple[str, str | None]]:
        """Count the refused rows by reason and column."""
        return Counter((row.reason, row.column) for row in self.refused)


def check(path: Path, source: Source, out: Path | None) -> Checked:
    """Load a file by a contract, and return the verdict. out: a folder for the rows, or None to write none."""
    accepted, empty_lines, refused = 0, 0, list[Refused]()
    kept = [schema(source).empty_table()]
    message = None
    with path.open("rb") as stream, _written(path, source, out) as (write, keep):
        try:
            for batch in load(stream, source, name=path.name):
                write(batch)
                accepted, empty_lines = accepted + batch.kept.num_rows, empty_lines + batch.blank
                kept += [batch.kept] if source.on_twins != "keep" else []
                refused += [Refused(*row.values()) for row in batch.refused.select(Refused._fields).to_pylist()]
        except BadData as error:
            message = str(error)
        keep(message is None)
    equal = _twins(path, source, pa.concat_tables(kept)) if message is None else []
    return Checked(path.name, accepted, refused, empty_lines, message, equal, source.on_twins)


def _twins(path: Path, source: Source, rows: pa.Table) -> list[int]:
    lines = may_be_twins(rows, source, "polars")
    with path.open("rb") as stream:
        return twins(raw_records(stream, source, lines, hashed, name=path.name), source.on_twins)


def of_columns(names: list[str]) -> File:
    """Return the contract of a file with these columns, all of text."""
    columns = tuple(text(name, f"column_{place}") for place, name in enumerate(names, 1))
    return File(name="file", connection="none", path="file", columns=columns)


def names_in(path: Path) -> list[str]:
    """Return the values of a file's first line, header or not: the loader judges them."""
    with path.open("rb") as stream:
        head = stream.read(HEAD_BYTES).removeprefix(BOM)
    try:
        cut = split(head, 0, b",", is_last=True)
    except Damage:
        cut = None
    return [name.decode(errors="replace") for name in cut.values] if cut and cut.values else [""]


@contextmanager
def _written(
    path: Path, source: Source, out: Path | None
) -> Iterator[tuple[Callable[[Batch], None], Callable[[bool], None]]]:
    """Return two functions: one writes a batch; one keeps the files at the end, the accepted rows only if told to."""
    if out is None:
        yield lambda batch: None, lambda is_whole: None
        return
    names = f"{path.stem}.accepted.csv", f"{path.stem}.refused.csv"
    with temporary(out, names[0]) as accepted, temporary(out, names[1]) as refused:
        rows = pa_csv.CSVWriter(str(accepted), without_formulas(schema(source).remove(0).empty_table()).schema)
        bad_rows = pa_csv.CSVWriter(str(refused), WRITTEN_REFUSED)

        def write(batch: Batch) -> None:
            rows.write_table(without_formulas(batch.kept.remove_column(0)))
            bad_rows.write_table(without_formulas(_as_text(batch.refused)))

        def keep(is_whole: bool) -> None:
            rows.close()
            bad_rows.close()
            refused.replace(out / names[1])
            if is_whole:
                accepted.replace(out / names[0])

        yield write, keep


def _as_text(refused: pa.Table) -> pa.Table:
    raw = [line.decode(errors="backslashreplace") for line in refused["raw"].to_pylist()]
    return refused.set_column(4, "raw", pa.array(raw, pa.string())).cast(WRITTEN_REFUSED)
