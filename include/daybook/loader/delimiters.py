"""Which other delimiter a file has than the one that was agreed, or if none was. Pure; it shows no value of a row.

Called by header.py if a first line is not the header that was agreed, and by `./daybook check` for a file without a
contract.
"""

import re

from daybook.loader.records import Damage, split
from daybook.spec import Source

OTHER_DELIMITERS = (";", "\t", "|", ",")
# Not the delimiter of any program's CSV, but seen in files; no spec can declare them.
SEVERAL_BYTES = ("||", "::", ";;", "~|~", "|~|", "^|^", "~~", "##", "@@", "$$", "\t\t", "<>")
BLANKS = "  "
LOOKED_AT_LINES = 20
HEAD_BYTES = 2**16


def likely_delimiter(head: bytes, source: Source, is_several_bytes: bool = False) -> str | None:
    """Return the delimiter that makes a first line the agreed header, BLANKS if only its columns' places do, or None.

    is_several_bytes: look for those of several bytes alone.
    """
    line = head[:HEAD_BYTES].partition(b"\n")[0].decode(errors="replace").removesuffix("\r")
    expected = {column.header for column in source.columns}
    others = [sign for sign in dict.fromkeys(line) if not sign.isalnum() and sign not in '"_ ' and sign.isascii()]
    for delimiter in SEVERAL_BYTES if is_several_bytes else (*SEVERAL_BYTES, *OTHER_DELIMITERS, *others):
        found = set(_fields(line, delimiter)) & expected
        enough = 1 if delimiter in OTHER_DELIMITERS else len(expected)
        if len(found) >= enough and delimiter in line and delimiter != source.delimiter:
            return delimiter
    return BLANKS if not is_several_bytes and expected <= set(line.split()) and len(expected) > 1 else None


def _fields(line: str, delimiter: str) -> list[str]:
    if len(delimiter) == 1:
        try:
            cut = split(line.encode(), 0, delimiter.encode(), is_last=True)
        except Damage:
            cut = None
        if cut and not cut.problem:
            return [value.decode(errors="replace") for value in cut.values]
    return [field.strip('"') for field in line.split(delimiter)]


def even_delimiter(head: bytes) -> tuple[str, int] | None:
    """Return the delimiter that stands equally often on every one of a file's first lines, and how often; or None.

    BLANKS if every line has fields with two blanks or more between them. A single line proves nothing.
    """
    lines = head[:HEAD_BYTES].decode(errors="replace").replace("\r", "").split("\n")
    lines = [_outside_quotes(line) for line in (lines[:-1] or lines)[:LOOKED_AT_LINES] if line.strip()]
    for delimiter in (*SEVERAL_BYTES, *OTHER_DELIMITERS) if len(lines) > 1 else ():
        counts = {line.count(delimiter) for line in lines}
        if len(counts) == 1 and counts != {0}:
            return delimiter, counts.pop()
    if len(lines) > 1 and all(re.search(r"\S {2,}\S", line) for line in lines):
        return BLANKS, min(len(re.findall(r"\S {2,}\S", line)) for line in lines)
    return None


def _outside_quotes(line: str) -> str:
    return re.sub(r'"[^"]*"', '""', line)
