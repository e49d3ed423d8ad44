"""The first look at a file: is it the file that was agreed, and where does each column lie?

Called by load with the first bytes. Pure. It refuses a whole file by BadData, which says what the file is instead but
never shows a row's value: a first line without any of the contract's names may be a row.
"""

import unicodedata
from collections.abc import Iterator
from itertools import islice

from daybook.errors import BadData
from daybook.loader.fields import PROBLEMS, Damage, Fields, split, syntax_of
from daybook.loader.header_hints import SHOWN_NAMES, broken, listed, no_name, short, wrong
from daybook.loader.layout import Layout, schema
from daybook.spec.column import Column
from daybook.spec.source import Source
from daybook.text import nearest

HEAD_BYTES = 2**20
# How many names are compared with each other.
COMPARED_NAMES = 200


def first_look(head: bytes, source: Source, name: str) -> tuple[Layout, int]:
    """Return the layout, and the start of the first record after the header, from the first HEAD_BYTES in UTF-8.

    Columns are found by their names, in any order, or by their places. Raises BadData with all that is wrong with the
    header.
    """
    if b"\r" in head and b"\n" not in head:
        raise BadData(f'{name}: the line ends are CR, LF or CRLF agreed; declare line_end="cr" if that is meant')
    if source.form.header_line == 0:
        return _without_header(head, source, name), 0
    start = start_of_header(head, source, name)
    if source.form.is_fixed_width:
        end = head.find(b"\n", start) + 1 or len(head)
        return _by_places(source), _below(head, end, source.form.lines_below_header, name)
    line = 1 + head.count(b"\n", 0, start)
    header = _header(head, start, source, name)
    names = [field.decode(errors="replace") for field in header.values]
    if not any(name.strip() for name in names):
        raise BadData(f"{name}: {no_name(head[start:], source, line)}")
    loaded = names[:-1] if source.form.has_trailing_delimiter and names[-1] == "" else names
    if problems := _problems(loaded, source):
        raise BadData(f"{name}: {wrong(head[start:], header.values, problems, source, line)}")
    end = _below(head, header.end, source.form.lines_below_header, name)
    return _layout([name.encode() for name in loaded], _columns(loaded, source), source), end


def layout_by_names(names: list[str], source: Source, name: str) -> Layout:
    """Return the layout of a file that is no CSV, by the names of its columns. Raises BadData with all that is wrong.

    names: in their order; "" is a column without a name.
    """
    if problems := _problems(names, source):
        raise BadData(f"{name}: {listed(problems, names, source)}; nothing is loaded")
    return _layout([column.encode() for column in names], _columns(names, source), source)


def layout_by_places(source: Source, width: int = 0) -> Layout:
    """Return the layout of a file without names: the columns at their places, and no fewer than `width`."""
    columns = dict(source.placed or enumerate(source.columns, 1))
    return _layout([], [columns.get(place) for place in range(1, max(width, *columns) + 1)], source)


def _problems(names: list[str], source: Source) -> list[str]:
    return [*_missing(names, source), *_unknown(names, source), *_repeated(names, source)]


def _below(head: bytes, start: int, lines: int, name: str) -> int:
    """Return the end of the lines below the header that are no rows."""
    for _ in range(lines):
        end = head.find(b"\n", start) + 1
        if not end:
            raise BadData(
                f"{name}: it ends with its header; lines_below_header={lines} agreed; nothing is loaded; it may be cut"
            )
        start = end
    return start


def _without_header(head: bytes, source: Source, name: str) -> Layout:
    """Return the layout of a file that begins with a row: as many fields as the columns' places say."""
    columns = dict(source.placed)
    start = next(_starts(head, source.form.comment.encode()), 0)
    width, first = max(columns), _fields(head[start:], source)
    if first and {column.header for column in columns.values()} <= set(first):
        raise BadData(
            f"{name}: line 1 is the header, none agreed (header_line=0); leave header_line out if it is meant"
        )
    if source.form.extra_columns == "ignore":
        width = max(width, len(first) - source.form.has_trailing_delimiter)
    return _layout([], [columns.get(place) for place in range(1, width + 1)], source)


def _by_places(source: Source) -> Layout:
    return _layout([], [column for _, column in source.placed], source)


def _fields(head: bytes, source: Source) -> list[str]:
    """Return the fields of the first record, or none if it is broken."""
    try:
        cut = split(head, 0, syntax_of(source), is_last=True)
    except Damage:
        cut = None
    return [value.decode(errors="replace") for value in cut.values] if cut and not cut.problem else []


def _columns(names: list[str], source: Source) -> list[Column | None]:
    """Return the column of each field of a header: by its place, or else by its name."""
    placed, named = dict(source.placed), {name: column for column in source.named for name in column.headers}
    return [placed.get(place) or named.get(name) for place, name in enumerate(names, 1)]


def _names_to_find(names: list[str], source: Source) -> list[str]:
    """Return the names of a header's fields, without those of columns that are found by their place."""
    placed = dict(source.placed)
    # A column of a sheet without a name may be there for the eye; a row with a value in it is refused.
    is_sheet = source.form.format == "xlsx"
    return [name for place, name in enumerate(names, 1) if place not in placed and (name or not is_sheet)]


