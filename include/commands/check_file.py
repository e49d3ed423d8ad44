"""A supplier's file tried on the loader, before the first run and without a server.

Called by check.py. It reads the file, and writes only if a folder is given: the accepted rows, if the file is not
refused as a whole, and the refused ones beside them, each file whole or not at all. storage/tables.py says how it
writes texts that a spreadsheet would run.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv

from commands.check_form import head_of
from daybook.errors import BadData
from daybook.ledger.receipt import Lines
from daybook.loader.find import hashed, raw_records
from daybook.loader.header import start_of_header
from daybook.loader.header_hints import BLANKS, even_delimiter
from daybook.loader.layout import heights
from daybook.loader.load import REFUSED_SCHEMA, Batch, load, schema
from daybook.rules.twins import may_be_twins, twins
from daybook.spec import Source, Twins
from daybook.storage.disk import temporary
from daybook.storage.tables import harmless
from daybook.text import one_line, verb

# How many refused records are kept, for the values to be looked at.
KEPT_RAW = 1000
# A number or a date: hardly the name of a column.
VALUE = re.compile(r"[+-]?\d+([.,]\d+)*|\d{1,4}([-/.])\d{1,2}\2\d{1,4}([ T]\d{2}:\d{2}.*)?")
# The refused rows in a file that any program opens: bytes that are not text are written as \xEB.
WRITTEN_REFUSED = pa.schema([field if field.name != "raw" else ("raw", pa.string()) for field in REFUSED_SCHEMA])


class Refused(NamedTuple):
    """A refused record: its first line, the column if one column is to blame, the code of the reason, how many lines it
    takes, and the step that refuses it. `load` names a column by its header, the steps after it by its name in the
    spec."""

    line: int
    column: str | None
    reason: str
    lines: int = 1
    step: str = "load"


class Checked(NamedTuple):
    """The loader's verdict on a file: rows accepted and refused, its lines, and why it is refused as a whole.


    twins: the lines of accepted rows that `clean` will take out, since they are equal to others: it drops or refuses
    them, as `on_twins` says. table: the accepted rows, if they were asked for. raw: the first refused records. tokens:
    how many accepted fields of text are a token for a missing value, by token and header. skipped: the lines that the
    form makes no rows, counted by its word. warnings: what looks wrong in a file that no contract describes.
    """

    file: str
    accepted: int
    refused: list[Refused]
    counted: Lines
    message: str | None
    twins: list[int]
    on_twins: Twins
    table: pa.Table
    raw: list[bytes]
    tokens: Counter[tuple[str, str]] = Counter()
    skipped: Counter[str] = Counter()
    warnings: tuple[str, ...] = ()


def check(path: Path, source: Source, out: Path | None, *, is_table_kept: bool = False) -> Checked:
    """Load a file by a contract, and return the verdict.

    out: a folder for the rows, or None to write none. is_table_kept: return the accepted rows too.
    """
    accepted, lines, refused = 0, Counter[str](), list[Refused]()
    kept, is_kept = [schema(source).empty_table()], is_table_kept or source.on_twins != "keep"
    message, tokens, raw = None, Counter[tuple[str, str]](), list[bytes]()
    skipped = Counter[str]()
    with path.open("rb") as stream, _written(path, source, out) as (write, keep):
        try:
            for batch in load(stream, source, name=one_line(path.name)):
                write(batch)
                accepted += batch.kept.num_rows
                lines.update(read=batch.read_lines, kept=batch.kept_lines, blank=batch.blank)
                tokens += _tokens(batch.kept, source)
                skipped.update(batch.skipped)
                kept += [batch.kept] if is_kept else []
                columns = (batch.refused[name].to_pylist() for name in ("line", "column", "reason"))
                refused += map(Refused, *columns, heights(batch.refused))
                raw += batch.refused["raw"].slice(0, max(KEPT_RAW - len(raw), 0)).to_pylist()
        except BadData as error:
            message = str(error)
        keep(message is None)
    table = pa.concat_tables(kept)
    equal = _twins(path, source, table) if message is None else []
    counted = Lines(
        **{name: lines[name] for name in ("read", "kept", "blank")},
        refused=sum(row.lines for row in refused),
        skipped=skipped.total(),
    )
    return Checked(path.name, accepted, refused, counted, message, equal, source.on_twins, table, raw, tokens, skipped)


def _tokens(rows: pa.Table, source: Source) -> Counter[tuple[str, str]]:
    """Count the fields of text that are a token for a missing value: `clean` makes them empty."""
    texts = [column for column in source.columns if column.kind == "text"]
    return Counter(
        {
            (token, column.header): count
            for column in texts
            for token in source.tokens(column)
            if (count := pc.sum(pc.equal(rows[column.header], token)).as_py())
        }
    )


def _twins(path: Path, source: Source, rows: pa.Table) -> list[int]:
    lines = may_be_twins(rows, source, "polars")
    with path.open("rb") as stream:
        return twins(raw_records(stream, source, lines, hashed, name=path.name), source.on_twins)


def warnings_of(path: Path, source: Source) -> tuple[str, ...]:
    """Return what looks wrong in a file that is checked by its own header."""
    names = [column.header for column in source.columns]
    if not source.form.has_names or source.form.format != "csv":
        return ()
    head = head_of(path, source)
    start = start_of_header(head, source, path.name)
    line = 1 + head.count(b"\n", 0, start)
    return tuple(filter(None, (_of_delimiter(head[start:], names), _of_last(names), _of_header(names, line))))


def _of_delimiter(head: bytes, names: list[str]) -> str | None:
    even = even_delimiter(head) if len(names) == 1 else None
    if even is None:
        return None
    delimiter, count = even
    if delimiter == BLANKS:
        return (
            "there is one column, and every line has runs of blanks: it may have columns of fixed width; say --widths "
            "11,9,6 if so"
        )
    propose = f"say --delimiter {delimiter!r} if that is meant"
    times = "once" if count == 1 else f"{count} times"
    return f"there is one column, and {delimiter!r} stands {times} on every line: it may be the delimiter; {propose}"


def _of_last(names: list[str]) -> str | None:
    is_empty = len(names) > 1 and names[-1] == "" and names.count("") == 1
    return "the header ends with a delimiter; say --trailing-delimiter if every line does" if is_empty else None


def _of_header(names: list[str], line: int) -> str | None:
    values = sum(bool(VALUE.fullmatch(name.strip())) for name in names)
    if not values:
        return None
    fields = f"{values} of its {len(names)} fields {verb(values)}" if len(names) > 1 else "its field is"
    what = f"line {line} was taken for the header, and {fields} a number or a date"
    return f"{what}: it may be a row; say --no-header if the file has no header"


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
        rows = pa_csv.CSVWriter(str(accepted), harmless(schema(source).remove(0).empty_table()).schema)
        bad_rows = pa_csv.CSVWriter(str(refused), WRITTEN_REFUSED)

        def write(batch: Batch) -> None:
            rows.write_table(harmless(batch.kept.remove_column(0)))
            bad_rows.write_table(harmless(_as_text(batch.refused)))

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
