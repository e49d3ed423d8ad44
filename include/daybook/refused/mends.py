"""Mends: refused rows that a person corrected, kept in the data folder for the exact file that they were made for.

    <data>/mends/<pipeline>/<day>/<source>/<sha256 of the raw file>.json

`load` applies those of the file that it reads; those of another delivery are set aside. `replay` stores them here.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

import pyarrow as pa

from daybook.errors import BadSpec, DaybookError
from daybook.ledger.chain import MENDED
from daybook.ledger.receipt import Mended
from daybook.spec import Value
from daybook.storage.folder import Folder
from daybook.text import counted, verb

FILE = MENDED
SCHEMA = pa.schema(
    [("source", pa.string()), ("line", pa.int64()), ("raw", pa.binary()), ("who", pa.string()), ("why", pa.string())]
)
SHOWN = 8  # of a hash


class Mend(Value):
    """A record instead of the one on a line: its text without line end, who wrote it, and why."""

    line: int
    record: str
    who: str
    why: str


class MendsOfFile(Value):
    """All mends of one raw file, by line."""

    mends: tuple[Mend, ...]


class DayMends(NamedTuple):
    """The mends that a run applies and sets aside. applied: by source. inputs: hashes by name, as inputs of a step's
    fingerprint. set_aside: a sentence for each source that has mends of another delivery."""

    applied: dict[str, tuple[Mend, ...]]
    inputs: dict[str, str]
    set_aside: tuple[str, ...]

    def records(self, source: str) -> dict[int, bytes]:
        """Return the mended records of a source, by line, for the loader."""
        return {mend.line: mend.record.encode() for mend in self.applied.get(source, ())}

    @property
    def mended(self) -> tuple[Mended, ...]:
        """Return who mended how many rows of each source, and why; in the order of the sources and lines."""
        counts: dict[tuple[str, str], Counter[str]] = {}
        for source, mends in self.applied.items():
            for mend in mends:
                counts.setdefault((mend.who, mend.why), Counter())[source] += 1
        return tuple(Mended(who=who, why=why, rows=dict(rows)) for (who, why), rows in counts.items())

    def table(self) -> pa.Table:
        """Return the applied mends as rows of SCHEMA."""
        rows = [
            (source, mend.line, mend.record.encode(), mend.who, mend.why)
            for source, mends in self.applied.items()
            for mend in mends
        ]
        columns = zip(*rows, strict=True) if rows else [[]] * len(SCHEMA)
        return pa.table(dict(zip(SCHEMA.names, columns, strict=True)), schema=SCHEMA)


def of_day(folder: Folder, raw: Mapping[str, str]) -> DayMends:
    """Return the mends of a day. raw: the hash of each source's raw file."""
    day_mends: DayMends = DayMends({}, {}, ())
    listed = folder.names()
    for source in sorted(raw):
        # Asked for by its name: a listing may lag.
        if (folder / source).has(f"{raw[source]}.json") or source in listed:
            day_mends = _with_source(day_mends, folder / source, source, raw[source])
    return day_mends


def hashes(folder: Folder, known: Collection[str]) -> dict[str, dict[str, str]]:
    """Return the hash of the mends of each raw file, by source and by the raw file's hash. known: the sources' names;
    any other folder there, such as a disk's lost+found, holds no mends."""
    sources = {source: folder / source for source in folder.names() if source in known}
    return {
        source: {name.removesuffix(".json"): files.written(name).sha256 for name in _files(files)}
        for source, files in sources.items()
    }


def as_inputs(hashes: Mapping[str, Mapping[str, str]], raw: Mapping[str, str]) -> dict[str, str]:
    """Return a day's mends as `of_day` gives them as inputs of a step. hashes: of `hashes`. raw: as for `of_day`."""
    inputs: dict[str, str] = {}
    for source, by_file in hashes.items():
        if raw[source] in by_file:
            inputs[f"mends/{source}"] = by_file[raw[source]]
        if others := [f"{sha256}.json" for sha256 in by_file if sha256 != raw[source]]:
            inputs[f"mends_set_aside/{source}"] = ",".join(others)
    return inputs


def read(folder: Folder, source: str, sha256: str) -> tuple[Mend, ...]:
    """Return the mends of a raw file, by line."""
    files, name = folder / source, f"{sha256}.json"
    return _read(files, name) if files.has(name) else ()


def write(folder: Folder, source: str, sha256: str, mends: Iterable[Mend]) -> None:
    """Replace the mends of a raw file, all or none."""
    content = MendsOfFile(mends=tuple(sorted(mends, key=lambda mend: mend.line)))
    with (folder / source).new_file(f"{sha256}.json") as file:
        file.write(content.model_dump_json(indent=1).encode())


def count(folder: Folder) -> int:
    """Return the number of mends of a day, for all files."""
    return sum(len(_read(folder / source, name)) for source in folder.names() for name in _files(folder / source))


def _with_source(day_mends: DayMends, files: Folder, source: str, sha256: str) -> DayMends:
    names = _files(files)
    applied, inputs, set_aside = dict(day_mends.applied), dict(day_mends.inputs), day_mends.set_aside
    if f"{sha256}.json" in names or files.has(f"{sha256}.json"):
        applied[source] = _read(files, f"{sha256}.json")
        inputs[f"mends/{source}"] = files.written(f"{sha256}.json").sha256
    if others := [name for name in names if name != f"{sha256}.json"]:
        count = sum(len(_read(files, name)) for name in others)
        was = ", ".join(f"{name[:SHOWN]}…" for name in others)
        set_aside += (
            f"{counted(count, 'mend')} of {source} {verb(count, 'is set aside: it was', 'are set aside: they were')} "
            f"made for other bytes (sha256 {was}; now {sha256[:SHOWN]}…)",
        )
        inputs[f"mends_set_aside/{source}"] = ",".join(others)
    return DayMends(applied, inputs, set_aside)


def _files(folder: Folder) -> list[str]:
    # A writer's temporary file lies beside them; its name starts with a dot.
    return [name for name in folder.names() if name.endswith(".json") and not name.startswith(".")]


def _read(folder: Folder, name: str) -> tuple[Mend, ...]:
    with folder.open(name) as file:
        content = file.read()
    try:
        return MendsOfFile.model_validate_json(content).mends
    except (ValueError, DaybookError):
        # The original message would show a row.
        raise BadSpec(
            f"{folder.path / name}: it is damaged and holds no mends; nothing was loaded; restore it, or remove it and "
            "replay the mended rows again"
        ) from None
