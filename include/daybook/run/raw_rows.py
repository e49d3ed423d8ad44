"""A source's raw files, read by later steps: all rows for `load`, and single rows for steps that refuse them."""

from collections.abc import Collection, Iterator
from datetime import date
from typing import BinaryIO, NamedTuple

from daybook.ledger.raw_files import extracted_by, raw_files
from daybook.loader.find import raw_records
from daybook.loader.line_numbers import RawFile, own_line, part_of
from daybook.loader.load import Batch, load_parts
from daybook.refused import mends
from daybook.run.step_run import StepRun
from daybook.spec import File, Source


class RawRow(NamedTuple):
    """A row as it was loaded: its record, original or mended, without line end; and its place if the source is in
    parts."""

    raw: bytes | None
    place: str | None


def batches(step: StepRun, source: Source) -> Iterator[Batch]:
    """Return the rows of a source, block by block, with the day's mends. Raises BadData as load_parts does."""
    name, mended = _written_as(source, step.day_run.day), step.mends.records(source.name)
    return load_parts(_files(step, source), source, name, lambda file: _opened(step, source, file), mended)


def rows_at(step: StepRun, source: Source, lines: list[int]) -> list[RawRow]:
    """Return the rows at these lines of the source."""
    if not lines:
        return []
    found: dict[int, RawRow] = {}
    mended = _mended(step, source)
    for file in _files(step, source):
        wanted = {own_line(line): line for line in lines if part_of(line) == file.number}
        raw = _records(step, source, file, wanted) if wanted else {}
        place = file.at if file.number else lambda line: None
        found |= {line: RawRow(mended.get(line, raw.get(own)), place(line)) for own, line in wanted.items()}
    return [found[line] for line in lines]


def _mended(step: StepRun, source: Source) -> dict[int, bytes]:
    if mends.FILE not in step.receipt("load").outputs:
        return {}
    rows = step.read_table("load", mends.FILE).to_pylist()
    return {row["line"]: row["raw"] for row in rows if row["source"] == source.name}


def _records(step: StepRun, source: Source, file: RawFile, lines: Collection[int]) -> dict[int, bytes]:
    with _opened(step, source, file) as stream:
        return raw_records(stream, source, lines, name=file.name)


def _files(step: StepRun, source: Source) -> list[RawFile]:
    return raw_files(step.receipt(extracted_by(source)), source.name, _written_as(source, step.day_run.day))


def _opened(step: StepRun, source: Source, file: RawFile) -> BinaryIO:
    return step.open(extracted_by(source), file.file)


def _written_as(source: Source, day: date) -> str:
    return source.path_on(day).rpartition("/")[2] if isinstance(source, File) else source.name
