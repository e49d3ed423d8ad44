"""The first look at a file: is it the file that was agreed, and where does each column lie?

Called by load with the first bytes. Pure. It refuses a whole file by BadData, which says what the file is instead but
never shows a row's value: a first line without any of the contract's names may be a row.
"""

import unicodedata
from collections.abc import Iterable, Iterator

from daybook.errors import BadData
from daybook.loader.delimiters import BLANKS, OTHER_DELIMITERS, likely_delimiter
from daybook.loader.layout import Layout, schema
from daybook.loader.records import PROBLEMS, Damage, Fields, split
from daybook.spec import Source, nearest

HEAD_BYTES = 2**20
# How many names a message shows, and how many are compared.
SHOWN_NAMES, COMPARED_NAMES = 20, 200


def first_look(head: bytes, source: Source, name: str) -> tuple[Layout, int]:
    """Return the layout, and the start of the first record after the header, from the first HEAD_BYTES in UTF-8.

    Columns are found by their names, in any order. Raises BadData with all that is wrong with the header.
    """
    if b"\r" in head and b"\n" not in head:
        raise BadData(f"{name}: the line ends are CR, LF or CRLF agreed; declare the line end 'cr' if that is meant")
    start = _start_of_line(head, source.form.header_line, name)
    header = _header(head, start, source, name)
    names = [field.decode(errors="replace") for field in header.values]
    if not any(name.strip() for name in names):
        raise BadData(f"{name}: line {source.form.header_line} names no column; agreed are {_agreed(source)}")
    loaded = names[:-1] if source.form.has_trailing_delimiter and names[-1] == "" else names
    problems = [*_missing(loaded, source), *_unknown(loaded, source), *_repeated(loaded, source)]
    if problems:
        raise BadData(f"{name}: {_message(head[start:], names, problems, source)}")
    return _layout([name.encode() for name in loaded], source), header.end


def _start_of_line(head: bytes, line: int, name: str) -> int:
    start = 0
    for _ in range(line - 1):
        start = head.find(b"\n", start) + 1
        if not start:
            raise BadData(f"{name}: the file has fewer lines than {line}, where the header was agreed to be")
    return start


def _header(head: bytes, start: int, source: Source, name: str) -> Fields:
    where = f"{name}, line {source.form.header_line}"
    if len(head) == HEAD_BYTES and b"\n" not in head[start:]:
        raise BadData(f"{where}: it is longer than {HEAD_BYTES:,} bytes, and should be the header")
    try:
        header = split(head, start, source.delimiter.encode(), is_last=True)
        problem = PROBLEMS[header.problem] if header and header.problem else ""
    except Damage as damage:
        header, problem = None, str(damage)
    if header is None or problem:
        # Quotes are in disorder by a delimiter that is not the file's.
        other = likely_delimiter(head[start:], source)
        raise BadData(
            f"{name}: {_delimiter(other, source)}" if other else f"{where}: {problem}, in what should be the header"
        )
    return header


def _missing(names: list[str], source: Source) -> Iterator[str]:
    found, expected = dict.fromkeys(names), dict.fromkeys(column.header for column in source.columns)
    # Comparing ten thousand names with each other would take too long.
    unknown = [name for name in found if name not in expected][:COMPARED_NAMES]
    for place, name in enumerate(name for name in expected if name not in found):
        yield f"missing column {name!r}{_meant(name, unknown) if place < SHOWN_NAMES else ''}"


def _unknown(names: list[str], source: Source) -> Iterator[str]:
    expected = {column.header for column in source.columns}
    if source.form.extra_columns == "refuse":
        yield from (f"unknown column {_short(name)}" for name in dict.fromkeys(names) if name not in expected)


def _repeated(names: list[str], source: Source) -> Iterator[str]:
    places: dict[str, list[str]] = {}
    for place, name in enumerate(names, 1):
        places.setdefault(name, []).append(str(place))
    expected = {column.header for column in source.columns}
    for name, found in places.items():
        if len(found) > 1 and (source.form.extra_columns == "refuse" or name in expected):
            yield f"column {_short(name)} stands {len(found)} times (columns {', '.join(found[:SHOWN_NAMES])})"


def _meant(word: str, words: list[str]) -> str:
    alike = next((other for other in words if _bare(other) == _bare(word)), None)
    if alike is not None:
        return f" (did you mean {_exact(alike)}?{_difference(alike, word)})"
    hint = nearest(word, words)
    return f" ({hint.removeprefix('; ')})" if hint else ""


