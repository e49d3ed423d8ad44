"""A source's raw files, read by later steps: all rows for `load`, single rows for steps that refuse or compare them."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from functools import partial
from typing import BinaryIO, NamedTuple

from daybook.ledger.raw_files import content_of, extracted_by, raw_files
from daybook.loader.find import hashed, raw_records
from daybook.loader.layout import kept_raw
from daybook.loader.line_numbers import RawFile, own_line, part_of
from daybook.loader.load import Batch, load_parts
from daybook.refused import mends
from daybook.run.step_run import StepRun
from daybook.spec import File, Source
from daybook.storage.progress import Progress


class RawRow(NamedTuple):
    """A row as it was loaded: its record, original or mended, without line end; and its place if the source is in
    parts."""

    raw: bytes | None
    place: str | None


def batches(step: StepRun, source: Source) -> Iterator[Batch]:
    """Return the rows of a source, block by block, with the day's mends. Raises BadData as load_parts does."""
    name, mended = _written_as(source, step.day_run.day), step.mends.records(source.name)
    reading = _Reading(partial(_opened, step, source))
    size_bytes = content_of(step.receipt(extracted_by(source)), source.name).size_bytes
    progress, lines = Progress(step.folder, source.name, size_bytes), 0
    for batch in load_parts(_files(step, source), source, name, reading.open, mended):
        lines += batch.read_lines
        progress.at(reading.done_bytes, lines)
        yield batch


class _Reading:
    """Opens the files of a source one after the other, and knows how much of them is read."""

    def __init__(self, open_one: Callable[[RawFile], BinaryIO]) -> None:
        self._open_one, self._before = open_one, 0
        self._stream: BinaryIO | None = None

    def open(self, file: RawFile) -> BinaryIO:
        self._before = self.done_bytes
        self._stream = self._open_one(file)
        return self._stream

    @property
    def done_bytes(self) -> int:
        if self._stream is not None and not self._stream.closed:
            self._last = self._before + self._stream.tell()
        return self._last

    _last = 0


def by_file(step: StepRun, source: Source, rows: Mapping[int, int]) -> dict[str, int]:
    """Return how many rows each file of the source has, by its name. rows: by the file's number, if it has some."""
    return {file.name: rows.get(file.number, 0) for file in _files(step, source)}


def rows_at(step: StepRun, source: Source, lines: list[int]) -> list[RawRow]:
    """Return the rows at these lines of the source."""
    records, files = _records(step, source, lines, kept_raw), {file.number: file for file in _files(step, source)}
    return [RawRow(records.get(line), _place(files[part_of(line)], line)) for line in lines]


def hashes_at(step: StepRun, source: Source, lines: list[int]) -> dict[int, bytes]:
    """Return the hashes of the whole records at these lines of the source, by line: equal records have equal ones."""
    return _records(step, source, lines, hashed)


def _place(file: RawFile, line: int) -> str | None:
    return file.at(own_line(line)) if file.number else None


def _records(step: StepRun, source: Source, lines: list[int], kept_as: Callable[[bytes], bytes]) -> dict[int, bytes]:
    """Return the records at these lines, mended or original, by line."""
    if not lines:
        return {}
    records: dict[int, bytes] = {}
    for file in _files(step, source):
        wanted = {own_line(line): line for line in lines if part_of(line) == file.number}
        raw = _records_of(step, source, file, wanted, kept_as) if wanted else {}
        records |= {wanted[own]: record for own, record in raw.items()}
    mended, asked = _mended(step, source), set(lines)
    return records | {line: kept_as(record) for line, record in mended.items() if line in asked}


def _mended(step: StepRun, source: Source) -> dict[int, bytes]:
    if mends.FILE not in step.receipt("load").outputs:
        return {}
    rows = step.read_table("load", mends.FILE).to_pylist()
    return {row["line"]: row["raw"] for row in rows if row["source"] == source.name}


def _records_of(
    step: StepRun, source: Source, file: RawFile, lines: Collection[int], kept_as: Callable[[bytes], bytes]
) -> dict[int, bytes]:
    with _opened(step, source, file) as stream:
        return raw_records(stream, source, lines, kept_as, name=file.name)


def _files(step: StepRun, source: Source) -> list[RawFile]:
    return raw_files(step.receipt(extracted_by(source)), source.name, _written_as(source, step.day_run.day))


def _opened(step: StepRun, source: Source, file: RawFile) -> BinaryIO:
    return step.open(extracted_by(source), file.file)


def _written_as(source: Source, day: date) -> str:
    return source.path_on(day).rpartition("/")[2] if isinstance(source, File) else source.name
