"""What a file is instead of text in the declared encoding, by its first bytes.

Called by load before a byte is decoded. Pure. It refuses the file by BadData, and shows no value of a row.
"""

import re

from daybook.errors import BadData
from daybook.loader.fields import BOM
from daybook.spec import Form

A_WORKBOOK = "a workbook (Excel or OpenDocument)"
# The first bytes of files that people rename to .csv, and their usual names.
PROLOG = rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*"
TAGS = rb"html|head|body|title|meta|table|thead|tbody|tr|td|div|p|br|font|form"
# Some programs write the names of columns in angle brackets, with a delimiter after each.
END_OF_NAME = rb"[^<>]*>[,;|\t]"
KINDS = (
    (rb"\x1f\x8b", "gzip data"),
    (rb"PK\x03\x04.*?(\[Content_Types\]\.xml|xl/|mimetypeapplication/vnd)", A_WORKBOOK),
    (rb"PK[\x03\x05]", "a zip file"),
    (rb"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (rb"%PDF-", "a PDF"),
    (rb"PAR1", "a Parquet file"),
    (rb"BZh[1-9]1AY&SY", "bzip2 data"),
    (rb"\xfd7zXZ\x00", "xz data"),
    (rb"\x28\xb5\x2f\xfd", "zstandard data"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7z file"),
    (PROLOG + rb"<(!doctype\s+html|(" + TAGS + rb")\b(?!" + END_OF_NAME + rb"))", "an HTML page"),
    (rb"\s*<(\?xml|!--|(?!" + END_OF_NAME + rb")[a-z][\w:.-]*(\s[^<>]*)?/?>)", "XML"),
    (rb"(?-i:ID;P[A-Z0-9]+(;[A-Z])*\r?\n[A-Z];[A-Z])", "a SYLK file (a workbook as text)"),
    (rb"MIME-Version:", "a web archive (MHTML)"),
    (rb"\{\\rtf", "RTF"),
    (rb"\s*[\[{]\s*[\[{\"}\]]", "JSON"),
)
# Which of them a spec can declare, and how.
DECLARED = {
    "gzip data": 'compression="gzip"',
    "a zip file": 'compression="zip"',
    A_WORKBOOK: 'format="xlsx"',
    "a Parquet file": 'format="parquet"',
    "JSON": 'format="json_lines"',
}
# What the first bytes of each other format look like.
KINDS_OF = {
    "json_lines": ("JSON", "text"),
    "parquet": ("a Parquet file",),
    "xlsx": (A_WORKBOOK, "a zip file"),
}
EMPTY = "the file is empty (0 bytes); have it delivered again, or declare may_be_empty=True"
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
        raise BadData(f"{name}: {EMPTY}")
    start = head[:4096].removeprefix(BOM)
    for pattern, kind in KINDS:
        if re.match(pattern, start, re.DOTALL | re.IGNORECASE):
            raise BadData(f"{name}: it is {kind}{_title(start)}, {_agreed(kind, form)}")
    if form.encoding.startswith(("utf-16", "utf-32")):
        _check_wide(head[:4096], form, name)
    else:
        _check_encoding(head[:4096], form, name)


def kind_of(head: bytes) -> str | None:
    """Return what the first bytes are of, or None if they may be of any text."""
    start = head[:4096].removeprefix(BOM)
    return next((kind for pattern, kind in KINDS if re.match(pattern, start, re.DOTALL | re.IGNORECASE)), None)


def check_format(head: bytes, form: Form, name: str) -> None:
    """Check that the first bytes can be of the declared format, which is not CSV. Raises BadData."""
    if not head:
        raise BadData(f"{name}: {EMPTY}")
    kind, agreed = kind_of(head) or "text", KINDS_OF[form.format]
    if kind == "an old Excel workbook":
        kind = "an old Excel workbook, or one with a password"
    if kind not in agreed:
        mend = f"; declare {DECLARED[kind]} if that is meant" if kind in DECLARED else "; ask the sender"
        raise BadData(f'{name}: it is {kind}, format="{form.format}" agreed{mend}; nothing is loaded')


def _agreed(kind: str, form: Form) -> str:
    if form.compression != "none":
        return f"and not CSV, in {form.compression}; ask the sender for CSV"
    return (
        f"CSV agreed; {f'declare {DECLARED[kind]} if that is meant' if kind in DECLARED else 'ask the sender for CSV'}"
    )


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
            'encoding of one byte; declare encoding="utf-8" if that is meant'
        )
    if declared and found != declared and is_sure:
        raise BadData(f"{name}: it looks like {kind}-{found}, {form.encoding} agreed; declare that if it is meant")
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
            mend = f'declare encoding="{encoding.lower()}" if that is meant'
            raise BadData(f"{name}: it is {encoding}, {form.encoding} agreed; {mend}")
    start = start.removeprefix(BOM)
    even, odd = start[::2].count(0), start[1::2].count(0)
    # A few may be accidents in single fields; they refuse only their rows.
    if even + odd > len(start) / 10:
        place = "even" if even > 10 * odd else "odd" if odd > 10 * even else "many"
        found = {"even": "be", "odd": "le"}.get(place)
        kind = "UTF-16 without its mark" if found else "binary data"
        mend = f'declare encoding="utf-16-{found}" if that is meant' if found else "ask the sender for CSV"
        raise BadData(f"{name}: NUL bytes at {place} places: it looks like {kind}, {form.encoding} agreed; {mend}")
