"""The first look at a file: is it the file that was agreed, and where does each column lie?

Called by load with the first bytes. Pure. It refuses a whole file by BadData, which says what the file is instead but
never shows a row's value: a first line without any of the contract's names may be a row.
"""

import unicodedata
from collections.abc import Iterator

from daybook.errors import BadData
from daybook.loader.header_hints import SHOWN_NAMES, broken, no_name, short, wrong
from daybook.loader.layout import Layout, schema
from daybook.loader.records import PROBLEMS, Damage, Fields, split
from daybook.spec import Source, nearest

HEAD_BYTES = 2**20
# How many names are compared with each other.
COMPARED_NAMES = 200


def first_look(head: bytes, source: Source, name: str) -> tuple[Layout, int]:
    """Return the layout, and the start of the first record after the header, from the first HEAD_BYTES in UTF-8.

    Columns are found by their names, in any order. Raises BadData with all that is wrong with the header.
    """
    if b"\r" in head and b"\n" not in head:
        raise BadData(f'{name}: the line ends are CR, LF or CRLF agreed; declare line_end="cr" if that is meant')
    start = _start_of_line(head, source.form.header_line, name)
    header = _header(head, start, source, name)
    names = [field.decode(errors="replace") for field in header.values]
    if not any(name.strip() for name in names):
        raise BadData(f"{name}: {no_name(head[start:], source)}")
    loaded = names[:-1] if source.form.has_trailing_delimiter and names[-1] == "" else names
    problems = [*_missing(loaded, source), *_unknown(loaded, source), *_repeated(loaded, source)]
    if problems:
        raise BadData(f"{name}: {wrong(head[start:], header.values, problems, source)}")
    return _layout([name.encode() for name in loaded], source), header.end


def _start_of_line(head: bytes, line: int, name: str) -> int:
    start = 0
    for _ in range(line - 1):
        start = head.find(b"\n", start) + 1
        if not start:
            raise BadData(
                f"{name}: the file has fewer lines than {line}, where the header was agreed to be; it may be cut, or "
                "header_line is another"
            )
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
        raise BadData(f"{name}: {broken(head[start:], problem, source)}")
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
        yield from (f"unknown column {short(name)}" for name in dict.fromkeys(names) if name not in expected)


def _repeated(names: list[str], source: Source) -> Iterator[str]:
    places: dict[str, list[str]] = {}
    for place, name in enumerate(names, 1):
        places.setdefault(name, []).append(str(place))
    expected = {column.header for column in source.columns}
    for name, found in places.items():
        if len(found) > 1 and (source.form.extra_columns == "refuse" or name in expected):
            yield f"column {short(name)} stands {len(found)} times (columns {', '.join(found[:SHOWN_NAMES])})"


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


def _layout(header: list[bytes], source: Source) -> Layout:
    by_header = {column.header.encode(): column for column in source.columns}
    delimiter = source.delimiter.encode()
    form = source.form
    return Layout(
        header=[*header, b""] if form.has_trailing_delimiter else header,
        names=frozenset([*header, b""] if form.has_trailing_delimiter else header),
        columns=[*map(by_header.get, header), *([None] if form.has_trailing_delimiter else [])],
        contract={column.header: (source.as_written(column), source.tokens(column)) for column in source.columns},
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
