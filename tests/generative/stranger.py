"""One file of a stranger, loaded with every column as text, and held against Python's csv module.

The contract is made from the file itself: the delimiter that its first line has most of, its header's names, UTF-8 or
else Latin-1, no limits. Where the csv module reads the file strictly, each of its records must be kept with its values,
refused, or blank, on its own line. Where it does not, something must be refused. Cut into small blocks it is the same.
Then the words that `./daybook check` proposes are tried on it.
"""

import csv
import gzip
import io
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from commands.check_file import check
from commands.check_form import names_in, of_columns
from commands.check_proposals import proposals
from daybook.errors import BadData, BadSpec
from daybook.loader.load import load
from daybook.spec import File, Form, text
from tests.generative.mutations import PATIENT

DELIMITERS = (",", ";", "\t", "|")
LIMIT_S = 10
# Of the message about a file that was read to its end.
JUDGED_AT_THE_END = "rows are refused, more than half"
# Small files are read again in blocks of a few lines.
SMALL_BYTES, SMALL_BLOCK_BYTES = 200_000, 500
# Of larger files the words are not tried: each is read a dozen times.
TRIED_BYTES = 1_000_000
ENDS = ("kept whole", "some rows refused", "refused")
csv.field_size_limit(2**31 - 1)


class Verdict(NamedTuple):
    """How a file ended, what is wrong with that (nothing, if all is well), and its records by what became of them.

    words: how it ends by `./daybook check` without words of a form, and with those that it proposes; None if not tried.
    """

    outcome: str
    finding: str | None = None
    records: Counter[str] = Counter()
    words: tuple[str, str] | None = None


class Taken(NamedTuple):
    """What the loader made of a file: rows kept and reasons of the refused, by line; empty lines; why it is refused."""

    kept: dict[int, tuple[str, ...]]
    refused: dict[int, str]
    blank: int
    damage: str | None = None


def judged(path: Path) -> Verdict:
    """Load a file, compare, and give the verdict. Anything raised that no person can mend is a finding."""
    try:
        verdict = _judged(path)
        is_tried = verdict.finding is None and path.stat().st_size <= TRIED_BYTES
        return verdict._replace(words=_with_words(path)) if is_tried else verdict
    except Exception:
        return Verdict("crashed", traceback.format_exc())


def _judged(path: Path) -> Verdict:
    packed = path.read_bytes()
    is_packed = packed.startswith(b"\x1f\x8b")
    content = gzip.decompress(packed) if is_packed else packed
    encoding = _encoding(content)
    try:
        source = contract(content.decode(encoding), encoding, is_packed)
    except BadSpec:
        return Verdict("no contract can be made of its first line")
    began = time.monotonic()
    taken = _taken(packed, source)
    if time.monotonic() - began > LIMIT_S:
        return Verdict("slow", f"{time.monotonic() - began:.0f} s, limit {LIMIT_S}")
    if len(content) < SMALL_BYTES and _taken(packed, source, SMALL_BLOCK_BYTES) != taken:
        return Verdict("kept", "in small blocks it is another")
    if taken.damage and JUDGED_AT_THE_END not in taken.damage:
        return Verdict("refused as a whole")
    return Verdict(
        _outcome(taken),
        disagreement(content.decode(encoding), source, taken),
        Counter({"rows kept": len(taken.kept), "empty lines": taken.blank}) + Counter(taken.refused.values()),
    )


def _with_words(path: Path) -> tuple[str, str] | None:
    """Return how a file ends by its own header and the usual limits: as it is, and with the words that are proposed."""
    packed = path.read_bytes()
    is_packed = packed.startswith(b"\x1f\x8b")
    content = gzip.decompress(packed) if is_packed else packed
    encoding = _encoding(content)
    try:
        named = contract(content.decode(encoding), encoding, is_packed)
        source = of_columns(names_in(path, named), named.delimiter, named.form)
    except BadSpec:
        return None
    found = check(path, source, None)
    before = ENDS[2] if found.message else ENDS[1] if found.refused else ENDS[0]
    if before == ENDS[0]:
        return before, before
    best = next(iter(proposals(path, source, found, has_own_columns=True)), None)
    return before, (ENDS[best.accepted < best.rows] if best else before)


def _outcome(taken: Taken) -> str:
    if taken.damage:
        return "refused as a whole, for more than half of its rows are"
    return "kept with rows refused" if taken.refused else "kept whole"


def _encoding(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        content.decode()
        return "utf-8-sig"
    except UnicodeDecodeError:
        return "latin-1"


def contract(content: str, encoding: str, is_packed: bool) -> File:
    """Make the contract of a file from its own first line. Raises BadSpec if its names are none."""
    first = content[: content.find("\n") + 1 or None]
    is_cr = "\r" in content and "\n" not in content
    if is_cr:
        first = content.split("\r")[0]
    delimiter = max(DELIMITERS, key=first.count)
    header = _header(content.replace("\r", "\n") if is_cr else content, delimiter)
    has_trailing_delimiter = len(header) > 1 and not header[-1]
    names = dict.fromkeys(header[:-1] if has_trailing_delimiter else header)
    return File(
        name="stranger",
        connection="none",
        path="stranger.csv",
        columns=tuple(text(name, f"column_{place}") for place, name in enumerate(names)),
        delimiter=delimiter,
        limits=PATIENT.model_copy(update={"field_bytes": 2**20, "stored_rows": 10**9, "field_line_ends": 1000}),
        form=Form(
            encoding=encoding,
            compression="gzip" if is_packed else "none",
            line_end="cr" if is_cr else "lf",
            has_trailing_delimiter=has_trailing_delimiter,
            is_last_line_end_needed=False,
        ),
    )


def _header(content: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(content, newline="\n"), delimiter=delimiter), None) or [""]
    except csv.Error:
        # What is no header is for the loader to judge.
        return [content[:100]]


def _taken(packed: bytes, source: File, block_bytes: int = 2**23) -> Taken:
    kept, refused, blank = dict[int, tuple[str, ...]](), dict[int, str](), 0
    try:
        for batch in load(io.BytesIO(packed), source, block_bytes=block_bytes):
            lines, *columns = (column.to_pylist() for column in batch.kept.columns)
            kept.update(zip(lines, zip(*columns, strict=True), strict=True))
            refused.update(zip(batch.refused["line"].to_pylist(), batch.refused["reason"].to_pylist(), strict=True))
            blank += batch.blank
    except BadData as error:
        return Taken(kept, refused, blank, str(error))
    return Taken(kept, refused, blank)


def disagreement(content: str, source: File, taken: Taken) -> str | None:
    """Say where the loader and the csv module disagree, if they do."""
    content = content.replace("\r", "\n") if source.form.line_end == "cr" else content
    try:
        records = dict(_records(content, source.delimiter))
    except csv.Error as error:
        return None if taken.refused else f"nothing is refused where the csv module says: {error}"
    del records[min(records)]
    width = len(source.columns)
    for line, row in taken.kept.items():
        if [value or "" for value in row] != records.get(line, [])[:width]:
            return f"line {line}: other values than the csv module has"
    # Behind a quote that RFC 4180 forbids, the two go on in different ways.
    if "quote_in_unquoted_field" in taken.refused.values():
        return None
    found = len(taken.kept) + len(taken.refused) + taken.blank
    return None if found == len(records) else f"{found} records, where the csv module has {len(records)}"


def _records(content: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(content, newline="\n"), delimiter=delimiter, strict=True)
    line = 1
    for record in reader:
        yield line, record
        line = reader.line_num + 1
