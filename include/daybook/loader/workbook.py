"""A workbook of Excel (ECMA-376, part 1): its sheets, its shared texts, and which of its styles show dates.

Called by sheet_rows.py. Our own reader, since python-calamine returns nothing for cells with an error such as #N/A or
for a formula without a value, and moves days that Excel does not have to others (seen with 0.9.1). Reads from the
caller's stream; shared texts alone are in memory.
"""

import io
import posixpath
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO, NamedTuple
from xml.parsers import expat

from daybook.errors import BadData
from daybook.loader.xml_parts import Attributes, parsed
from daybook.text import nearest, one_line

CHUNK_BYTES = 2**18
# All shared texts are in memory, at some three times this size.
SHARED_BYTES = 2**28
SHOWN_SHEETS = 20
# The numbers of formats that show a date or a time, beside those that the workbook declares (part 1, 18.8.30).
DATE_FORMATS = frozenset({*range(14, 23), *range(27, 37), *range(50, 59), 45, 47})
ELAPSED_FORMATS = frozenset({46})
# What stands in a format without being one of its signs: texts, escaped signs, colours, currencies and conditions.
NO_SIGN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]', re.IGNORECASE)
ELAPSED = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
# A sign that XML cannot hold is written so in a text (part 1, 22.9.2.19).
ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")


class Styles(NamedTuple):
    """The numbers of the styles that show a date or a time, and of those that show hours beyond a day."""

    dates: frozenset[str]
    elapsed: frozenset[str]


