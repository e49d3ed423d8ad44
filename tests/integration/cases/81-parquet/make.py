"""The day's readings as Parquet, in groups of rows of two."""

from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq

AT = [datetime(2024, 3, 4, 23, 30, tzinfo=UTC), *[datetime(2024, 3, 5, 12, tzinfo=UTC)] * 4]
ROWS = {
    "meter": pa.array(["a", "b", "b", "b", "c"]).dictionary_encode(),
    "at": pa.array(AT, pa.timestamp("ns", "UTC")),
    "kwh": [1.1, 2.2, 2.2, 2.2, 0.1 + 0.2],
    "raw": [[1], [2], [2], [3], [4]],
}
pq.write_table(pa.table(ROWS), "f_2024-03-05.parquet", row_group_size=2)
