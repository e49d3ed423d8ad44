"""Workbooks of Excel made in tests: by openpyxl, and cells that it does not write, by hand."""

import io
import zipfile
from collections.abc import Callable, Iterable
from typing import Any

import openpyxl

Change = Callable[[Any], None]


def workbook(rows: Iterable[Any], *changes: Change, title: str = "Sales") -> bytes:
    """Return a workbook of one sheet with these rows. changes: what else is done to the sheet."""
    book = openpyxl.Workbook()
    sheet = book.worksheets[0]
    sheet.title = title
    for row in rows:
        sheet.append(list(row))
    for change in changes:
        change(sheet)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def edited(file: bytes, *edits: tuple[str, str], part: str = "xl/worksheets/sheet1.xml") -> bytes:
    """Return a workbook with texts of a part's XML replaced. edits: pairs of what stands there once, and what shall."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name).decode()
            for before, after in edits if name == part else ():
                assert content.count(before) == 1, (before, content)
                content = content.replace(before, after)
            new.writestr(name, content)
    return changed.getvalue()
