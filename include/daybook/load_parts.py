"""All raw files of a source loaded as one: each by its own header, the limits counted over all of them.

Step `load` calls this, and load.py does the work. Messages begin with the file's own name and give its own lines; the
rows get lines that are unique in the source (raw_files.py). Reads from the streams that it is given.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from daybook.errors import BadData
from daybook.load import Batch, load
from daybook.load_limits import Tally
from daybook.raw_files import RawFile, line_in_source, own_line, part_of
from daybook.spec import Source


def load_parts(
    files: list[RawFile],
    source: Source,
    name: str,
    opened: Callable[[RawFile], BinaryIO],
    mends: Mapping[int, bytes] | None = None,
) -> Iterator[Batch]:
    """Give the rows of all files, in their order, block by block.

    name: begins the messages about the whole. opened: opens a file. mends: records that count instead of those on their
    lines. Raises BadData as load does, and where two files have the same bytes, with rows in them.
    """
    tally, seen = Tally(source.limits, name), dict[str, str]()
    for file in files:
        before = tally.rows
        with opened(file) as stream:
            for batch in load(stream, source, name=file.name, mends=_of(file, mends or {}), tally=tally):
                yield _placed(batch, file)
        # Where rows are shared out by a key, several parts may have none.
        if tally.rows > before:
            _check_not_twice(file, seen.setdefault(file.sha256, file.name))
    tally.judge()


def _of(file: RawFile, mends: Mapping[int, bytes]) -> dict[int, bytes]:
    return {own_line(line): record for line, record in mends.items() if part_of(line) == file.number}


def _placed(batch: Batch, file: RawFile) -> Batch:
    if not file.number:
        return batch
    refused = batch.refused
    places = [f"{file.at(line)}: {detail}" for line, detail in zip(*_told(refused), strict=True)]
    told = refused.set_column(3, refused.schema.field(3), pa.array(places, pa.string()))
    return batch._replace(kept=_moved(batch.kept, file), refused=_moved(told, file))


def _told(refused: pa.Table) -> tuple[list[int], list[str]]:
    return refused["line"].to_pylist(), refused["detail"].to_pylist()


def _moved(table: pa.Table, file: RawFile) -> pa.Table:
    return table.set_column(0, table.schema.field(0), pc.add(table.column(0), line_in_source(file.number, 0)))


def _check_not_twice(file: RawFile, first: str) -> None:
    if first != file.name:
        raise BadData(
            f"{file.name}: the same bytes as {first}; nothing is loaded; one part seems to have been delivered twice, "
            "and another not; ask the sender"
        )
