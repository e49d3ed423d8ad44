"""What a file is instead, if its header is not the one that was agreed, and which word of the spec takes it.

Called by header.py, and by `./daybook check` for a file without a contract. Pure: a sentence for each kind of wrong
header. It names fields of a line only if the line is a header: they could be a row's values.
"""

import re
from collections.abc import Iterable

from daybook.loader.fields import Damage, Syntax, split
from daybook.spec.source import Source
from daybook.text import counted

# How many names a message shows, and in how many lines a header is looked for.
SHOWN_NAMES, LOOKED_AT_LINES = 20, 100
LOOKED_AT_BYTES = 2**16
OTHER_DELIMITERS = (";", "\t", "|", ",")
# Not the delimiter of any program's CSV, but seen in files.
SEVERAL_BYTES = ("||", "::", ";;", "~|~", "|~|", "^|^", "~~", "##", "@@", "$$", "\t\t", "<>")
BLANKS = "  "
SAMPLE_LINES = 20


def wrong(head: bytes, header: list[bytes], problems: list[str], source: Source, line: int) -> str:
    """Say in one line what is wrong with a header, and what takes it.

    head: the file from that line on. header: its fields. problems: what is wrong with each column. line: its number.
    """
    names, expected = (
        [name.decode(errors="replace") for name in header],
        {name for column in source.named for name in column.headers},
    )
    if expected and not _plainly(expected) & _plainly(names):
        return _no_header(head, names, source, line)
    if elsewhere := _line_of_header(head, source, line):
        return elsewhere
    if other := likely_delimiter(head, source, is_several_bytes=True):
        return _delimiter(other, head, source)
    if names[-1] == "" and source.are_all_in(names[:-1]) and expected >= set(names[:-1]):
        return _trailing(head, source)
    if undecodable := _undecodable(header, source):
        return undecodable
    return listed(problems, names, source)


def listed(problems: list[str], names: list[str], source: Source) -> str:
    """Say what is wrong with the names of a file's columns, and which there are."""
    more = f"; and {len(problems) - SHOWN_NAMES} more" if len(problems) > SHOWN_NAMES else ""
    shown = ", ".join(map(short, names[:SHOWN_NAMES])) + (", …" if len(names) > SHOWN_NAMES else "")
    return (
        f"{'; '.join(problems[:SHOWN_NAMES])}{more}; the file has {len(names):,} columns, "
        f"{len(source.columns):,} agreed: [{shown}]{_if_only_more(problems)}"
    )


def broken(head: bytes, problem: str, source: Source, line: int) -> str:
    """Say what is wrong with a first line that cannot be cut into fields. head: the file from that line on."""
    content, where = head.partition(b"\n")[0], f"line {line}"
    # Quotes are in disorder by a delimiter that is not the file's.
    if other := likely_delimiter(head, source):
        return _delimiter(other, head, source)
    if content.endswith(b"\r\r"):
        return (
            "the line ends are CR CR LF, LF or CRLF agreed: a program has translated them twice; declare "
            'line_end="crcrlf" if it always does'
        )
    if b"\r" in content.removesuffix(b"\r"):
        return (
            f"{where}: the line ends are mixed: it has a carriage return that ends no line, in what should be the "
            "header; LF or CRLF agreed; have the file written with one of them"
        )
    return f'{where}: {problem}, in what should be the header; it may have another quote than " (quote), or be no CSV'


def no_name(head: bytes, source: Source, line: int) -> str:
    """Say that a line names no column. head: the file from that line on."""
    agreed = ", ".join(short(column.header) for column in source.columns[:SHOWN_NAMES])
    return (
        _line_of_header(head, source, line)
        or f"line {line} names no column; agreed are {agreed}; declare header_line if the header is on another line"
    )


def short(name: str) -> str:
    """Return a name in quotes, cut at 60 signs."""
    return repr(name if len(name) <= 60 else f"{name[:60]}…")


def _plainly(names: Iterable[str]) -> set[str]:
    return {name.strip().casefold() for name in names}


def _no_header(head: bytes, names: list[str], source: Source, line: int) -> str:
    expected = [column.header for column in source.named]
    if other := likely_delimiter(head, source):
        return _delimiter(other, head, source)
    if elsewhere := _line_of_header(head, source, line):
        return elsewhere
    agreed = ", ".join(map(short, expected[:SHOWN_NAMES]))
    return (
        f"line {line} is not the header: it has {counted(len(names), 'field')}"
        f"{_signs(_lines(head)[0], names)}, and none of the columns agreed: {agreed}; {_without(names, source)}"
    )


