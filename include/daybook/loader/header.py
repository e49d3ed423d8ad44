"""The first look at a file: is it the file that was agreed, and where does each column lie?

Called by load with the first bytes. Pure. It refuses a whole file by BadData, which says what the file is instead but
never shows a row's value: a first line without any of the contract's names may be a row.
"""

import re
from collections.abc import Iterable, Iterator

from daybook.errors import BadData
from daybook.loader.layout import BOM, Layout, schema
from daybook.loader.records import PROBLEMS, Damage, Fields, split
from daybook.spec import Form, Source, nearest

HEAD_BYTES = 2**20
# How many names a message shows, and how many are compared.
SHOWN_NAMES, COMPARED_NAMES = 20, 200
OTHER_DELIMITERS = (";", "\t", "|", ",")
# The first bytes of files that people rename to .csv, and their usual names.
KINDS = (
    (rb"\x1f\x8b", "gzip data; declare the compression 'gzip' if that is meant"),
    (rb"PK\x03\x04.*?(\[Content_Types\]\.xml|xl/|mimetypeapplication/vnd)", "a workbook (Excel or OpenDocument)"),
    (rb"PK[\x03\x05]", "a zip file; declare the compression 'zip' if that is meant"),
    (rb"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (rb"%PDF-", "a PDF"),
    (rb"PAR1", "a Parquet file"),
    (rb"BZh[1-9]1AY&SY", "bzip2 data"),
    (rb"\xfd7zXZ\x00", "xz data"),
    (rb"\x28\xb5\x2f\xfd", "zstandard data"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z file"),
    (rb"\s*<(!doctype html|html|head|body)\b", "an HTML page"),
    (rb"\s*<(\?xml|!--|[a-z]+>)", "XML"),
    (rb"\s*[\[{]\s*[\[{\"}\]]", "JSON"),
)
MARKS = (
    (BOM, "UTF-8"),
    (b"\xff\xfe\0\0", "UTF-32"),
    (b"\0\0\xfe\xff", "UTF-32"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
)


def check_kind(head: bytes, form: Form, name: str) -> None:
    """Check that the first bytes can be text in the declared encoding. Raises BadData that says what they are."""
    if not head:
        raise BadData(f"{name}: the file is empty (0 bytes); have it delivered again")
    start = head[:4096].removeprefix(BOM)
    for pattern, kind in KINDS:
        if re.match(pattern, start, re.DOTALL | re.IGNORECASE):
            raise BadData(f"{name}: it is {kind}{_title(start)}, CSV agreed")
    if form.encoding.startswith(("utf-16", "utf-32")):
        _check_wide(head[:4096], form, name)
    else:
        _check_encoding(head[:4096], form, name)


def _title(start: bytes) -> str:
    # The title of an error page says who refused what; it is not a row.
    title = re.search(rb"<title>\s*([^<]{1,60})", start, re.IGNORECASE)
    return f" with the title {title[1].decode(errors='replace').strip()!r}" if title else ""


def _check_wide(start: bytes, form: Form, name: str) -> None:
    """Check that the first bytes fit UTF-16 or UTF-32: its mark, or else the NUL bytes of ASCII's letters."""
    kind, declared = form.encoding[:6], form.encoding[7:]
    mark = next((mark for mark, of in MARKS if of == kind.upper() and start.startswith(mark)), None)
    found, is_sure = _order(start, int(kind[4:]) // 8)
    if mark:
        found, is_sure = "le" if mark.startswith(b"\xff") else "be", True
    if found is None:
        raise BadData(
            f"{name}: {form.encoding} agreed, and it has no NUL bytes, as {kind} has: it looks like UTF-8, or an "
            "encoding of one byte; declare the encoding 'utf-8' if that is meant"
        )
    if declared and found != declared and is_sure:
        raise BadData(f"{name}: it looks like {kind}-{found}, {form.encoding} agreed; declare it if that is meant")
    if not declared and not mark:
        raise BadData(f"{name}: {kind} agreed, and it has no byte order mark; declare the encoding '{kind}-{found}'")


def _order(start: bytes, width: int) -> tuple[str | None, bool]:
    """Return the order of bytes, le or be, in units so wide, by where ASCII's letters have their NUL bytes.

    None if there are none. Some letters of other scripts have one at the other end, so few there are no surprise.
    """
    first, last = start[::width].count(0), start[width - 1 :: width].count(0)
    order = "le" if last > first else "be"
    return (order, max(first, last) > 10 * min(first, last)) if first or last else (None, True)


def _check_encoding(start: bytes, form: Form, name: str) -> None:
    for mark, encoding in MARKS:
        if start.startswith(mark) and not (mark == BOM and form.encoding in ("utf-8", "utf-8-sig")):
            raise BadData(f"{name}: it is {encoding}, {form.encoding} agreed; declare the encoding if that is meant")
    start = start.removeprefix(BOM)
    even, odd = start[::2].count(0), start[1::2].count(0)
    # A few may be accidents in single fields; they refuse only their rows.
    if even + odd > len(start) / 10:
        place = "even" if even > 10 * odd else "odd" if odd > 10 * even else "many"
        kind = "binary data" if place == "many" else "UTF-16 without its mark"
        raise BadData(f"{name}: NUL bytes at {place} places: it looks like {kind}, {form.encoding} agreed")


def first_look(head: bytes, source: Source, name: str) -> tuple[Layout, int]:
    """Return the layout, and the start of the first record after the header, from the first HEAD_BYTES in UTF-8.

    Columns are found by their names, in any order. Raises BadData with all that is wrong with the header.
    """
    if b"\r" in head and b"\n" not in head:
        raise BadData(f"{name}: the line ends are CR, LF or CRLF agreed; declare the line end 'cr' if that is meant")
    start = _start_of_line(head, source.form.header_line, name)
    header = _header(head, start, source, name)
    names = [field.decode(errors="replace") for field in header.values]
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
    except Damage as damage:
        raise BadData(f"{where}: {damage}, in what should be the header") from None
    if header is None or header.problem:
        raise BadData(
            f"{where}: {PROBLEMS[header.problem or ''] if header else 'damage'}, in what should be the header"
        )
    return header


def _missing(names: list[str], source: Source) -> Iterator[str]:
    found, expected = dict.fromkeys(names), [column.header for column in source.columns]
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
    hint = nearest(word, words)
    return f" ({hint.removeprefix('; ')})" if hint else ""


def _short(name: str) -> str:
    return repr(name if len(name) <= 60 else f"{name[:60]}…")


def _message(head: bytes, names: list[str], problems: list[str], source: Source) -> str:
    """Say in one line what is wrong with a header. Name its fields only if it is one: they could be a row's values."""
    expected = {column.header for column in source.columns}
    if not _plainly(expected) & _plainly(names):
        return _no_header(head, names, source)
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
    lines = head[: 2**16].decode(errors="replace").replace("\r", "").split("\n")
    for delimiter in OTHER_DELIMITERS:
        if {field.strip('"') for field in lines[0].split(delimiter)} & set(expected) and delimiter != source.delimiter:
            return f"the delimiter is {delimiter!r}, {source.delimiter!r} agreed"
    for number, line in enumerate(lines[1:100], source.form.header_line + 1):
        if {field.strip('"') for field in line.split(source.delimiter)} >= set(expected):
            return f"the header is on line {number}, {source.form.header_line} agreed; declare header_line if so meant"
    counted = max(OTHER_DELIMITERS, key=lines[0].count)
    hint = (
        f"; {counted!r} stands {lines[0].count(counted)} times in it" if len(names) == 1 and counted in lines[0] else ""
    )
    return (
        f"line {source.form.header_line} is not the header: it has {len(names):,} fields{hint}, and none of the "
        f"columns agreed: {', '.join(map(_short, expected[:SHOWN_NAMES]))}"
    )


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
