"""What the rows of a table's copy are, as whole_rows.py asks the table itself: of a file that COPY wrote."""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import BinaryIO

from daybook.postgres.day_state import DayState

FIELD = re.compile(rb'("(?:[^"]|"")*"|[^,]*),')


class _Sums:
    """The number of rows, and the sums of their hashes: PostgreSQL's bigint of bytes 1 to 8, and of 9 to 16."""

    def __init__(self) -> None:
        self.rows, self.first, self.second = 0, 0, 0

    def add(self, record: bytes) -> None:
        row = hashlib.sha256(record).digest()
        self.rows += 1
        self.first += int.from_bytes(row[:8], signed=True)
        self.second += int.from_bytes(row[8:16], signed=True)

    @property
    def state(self) -> DayState:
        return DayState(self.rows, f"sha256 {self.first} {self.second}" if self.rows else "")


def copied_state(file: Iterable[bytes]) -> DayState:
    """Return how many rows a copy has, and a hash of them: that of the table from which it was copied."""
    records, sums = _records(file), _Sums()
    next(records, None)
    for record in records:
        sums.add(record)
    return sums.state


def copied_buckets(file: BinaryIO, key: Sequence[str]) -> dict[int, DayState]:
    """Return what `copied_state` does for each bucket of rows. key: headers of the copy."""
    records, sums = _records(file), dict[int, _Sums]()
    places = _places(next(records, b""), key)
    for record in records:
        sums.setdefault(_bucket(record, places), _Sums()).add(record)
    return {number: of_bucket.state for number, of_bucket in sums.items()}


def take_buckets(file: BinaryIO, key: Sequence[str], numbers: Collection[int], out: BinaryIO) -> None:
    """Write the header and the rows of some buckets into another file."""
    records = _records(file)
    header = next(records, b"")
    places = _places(header, key)
    out.write(header + b"\n")
    out.writelines(record + b"\n" for record in records if _bucket(record, places) in numbers)


def headers(file: BinaryIO) -> list[str]:
    """Return the names of a copy's columns."""
    fields = _fields(next(_records(file), b""))
    return [_unquoted(field) for field in fields]


def _records(file: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the records, the header first, without their line ends. A quote in a text stands twice."""
    begun = b""
    for line in file:
        begun += line
        if begun.count(b'"') % 2 == 0:
            yield begun.removesuffix(b"\n")
            begun = b""


def _places(header: bytes, key: Sequence[str]) -> list[int]:
    names = [_unquoted(field) for field in _fields(header)]
    return [names.index(name) for name in key]


def _bucket(record: bytes, places: list[int]) -> int:
    if not places:
        return 0
    fields = _fields(record)
    return int.from_bytes(hashlib.sha256(b",".join(fields[place] for place in places)).digest()[:2])


def _fields(record: bytes) -> list[bytes]:
    """Return the fields of a record as they are written, with their quotes."""
    if b'"' not in record:
        return record.split(b",")
    return [field[1] for field in FIELD.finditer(record + b",")]


def _unquoted(field: bytes) -> str:
    text = field[1:-1].replace(b'""', b'"') if field.startswith(b'"') else field
    return text.decode()