def _without(names: list[str], source: Source) -> str:
    if len(names) == 1 and set(names[0].split(source.delimiter)) >= {column.header for column in source.columns}:
        return "each line stands in quotes as one field: have only texts put in quotes"
    if len(names) == len(source.columns) > 1:
        return "it may be a row; declare header_line=0 if the file has no header, and its columns stand in this order"
    return "it may be another file, or a message of the program that writes it: ask the sender"


def _line_of_header(head: bytes, source: Source, line: int) -> str | None:
    """Say on which other line the header is, if it is on one of the first, after titles or empty lines."""
    expected = {column.header for column in source.named}
    lines = _lines(head)[1:LOOKED_AT_LINES] if any(name.strip() for name in expected) else []
    for number, text in enumerate(lines, line + 1):
        if source.are_all_in({field.strip('"') for field in text.split(source.delimiter)}):
            return (
                f"the header is on line {number}, {line} agreed; declare header_line={number} if that is meant, or "
                '"find" if it varies'
            )
    return None


def _lines(head: bytes) -> list[str]:
    return head[:LOOKED_AT_BYTES].decode(errors="replace").replace("\r", "").split("\n")


def _delimiter(other: str, head: bytes, source: Source) -> str:
    if other == BLANKS:
        return (
            f"the columns stand at fixed places, with blanks between them; {source.delimiter!r} between fields agreed; "
            "declare Form(is_fixed_width=True, header_line=1) and the width of each column if that is meant"
        )
    if len(lines := _lines(head)) > 1 and lines[1] and other not in lines[1]:
        mend = "the next line does not have it: header and rows differ, so ask the sender"
    else:
        mend = f"declare delimiter={other!r} if that is meant"
    return f"the delimiter is {other!r}, {source.delimiter!r} agreed; {mend}"


def _trailing(head: bytes, source: Source) -> str:
    what = f"the header ends with an extra {source.delimiter!r}"
    rows = [line for line in _lines(head)[1:-1] if line]
    if 2 * sum(line.endswith(source.delimiter) for line in rows) < len(rows):
        return f"{what}, and the lines after it do not: header and rows differ, so ask the sender"
    return f"{what}; declare has_trailing_delimiter=True if every line does"


def _undecodable(header: list[bytes], source: Source) -> str | None:
    for name in header:
        try:
            name.decode()
        except UnicodeDecodeError as error:
            byte = f"0x{name[error.start]:02X} " if source.form.encoding in ("utf-8", "utf-8-sig") else ""
            return (
                f"the header has a byte {byte}that is not {source.form.encoding}: the file may be cp1252 or Latin-1; "
                'declare encoding="cp1252" if that is meant'
            )
    return None


def _if_only_more(problems: list[str]) -> str:
    is_so = all(problem.startswith("unknown column") for problem in problems)
    return '; declare them, or extra_columns="ignore", if they are meant' if is_so else ""


def _signs(line: str, names: list[str]) -> str:
    counts = max(OTHER_DELIMITERS, key=line.count)
    return (
        f"; {counts!r} stands {counted(line.count(counts), 'time')} in it" if len(names) == 1 and counts in line else ""
    )


def likely_delimiter(head: bytes, source: Source, is_several_bytes: bool = False) -> str | None:
    """Return the delimiter that makes a first line the agreed header, BLANKS if only its columns' places do, or None.

    is_several_bytes: look for those of several bytes alone.
    """
    line = head[:LOOKED_AT_BYTES].partition(b"\n")[0].decode(errors="replace").removesuffix("\r")
    expected = {column.header for column in source.named}
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
            cut = split(line.encode(), 0, Syntax(delimiter.encode()), is_last=True)
        except Damage:
            cut = None
        if cut and not cut.problem:
            return [value.decode(errors="replace") for value in cut.values]
    return [field.strip('"') for field in line.split(delimiter)]


def even_delimiter(head: bytes) -> tuple[str, int] | None:
    """Return the delimiter that stands equally often on every one of a file's first lines, and how often; or None.

    BLANKS if every line has fields with two blanks or more between them. A single line proves nothing.
    """
    lines = head[:LOOKED_AT_BYTES].decode(errors="replace").replace("\r", "").split("\n")
    lines = [_outside_quotes(line) for line in (lines[:-1] or lines)[:SAMPLE_LINES] if line.strip()]
    for delimiter in (*SEVERAL_BYTES, *OTHER_DELIMITERS) if len(lines) > 1 else ():
        counts = {line.count(delimiter) for line in lines}
        if len(counts) == 1 and counts != {0}:
            return delimiter, counts.pop()
    if len(lines) > 1 and all(re.search(r"\S {2,}\S", line) for line in lines):
        return BLANKS, min(len(re.findall(r"\S {2,}\S", line)) for line in lines)
    return None


def _outside_quotes(line: str) -> str:
    return re.sub(r'"[^"]*"', '""', line)
