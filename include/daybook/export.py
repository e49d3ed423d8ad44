"""CSV files that people open in spreadsheets: a text that a spreadsheet would run as a formula stays a text there.

Used for what is published beside the warehouse, and for `check --out`. Parquet and the warehouse keep the exact text.
"""

from io import BytesIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

# OWASP, "CSV Injection": what a cell of a formula begins with. Numbers are no texts and stay as they are.
FORMULA = r"^[=+\-@\t\r\n]"


def csv_bytes(rows: pa.Table) -> bytes:
    """Give a table as CSV with a header: texts quoted, nothing as nothing, and an apostrophe before each formula."""
    sink = BytesIO()
    pyarrow.csv.write_csv(without_formulas(rows), sink)
    return sink.getvalue()


def without_formulas(rows: pa.Table) -> pa.Table:
    """Give the table with an apostrophe before each text, and each name of a column, that begins like a formula."""
    for place, field in enumerate(rows.schema):
        if pa.types.is_string(field.type):
            rows = rows.set_column(place, field.name, _without_formulas(rows[place]))
    return rows.rename_columns(_without_formulas(pa.array(rows.column_names, pa.string())).to_pylist())


def _without_formulas(texts: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    return pc.replace_substring_regex(texts, f"({FORMULA})", r"'\1")
