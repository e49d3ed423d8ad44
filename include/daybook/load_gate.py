"""The first look at a file: is it what the contract says, and where does each column lie?

Called by load with the first bytes. Pure; it refuses the file as a whole by BadData, and never shows a row's value.
"""

from daybook.errors import BadData
from daybook.load_layout import Layout, schema
from daybook.load_slow import Damage, split
from daybook.spec import Source, nearest

HEAD_BYTES = 2**20
FIELD_BYTES = 2**16
BOM = b"\xef\xbb\xbf"
SHOWN_NAMES = 20


def first_look(head: bytes, source: Source, name: str) -> tuple[Layout, int]:
    """Give the layout, and where the first record after the header starts. Raises BadData."""
    if not head:
        raise BadData(f"{name}: the file is empty (0 bytes)")
    start = len(BOM) if head.startswith(BOM) else 0
    names, end = _header(head, start, source, name)
    _check_names(names, source, name)
    return _layout(names, source), end


def _header(head: bytes, start: int, source: Source, name: str) -> tuple[list[bytes], int]:
    try:
        cut = split(head, start, source.delimiter.encode(), True)
    except Damage as damage:
        raise BadData(f"{name}, line 1: {damage}; expected is the header") from None
    if cut is None or cut.problem:
        raise BadData(f"{name}: line 1 is not the header: wrong quotes")
    return cut.values, cut.end


def _check_names(found: list[bytes], source: Source, name: str) -> None:
    names = [field.decode(errors="replace") for field in found]
    expected = [column.header for column in source.columns]
    problems = [f"missing column {want!r}{_meant(want, names)}" for want in expected if want not in names]
    problems += [f"unknown column {got!r}{_meant(got, expected)}" for got in names if got not in expected]
    problems += [f"column {got!r} stands {names.count(got)} times" for got in sorted(set(names)) if names.count(got) > 1]
    if problems:
        shown = ", ".join(map(repr, names[:SHOWN_NAMES])) + (", …" if len(names) > SHOWN_NAMES else "")
        raise BadData(f"{name}: {'; '.join(problems[:SHOWN_NAMES])}; the file has {len(names)} columns: [{shown}]")


def _meant(word: str, words: list[str]) -> str:
    hint = nearest(word, words)
    return f" ({hint.removeprefix('; ')})" if hint else ""


def _layout(found: list[bytes], source: Source) -> Layout:
    by_header = {column.header.encode(): column for column in source.columns}
    columns = [by_header.get(field) for field in found]
    return Layout(
        header=found,
        columns=columns,
        contract={column.header: (column, source.tokens(column)) for column in source.columns},
        schema=schema(source),
        delimiter=source.delimiter.encode(),
        blanks=b" \t".replace(source.delimiter.encode(), b""),
        field_bytes=FIELD_BYTES,
        are_control_bytes_kept=False,
        is_last_line_end_needed=True,
    )
