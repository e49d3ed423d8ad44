"""Mended records instead of their originals: read by the same reader, under the original's line.

Called by load, and by replay to judge a mended record before it is kept. Pure.
"""

from collections.abc import Mapping

import pyarrow as pa
import pyarrow.compute as pc

from daybook.errors import BadData
from daybook.loader.cell_reader import CellReader
from daybook.loader.fields import Damage
from daybook.loader.json_rows import cell_of, known_names, refusal_of, row_of, tagged, value_in
from daybook.loader.layout import Layout, Record, Refusal, kept_table, refused_table
from daybook.loader.records import RecordReader
from daybook.loader.values import Unfit


class Mends:
    """The mended records as the loader reads them, kept or refused, and the lines still to be replaced.

    records: the mended ones by the line of the original, in UTF-8 and without line end.
    """

    def __init__(self, records: Mapping[int, bytes], layout: Layout) -> None:
        made = mended_records(records, layout)
        self.kept, self.refused = kept_table(made, layout), refused_table(made)
        self.waiting = set(records)

    def put(self, kept: pa.Table, refused: pa.Table) -> tuple[pa.Table, pa.Table]:
        """Return the rows of a block with its mended records instead of the originals."""
        if not self.waiting:
            return kept, refused
        mended = pa.array(sorted(self.waiting), pa.int64())
        found = [rows.column(0).filter(pc.is_in(rows.column(0), mended)) for rows in (kept, refused)]
        here = pa.array(sorted(line for lines in found for line in lines.to_pylist()), pa.int64())
        self.waiting -= set(here.to_pylist())
        return _replaced(kept, self.kept, here), _replaced(refused, self.refused, here)

    def check_all_put(self, name: str) -> None:
        """Raise BadData if no record begins on a mended line, as after a change of the contract."""
        if self.waiting:
            raise BadData(
                f"{name}, line {min(self.waiting):,}: it was mended, and by the contract of now no record begins there "
                f"({len(self.waiting)} such lines); nothing is loaded; withdraw the mends: "
                "`./daybook replay --withdraw`"
            )


def mended_records(records: Mapping[int, bytes], layout: Layout) -> list[Record]:
    """Return mended records as the loader reads them, by their lines; one that is not a single record is refused."""
    if layout.format != "csv":
        return [_row(line, content, layout) for line, content in sorted(records.items())]
    read = RecordReader(layout, is_last=True)
    return [_record(read, line, content) for line, content in sorted(records.items())]


def _record(read: RecordReader, line: int, content: bytes) -> Record:
    whole = content + b"\n"
    try:
        found = read(whole, 0, line)
    except Damage:
        return Record(line, content, [], Refusal(None, "open_quote", "a quote is opened and never closed"))
    if found is None or len(found.records) != 1 or found.end != len(whole):
        return Record(line, content, [], Refusal(None, "not_one_record", "it is not one record"))
    return found.records[0]


def _row(line: int, content: bytes, layout: Layout) -> Record:
    """Return a mended row of a file that is no CSV: an object of JSON."""
    try:
        row = row_of(content)
    except Unfit as unfit:
        return Record(line, content, [], Refusal(unfit.column, unfit.reason, unfit.detail))
    found = {
        header: cell
        for header, (column, _) in layout.contract.items()
        if (cell := tagged(value_in(row, column), layout) or cell_of(value_in(row, column), column))
    }
    return CellReader(layout)(line, content, found, refusal_of(row, layout, known_names(layout)))


def _replaced(rows: pa.Table, outcomes: pa.Table, here: pa.Array) -> pa.Table:
    if not len(here):
        return rows
    others = rows.filter(pc.invert(pc.is_in(rows.column(0), here)))
    mended = outcomes.filter(pc.is_in(outcomes.column(0), here))
    return pa.concat_tables([others, mended]).sort_by(rows.schema.names[0]).combine_chunks()
