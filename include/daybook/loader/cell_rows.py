"""Blocks of cells to typed rows: the loader's columns and values for files that are no CSV.

Called by load.py. Whole columns are parsed by columns.py; a row that fails
there is read value by value, by cell_reader.py, which says why. Tests prove that both read alike. Pure.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from daybook.errors import BadData
from daybook.loader.cell_blocks import Block
from daybook.loader.cell_reader import MIDNIGHT, CellReader, as_read, behind
from daybook.loader.cells import Cells, Sort, cell_at, cells_of
from daybook.loader.columns import ParsedColumn, parsed_column
from daybook.loader.layout import PROOF_VALUES, Layout, Record, Refusal, kept_table, refused_table
from daybook.loader.texts import Flags, content_of, flagged, flags, holders
from daybook.loader.values import is_empty_a_value
from daybook.spec.column import Column, arrow_type


class Rows(NamedTuple):
    """The rows of a block: kept, and refused."""

    kept: pa.Table
    refused: pa.Table


def typed(block: Block, layout: Layout) -> Rows:
    """Return the rows of a block by their contract."""
    cells, refusals = block.cells()
    columns = {
        header: _parsed(_dated(cells, header, layout), layout.contract[header], len(block.numbers))
        for header in layout.schema.names[1:]
    }
    are_failed = flagged(np.array(sorted(refusals), np.int64), len(block.numbers))
    for header in columns:
        are_failed |= columns[header].are_unfit | _with_odd_signs(cells[header], layout, len(block.numbers))
    values = [pa.array(block.numbers, pa.int64()), *(column.values for column in columns.values())]
    kept = pa.Table.from_arrays(values, schema=layout.schema).filter(pa.array(~are_failed))
    records = _records(block, np.flatnonzero(are_failed).tolist(), cells, refusals, layout)
    slowly = kept_table(records, layout)
    kept = pa.concat_tables([kept, slowly]).sort_by(kept.schema.names[0]) if slowly.num_rows else kept
    return Rows(kept.combine_chunks(), refused_table(records))


def check_no_rows(block: Block, layout: Layout, name: str) -> None:
    """Check that the rows which a word makes none are none by the contract. Raises BadData."""
    read = CellReader(layout)
    for number, cells in block.no_rows:
        record = read(number, b"", cells)
        typed = zip(layout.columns, record.values, strict=False)
        proofs = sum(column is not None and column.kind != "text" and value is not None for column, value in typed)
        if not record.refusal and proofs >= PROOF_VALUES:
            raise BadData(
                f"{name}, row {number:,}: it is a row by the contract, and should be none "
                f"({', '.join(block.skipped)}); nothing is loaded; the sheet may be cut, or the word not fit: have it "
                "delivered again"
            )


def _records(
    block: Block, places: list[int], cells: Mapping[str, Cells], refusals: Mapping[int, Refusal], layout: Layout
) -> list[Record]:
    read = CellReader(layout)
    found = []
    for place, raw in zip(places, block.raw(places) if places else [], strict=True):
        row = {header: cell for header, column in cells.items() if (cell := cell_at(column, place))}
        found.append(read(int(block.numbers[place]), raw, row, refusals.get(place)))
    return found


def _dated(cells: Mapping[str, Cells], header: str, layout: Layout) -> Cells:
    """Return a column's cells, behind those of the column of its date if it has one."""
    date = layout.date_headers.get(header)
    if not date:
        return cells[header]
    places = range(len(next(iter({**cells[date], **cells[header]}.values()), ())))
    return cells_of([behind(cell_at(cells[date], n), cell_at(cells[header], n)) for n in places])


def _parsed(cells: Cells, contract: tuple[Column, tuple[str, ...]], size: int) -> ParsedColumn:
    column, tokens = contract
    values, are_unfit = pa.nulls(size, arrow_type(column)), np.zeros(size, bool)
    # The written ones come last: a null may be a value there, if "" is a token of a boolean.
    is_written = Sort.WRITTEN in cells or is_empty_a_value(column)
    for sort in (*(sort for sort in cells if sort != Sort.WRITTEN), *([Sort.WRITTEN] if is_written else [])):
        texts = cells.get(sort, pa.nulls(size, pa.string()))
        read_as = as_read(column, sort)
        if read_as is None:
            are_unfit |= flags(texts.is_valid())
            continue
        parsed = parsed_column(_plain(texts, sort, column), _fast(read_as, texts, sort), tokens)
        values, are_unfit = pc.coalesce(values, parsed.values), are_unfit | parsed.are_unfit
    return ParsedColumn(values, are_unfit)


def _plain(texts: pa.StringArray, sort: Sort, column: Column) -> pa.StringArray:
    is_day = column.kind == "date" and sort == Sort.LOCAL
    return pc.replace_substring_regex(texts, MIDNIGHT, "") if is_day else texts


def _fast(column: Column, texts: pa.StringArray, sort: Sort) -> Column:
    """Return a column with no word that its texts do not need, since a plain column of numbers is read faster."""
    if sort != Sort.NUMBER or column.kind not in ("integer", "decimal"):
        return column
    content, _ = content_of(texts)
    has_points = bool(((content < ord("0")) & (content != ord("-")) | (content > ord("9"))).any())
    return column if has_points else column.model_copy(update={"exponents": None, "extra_zeros": "refuse"})


def _with_odd_signs(cells: Cells, layout: Layout, size: int) -> Flags:
    """Return the rows with texts that are too long, or hold signs that no text may hold."""
    if Sort.WRITTEN not in cells:
        return np.zeros(size, bool)
    content, offsets = content_of(cells[Sort.WRITTEN])
    are_odd = content == 0 if layout.are_control_bytes_kept else ODD_BYTES[content]
    return flagged(holders(np.flatnonzero(are_odd), offsets), size) | (np.diff(offsets) > layout.field_bytes)


ODD_BYTES = np.zeros(256, bool)
ODD_BYTES[[*range(9), 11, 12, *range(14, 32)]] = True