def _bare(name: str) -> str:
    """Return a name as the eye takes it: without blanks, marks that do not show, and case."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(sign for sign in text if not sign.isspace() and unicodedata.category(sign) != "Cf")


def _exact(name: str) -> str:
    return repr(name) if name.isascii() or not name.isprintable() else ascii(name)


def _difference(one: str, other: str) -> str:
    if one.casefold() == other.casefold():
        return ""
    is_in_blanks = "".join(one.casefold().split()) == "".join(other.casefold().split())
    return f" it differs in {'blanks' if is_in_blanks else 'signs that look alike or do not show'}"


def _short(name: str) -> str:
    return repr(name if len(name) <= 60 else f"{name[:60]}…")


def _message(head: bytes, names: list[str], problems: list[str], source: Source) -> str:
    """Say in one line what is wrong with a header. Name its fields only if it is one: they could be a row's values."""
    expected = {column.header for column in source.columns}
    if not _plainly(expected) & _plainly(names):
        return _no_header(head, names, source)
    if other := likely_delimiter(head, source, is_several_bytes=True):
        return _delimiter(other, source)
    if names[-1] == "" and expected == set(names[:-1]):
        return f"the header ends with an extra {source.delimiter!r}; declare has_trailing_delimiter if every row does"
    more = f"; and {len(problems) - SHOWN_NAMES} more" if len(problems) > SHOWN_NAMES else ""
    shown = ", ".join(map(_short, names[:SHOWN_NAMES])) + (", …" if len(names) > SHOWN_NAMES else "")
    return (
        f"{'; '.join(problems[:SHOWN_NAMES])}{more}; the file has {len(names):,} columns, "
        f"{len(expected):,} agreed: [{shown}]"
    )


def _plainly(names: Iterable[str]) -> set[str]:
    return {name.strip().casefold() for name in names}


def _no_header(head: bytes, names: list[str], source: Source) -> str:
    expected = [column.header for column in source.columns]
    if other := likely_delimiter(head, source):
        return _delimiter(other, source)
    lines = head[: 2**16].decode(errors="replace").replace("\r", "").split("\n")
    for number, line in enumerate(lines[1:100], source.form.header_line + 1):
        if {field.strip('"') for field in line.split(source.delimiter)} >= set(expected):
            return f"the header is on line {number}, {source.form.header_line} agreed; declare header_line if so meant"
    return (
        f"line {source.form.header_line} is not the header: it has {len(names):,} fields{_signs(lines[0], names)}, and "
        f"none of the columns agreed: {_agreed(source)}"
    )


def _agreed(source: Source) -> str:
    return ", ".join(_short(column.header) for column in source.columns[:SHOWN_NAMES])


def _delimiter(other: str, source: Source) -> str:
    if other == BLANKS:
        return (
            f"the columns stand at fixed places, with blanks between them; {source.delimiter!r} between fields agreed"
        )
    undeclared = "; no spec can declare it, as it is not one byte: ask the sender for another" if len(other) > 1 else ""
    return f"the delimiter is {other!r}, {source.delimiter!r} agreed{undeclared}"


def _signs(line: str, names: list[str]) -> str:
    counted = max(OTHER_DELIMITERS, key=line.count)
    return f"; {counted!r} stands {line.count(counted)} times in it" if len(names) == 1 and counted in line else ""


def _layout(header: list[bytes], source: Source) -> Layout:
    by_header = {column.header.encode(): column for column in source.columns}
    delimiter = source.delimiter.encode()
    form = source.form
    return Layout(
        header=[*header, b""] if form.has_trailing_delimiter else header,
        names=frozenset([*header, b""] if form.has_trailing_delimiter else header),
        columns=[*map(by_header.get, header), *([None] if form.has_trailing_delimiter else [])],
        contract={column.header: (column, source.tokens(column)) for column in source.columns},
        schema=schema(source),
        delimiter=delimiter,
        blanks=b" \t".replace(delimiter, b""),
        encoding=form.encoding,
        field_bytes=source.limits.field_bytes,
        field_line_ends=source.limits.field_line_ends,
        has_trailing_delimiter=form.has_trailing_delimiter,
        are_control_bytes_kept=form.are_control_bytes_kept,
        is_last_line_end_needed=form.is_last_line_end_needed,
    )
