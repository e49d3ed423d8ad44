"""A cell of a sheet as one that a column reads: what its type, its style and its text say.

Called by sheet_rows.py. A number of a sheet is one of floating point: it stands for the shortest decimal that gives it,
and for none if Excel would have cut its digits. Pure.
"""

from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal

from daybook.loader.cells import TOO_COARSE, Cell, Sort
from daybook.loader.moments import DAY_MS, EXCEL_FIRST, EXCEL_LAST, EXCEL_ZERO
from daybook.loader.sheet_xml import Raw
from daybook.loader.workbook import Workbook, as_text
from daybook.spec.column import Column

# Excel keeps so many digits of a number.
DIGITS = 15
# The day 0 of the other system, which counts from 1 January 1904 on, is this day of Excel's.
DAYS_TO_1904 = 1462


def cell_of(raw: Raw, column: Column | None, book: Workbook) -> Cell | None:
    """Return a cell of a sheet; None if it is empty. column: that of the contract; None if there is none."""
    text = raw.text
    if text is None:
        return Cell(Sort.WRONG, "a formula without a value: have the workbook computed and saved by a spreadsheet")
    if not text:
        return None
    match raw.kind:
        case "s":
            return _written(book.text(text))
        case "inlineStr" | "str":
            return _written(as_text(text))
        case "b":
            return Cell(Sort.BOOLEAN, "true" if text in ("1", "true") else "false")
        case "e":
            return Cell(Sort.WRONG, f"{text[:20]} is an error of the sheet")
        case "d":
            return Cell(Sort.LOCAL, text.removesuffix("Z"))
    return _number(text, raw.style, column, book)


def _written(text: str) -> Cell | None:
    return Cell(Sort.WRITTEN, text) if text else None


def _number(text: str, style: str, column: Column | None, book: Workbook) -> Cell:
    number = float(text)
    if not abs(number) < float("inf"):
        raise ValueError("a number that is none")
    if style in book.styles.dates or (book.is_1904 and column is not None and column.format == "excel"):
        return _moment(Decimal(repr(number)), DAYS_TO_1904 if book.is_1904 else 0)
    if style in book.styles.elapsed:
        return Cell(
            Sort.WRONG, "a time that elapsed, which the sheet keeps as a number of days: have it written as one"
        )
    plain = str(int(number)) if number.is_integer() and abs(number) < 10**DIGITS else repr(number)
    is_counted = column is not None and column.kind in ("integer", "decimal", "text")
    if column and is_counted and abs(number) * 10.0**column.scale >= 10**DIGITS:
        return Cell(Sort.WRONG, f"{TOO_COARSE.format(plain, column.scale)}; a sheet keeps {DIGITS} digits")
    return Cell(Sort.NUMBER, plain)


def _moment(days: Decimal, days_before: int) -> Cell:
    """Return a number of days as a date with its time, to the millisecond; below one as a time alone."""
    ms = int((days * DAY_MS).to_integral_value(ROUND_HALF_UP))
    if 0 <= days < 1 and ms < DAY_MS:
        return Cell(Sort.LOCAL, _clock(ms))
    if not EXCEL_FIRST <= days + days_before < EXCEL_LAST + 1:
        return Cell(Sort.WRONG, f"{days} is not a day of Excel's from 1 March 1900 to the end of 9999")
    whole, rest = divmod(ms, DAY_MS)
    day = EXCEL_ZERO + timedelta(days=whole + days_before)
    return Cell(Sort.LOCAL, f"{day:%Y-%m-%d}T{_clock(rest)}")


def _clock(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"


def shown(cell: Cell | None) -> str:
    """Return a cell of a header as a name."""
    return cell.text if cell else ""