def start_of_header(head: bytes, source: Source, name: str) -> int:
    """Return where the line of the header begins; comments are not counted. Raises BadData if there is no such line."""
    form = source.form
    starts = _starts(head, form.comment.encode())
    if form.header_line == "find":
        return _found(head, starts, source, name)
    start = next(islice(starts, form.header_line - 1, None), None)
    if start is None:
        raise BadData(
            f"{name}: the file has fewer lines than {form.header_line}, where the header was agreed to be; it may be "
            "cut, or header_line is another"
        )
    return start


def _starts(head: bytes, comment: bytes) -> Iterator[int]:
    """Return where each line begins that is no comment, the empty one after the last line end too."""
    start, is_line = 0, True
    while is_line:
        if not (comment and head.startswith(comment, start)):
            yield start
        start = head.find(b"\n", start) + 1
        is_line = start > 0


def _found(head: bytes, starts: Iterator[int], source: Source, name: str) -> int:
    """Return where the only line begins that has the names of all columns."""
    wanted = [[name.encode() for name in column.headers] for column in source.named]
    found = []
    for start in starts:
        line = head[start : head.find(b"\n", start) + 1 or None]
        # Most lines lack a name, which is quickly seen.
        if all(any(name in line for name in names) for names in wanted) and source.are_all_in(_fields(line, source)):
            found.append(start)
    if len(found) == 1:
        return found[0]
    lines = [str(1 + head.count(b"\n", 0, start)) for start in found[:SHOWN_NAMES]]
    if lines:
        raise BadData(
            f"{name}: lines {', '.join(lines)} all have the names of the columns, and one header agreed "
            '(header_line="find"); nothing is loaded; several files may be joined in one'
        )
    agreed = ", ".join(short(column.header) for column in source.named[:SHOWN_NAMES])
    raise BadData(
        f'{name}: no line has the names of all columns (header_line="find"): {agreed}; looked at the first '
        f"{len(head):,} bytes; nothing is loaded"
    )


def _header(head: bytes, start: int, source: Source, name: str) -> Fields:
    line = 1 + head.count(b"\n", 0, start)
    where = f"{name}, line {line}"
    if len(head) >= HEAD_BYTES and b"\n" not in head[start:]:
        raise BadData(f"{where}: it is longer than {HEAD_BYTES:,} bytes, and should be the header")
    try:
        header = split(head, start, syntax_of(source), is_last=True)
        problem = PROBLEMS[header.problem] if header and header.problem else ""
    except Damage as damage:
        header, problem = None, str(damage)
    if header is None or problem:
        raise BadData(f"{name}: {broken(head[start:], problem, source, line)}")
    return header


def _missing(names: list[str], source: Source) -> Iterator[str]:
    for place, column in source.placed:
        if place > len(names):
            yield f"missing column {column.header!r} at place {place}"
    found = dict.fromkeys(_names_to_find(names, source))
    expected = {column.header: column for column in source.named}
    # Comparing ten thousand names with each other would take too long.
    known = {name for column in source.named for name in column.headers}
    unknown = [name for name in found if name not in known][:COMPARED_NAMES]
    missing = (name for name, column in expected.items() if column.headers.isdisjoint(found))
    for place, name in enumerate(missing):
        yield f"missing column {name!r}{_meant(name, unknown) if place < SHOWN_NAMES else ''}"


def _unknown(names: list[str], source: Source) -> Iterator[str]:
    expected = {name for column in source.named for name in column.headers}
    if source.form.extra_columns == "refuse":
        found = dict.fromkeys(_names_to_find(names, source))
        yield from (f"unknown column {short(name)}" for name in found if name not in expected)


def _repeated(names: list[str], source: Source) -> Iterator[str]:
    places: dict[str, list[str]] = {}
    placed = dict(source.placed)
    for place, name in enumerate(names, 1):
        if place not in placed and (name or source.form.format != "xlsx"):
            places.setdefault(name, []).append(str(place))
    for column in source.named:
        if len(both := [name for name in (column.header, *column.aliases) if name in places]) > 1:
            yield f"column {column.name!r} is there under {len(both)} names: {', '.join(map(short, both))}"
    expected = {name for column in source.named for name in column.headers}
    for name, found in places.items():
        if len(found) > 1 and (source.form.extra_columns == "refuse" or name in expected):
            shown = ", ".join(found[:SHOWN_NAMES])
            yield f"column {short(name)} stands {len(found)} times (columns {shown}); give one a position={found[0]}"


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


def _layout(header: list[bytes], columns: list[Column | None], source: Source) -> Layout:
    form = source.form
    return Layout(
        header=[*header, b""] if form.has_trailing_delimiter and header else header,
        columns=[*columns, *([None] if form.has_trailing_delimiter else [])],
        contract={column.header: (source.as_written(column), source.tokens(column)) for column in source.columns},
        schema=schema(source),
        syntax=syntax_of(source),
        comment=form.comment.encode(),
        blanks=b" \t".replace(source.delimiter.encode(), b""),
        encoding=form.encoding,
        field_bytes=source.limits.field_bytes,
        field_line_ends=source.limits.field_line_ends,
        has_trailing_delimiter=form.has_trailing_delimiter,
        may_end_early=form.may_end_early and not form.is_fixed_width,
        are_control_bytes_kept=form.are_control_bytes_kept,
        is_last_line_end_needed=form.is_last_line_end_needed,
        format=form.format,
        are_others_ignored=form.extra_columns == "ignore",
        not_all_integers=set(),
    )
