"""The places of values among the distinct ones of their column, texts by code point."""

import pyarrow as pa
import pyarrow.compute as pc

from daybook.rules.coded import plain


def places(column: pa.ChunkedArray, *, with_nulls: bool = True) -> tuple[pa.ChunkedArray, pa.Array]:
    """Return the place of each value among the column's distinct ones in ascending order, and these.

    with_nulls: nothing is a value too, the last one; else it has no place.
    """
    column = plain(column)
    found = pc.unique(column)
    found = found if with_nulls else found.drop_null()
    found = found.take(pc.array_sort_indices(found, null_placement="at_end"))
    return pc.index_in(column, value_set=found).cast(pa.int64()), found
