"""A source's raw files, opened by a later step: all rows for `load`, and single ones for whoever refuses them later."""

from collections.abc import Iterator
from datetime import date
from typing import BinaryIO, NamedTuple

from daybook.load import Batch
from daybook.load_parts import load_parts
from daybook.raw_files import RawFile, line_in_source, part_of, raw_files
from daybook.spec import File, Source
from daybook.work import Step


class RawRow(NamedTuple):
    """A row as it came: its first line's bytes, without line end, and where it stands if the source is in parts."""

    raw: bytes | None
    place: str | None


def batches(step: Step, source: Source) -> Iterator[Batch]:
    """Give the rows of a source, block by block. Raises BadData as load_parts does."""
    name = _written_as(source, step.work.day)
    return load_parts(_files(step, source), source, name, lambda file: _opened(step, source, file))


def rows_at(step: Step, source: Source, lines: list[int]) -> list[RawRow]:
    """Give the rows at these lines of the source."""
    found: dict[int, RawRow] = {}
    for file in _files(step, source):
        wanted = {line for line in lines if part_of(line) == file.number}
        raw = _raw_lines(step, source, file, wanted) if wanted else {}
        # Of packed files, and of those with other line ends, the landed bytes have no such lines.
        found |= {line: RawRow(raw.get(line), file.at(line) if file.number else None) for line in wanted}
    return [found[line] for line in lines]


def _raw_lines(step: Step, source: Source, file: RawFile, wanted: set[int]) -> dict[int, bytes]:
    with _opened(step, source, file) as stream:
        numbered = enumerate(stream, line_in_source(file.number, 1))
        return {line: content.rstrip(b"\r\n") for line, content in numbered if line in wanted}


def _files(step: Step, source: Source) -> list[RawFile]:
    return raw_files(step.work.receipt(_extracted_by(source)), source.name, _written_as(source, step.work.day))


def _opened(step: Step, source: Source, file: RawFile) -> BinaryIO:
    return step.open(_extracted_by(source), file.file)


def _extracted_by(source: Source) -> str:
    return "extract_files" if isinstance(source, File) else "extract_tables"


def _written_as(source: Source, day: date) -> str:
    return source.path_on(day).rpartition("/")[2] if isinstance(source, File) else source.name
