"""A source's raw files, opened by a later step: all rows for `load`, and single ones for whoever refuses them later."""

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import BinaryIO, NamedTuple

from daybook.ledger.raw_files import extracted_by, raw_files
from daybook.loader.find import raw_records
from daybook.loader.line_numbers import RawFile, own_line, part_of
from daybook.loader.load import Batch, load_parts
from daybook.run.step_run import Step
from daybook.spec import File, Source


class RawRow(NamedTuple):
    """A row as it came: the bytes of its record, without line end, and where it stands if the source is in parts."""

    raw: bytes | None
    place: str | None


def batches(step: Step, source: Source, mends: Mapping[int, bytes]) -> Iterator[Batch]:
    """Return the rows of a source, block by block. mends: mended records, by line. Raises BadData as load_parts
    does."""
    name = _written_as(source, step.work.day)
    return load_parts(_files(step, source), source, name, lambda file: _opened(step, source, file), mends)


def rows_at(step: Step, source: Source, lines: list[int]) -> list[RawRow]:
    """Return the rows at these lines of the source."""
    found: dict[int, RawRow] = {}
    for file in _files(step, source):
        wanted = {own_line(line): line for line in lines if part_of(line) == file.number}
        raw = _records(step, source, file, wanted) if wanted else {}
        place = file.at if file.number else lambda line: None
        found |= {line: RawRow(raw.get(own), place(line)) for own, line in wanted.items()}
    return [found[line] for line in lines]


def _records(step: Step, source: Source, file: RawFile, lines: Collection[int]) -> dict[int, bytes]:
    with _opened(step, source, file) as stream:
        return raw_records(stream, source, lines, name=file.name)


def _files(step: Step, source: Source) -> list[RawFile]:
    return raw_files(step.receipt(extracted_by(source)), source.name, _written_as(source, step.work.day))


def _opened(step: Step, source: Source, file: RawFile) -> BinaryIO:
    return step.open(extracted_by(source), file.file)


def _written_as(source: Source, day: date) -> str:
    return source.path_on(day).rpartition("/")[2] if isinstance(source, File) else source.name
