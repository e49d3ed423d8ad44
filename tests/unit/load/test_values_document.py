"""docs/values.md: every spelling in its tables is read as it says, by both ways of the loader."""

import re
from decimal import Decimal

import pyarrow as pa
import pytest

from daybook import spec
from daybook.loader.columns import parsed_column
from daybook.loader.values import Unfit, reader
from deployment.home import REPOSITORY

DOCUMENT = (REPOSITORY / "docs" / "values.md").read_text()
ROWS = re.findall(r"^\| `([^`]*)`[^|]* \| (?:`([^`]*)`|refused: [^|]*) \| `([^`]*)` \|$", DOCUMENT, re.MULTILINE)


def test_every_row_of_a_table_is_looked_at() -> None:
    rows = [line for line in DOCUMENT.splitlines() if line.startswith("| ") and not line.startswith(("| in ", "| ---"))]
    assert len(ROWS) == len(rows) > 0


@pytest.mark.parametrize(("written", "value", "declared"), ROWS)
def test_a_spelling_is_read_as_the_document_says(written: str, value: str, declared: str) -> None:
    column = eval(declared, vars(spec))  # noqa: S307 - our own document
    (fast,) = parsed_column(pa.array([written]), column, ()).values.to_pylist()
    try:
        slow = reader(column, ())(written, False)
    except Unfit:
        slow = None
    assert fast == slow
    assert same(slow, value), slow


def same(found: object, value: str) -> bool:
    """Tell whether a value is what the document says: an empty text if it is refused."""
    if found is None or not value:
        return found is None and not value
    return str(found) == value or (isinstance(found, Decimal) and found == Decimal(value))


def test_the_module_of_the_document_is_a_file() -> None:
    (module,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    words = dict(vars(spec))
    exec(module, words)  # noqa: S102 - our own document
    sales = words["SALES"]
    written = {column.name: sales.as_written(column) for column in sales.columns}
    assert (written["amount"].decimal_mark, written["weight_kg"].decimal_mark) == (",", ".")
    assert written["day"].thousands_mark is None
