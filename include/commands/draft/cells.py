"""The cells of a sample that is no CSV, as texts: what a CSV of the same rows would hold."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from commands.check_file import Checked, check
from commands.check_form import names_in, of_cells
from daybook.spec import Source, text


def texts_of_cells(path: Path, source: Source) -> tuple[Source, list[str], Checked]:
    """Return the contract of all columns, their names, and what the file is, with its values as texts.

    A column is of text, but for booleans and clock times, which their type tells. source: with the format of the file.
    """
    contract = of_cells(path, source)
    checked = check(path, contract, None, is_table_kept=True)
    if not checked.message:
        headers = [column.header for column in contract.columns]
        texts = [_as_texts(checked.table[header]) for header in headers]
        checked = checked._replace(table=pa.table(dict(zip(headers, texts, strict=True))))
    as_texts = tuple(
        column if column.kind == "boolean" or column.is_clock else text(column.header, column.name)
        for column in contract.columns
    )
    return contract.model_copy(update={"columns": as_texts}), names_in(path, source), checked


def _as_texts(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type):
        # Without an offset: whose clock it is has to be asked, or is UTC's.
        return pc.strftime(column, "%Y-%m-%dT%H:%M:%S")
    return column.cast(pa.string())