class Workbook:
    """An open workbook. Raises BadData if it is none, is not whole, or lacks the sheet.

    check_size: checks the sizes of a part, packed and not, by the limits of the contract.
    """

    def __init__(self, stream: BinaryIO, name: str, check_size: Callable[[int, int], None]) -> None:
        self._check_size, self._name = check_size, name
        with self.errors():
            self._zip = zipfile.ZipFile(stream if stream.seekable() else io.BytesIO(stream.read()))
            self._worksheets = set[str]()
            self._paths = self._read_relations()
            self.sheets, self.is_1904 = self._read_sheets()
            self._shared = self._read_shared()
            self.styles = self._read_styles()

    def chunks_of(self, sheet: str | None) -> Iterator[bytes]:
        """Return the XML of a sheet, chunk by chunk."""
        return self._chunks(self._paths.get(self.sheets[self._sheet(sheet)], ""))

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Raise BadData for what is wrong with a workbook."""
        try:
            yield
        except (zipfile.BadZipFile, zlib.error, expat.ExpatError, KeyError, ValueError, EOFError) as error:
            why = "a part is missing" if isinstance(error, KeyError) else one_line(str(error))
            raise BadData(
                f"{self._name}: it is not a whole workbook ({why}): the upload may be cut, or its bytes are damaged; "
                "nothing is loaded; have it delivered again"
            ) from None
        except (NotImplementedError, RuntimeError) as error:
            raise BadData(
                f"{self._name}: the workbook cannot be read ({one_line(str(error))}); nothing is loaded"
            ) from None

    def text(self, number: str) -> str:
        """Return a shared text. Raises ValueError if there is none of this number."""
        if not 0 <= int(number) < len(self._shared):
            raise ValueError(f"no text {number[:20]}")
        return self._shared[int(number)]

    def _sheet(self, name: str | None) -> str:
        if name in self.sheets:
            return name
        shown = ", ".join(map(repr, list(self.sheets)[:SHOWN_SHEETS]))
        if name is None and len(self.sheets) == 1:
            return next(iter(self.sheets))
        problem = f"no sheet {name!r}{nearest(name, self.sheets)}" if name else "which sheet? declare sheet"
        raise BadData(f"{self._name}: {problem}; the workbook has {shown}; nothing is loaded")

    def _chunks(self, path: str, most: int | None = None) -> Iterator[bytes]:
        info = self._zip.getinfo(path)
        if most is not None and info.file_size > most:
            raise BadData(
                f"{self._name}: its texts have {info.file_size:,} bytes, limit {most:,}, as they are held in memory; "
                "nothing is loaded; have it delivered as CSV or Parquet, or in parts"
            )
        self._check_size(info.compress_size, info.file_size)
        with self._zip.open(info) as part:
            while chunk := part.read(CHUNK_BYTES):
                yield chunk

    def _read_relations(self) -> dict[str, str]:
        """Return the paths of the workbook's parts by their ids, and by the ends of their types."""
        paths: dict[str, str] = {}

        def start(tag: str, words: Attributes) -> None:
            if tag == "Relationship" and words.get("TargetMode") != "External":
                path = posixpath.normpath(posixpath.join("/xl", words["Target"])).lstrip("/")
                kind = words["Type"].rpartition("/")[2]
                paths[words["Id"]] = path
                paths.setdefault(kind, path)
                self._worksheets |= {words["Id"]} if kind == "worksheet" else set()

        self._parse("xl/_rels/workbook.xml.rels", start)
        return paths

    def _read_sheets(self) -> tuple[dict[str, str], bool]:
        """Return the ids of the sheets by name, and whether its days are counted from 1904 on."""
        sheets: dict[str, str] = {}
        is_1904 = False

        def start(tag: str, words: Attributes) -> None:
            nonlocal is_1904
            if tag == "sheet":
                sheets[words["name"]] = next(value for key, value in words.items() if key.rpartition(" ")[2] == "id")
            if tag == "workbookPr":
                is_1904 = words.get("date1904", "0") in ("1", "true")

        self._parse("xl/workbook.xml", start)
        # A chart may be a sheet too, and holds no rows.
        return {name: id for name, id in sheets.items() if id in self._worksheets}, is_1904

    def _read_shared(self) -> list[str]:
        texts, parts, path = list[str](), list[str](), self._paths.get("sharedStrings", "")
        is_read, is_phonetic = False, False

        def start(tag: str, _: Attributes) -> None:
            nonlocal is_read, is_phonetic
            is_phonetic |= tag == "rPh"
            is_read = tag == "t" and not is_phonetic

        def end(tag: str) -> None:
            nonlocal is_read, is_phonetic
            is_read, is_phonetic = False, is_phonetic and tag != "rPh"
            if tag == "si":
                texts.append(as_text("".join(parts)))
                parts.clear()

        if path in self._zip.namelist():
            self._parse(path, start, end, lambda text: parts.append(text) if is_read else None, SHARED_BYTES)
        return texts

    def _read_styles(self) -> Styles:
        codes, used, path = dict[str, str](), list[str](), self._paths.get("styles", "")
        is_used = False

        def start(tag: str, words: Attributes) -> None:
            nonlocal is_used
            if tag == "numFmt":
                codes[words["numFmtId"]] = words["formatCode"]
            is_used = tag == "cellXfs" or (is_used and tag != "cellStyles")
            if tag == "xf" and is_used:
                used.append(words.get("numFmtId", "0"))

        def end(tag: str) -> None:
            nonlocal is_used
            is_used &= tag != "cellXfs"

        if path in self._zip.namelist():
            self._parse(path, start, end)
        kinds = {str(style): _kind(number, codes.get(number)) for style, number in enumerate(used)}
        dates, elapsed = (
            frozenset(style for style, kind in kinds.items() if kind == one) for one in ("date", "elapsed")
        )
        return Styles(dates, elapsed)

    def _parse(
        self,
        path: str,
        start: Callable[[str, Attributes], None],
        end: Callable[[str], None] = lambda _: None,
        text: Callable[[str], object] = lambda _: None,
        most: int | None = None,
    ) -> None:
        for _ in parsed(self._chunks(path, most), start, end, text):
            pass


def as_text(written: str) -> str:
    """Return a text of a workbook as it is meant."""
    return ESCAPED.sub(lambda found: chr(int(found[1], 16)), written) if "_x" in written else written


def _kind(number: str, code: str | None) -> str:
    """Return what a format shows: "date", "elapsed" or "number"."""
    if code is None:
        return "date" if int(number) in DATE_FORMATS else "elapsed" if int(number) in ELAPSED_FORMATS else "number"
    # The first section is that of positive numbers.
    signs = NO_SIGN.sub("", code).partition(";")[0].lower()
    if ELAPSED.search(signs):
        return "elapsed"
    return "date" if re.search("[dmyhs]", signs.replace("general", "")) else "number"
