"""The small values of a spec: the pools, what is plausible."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from pydantic import Field

from daybook.spec.value import Value

Engine = Literal["polars", "pandas", "duckdb", "pyspark"]
# The library that computes rows which one process holds. Spark's workers do that with Polars: see stream/spread.py.
LIBRARIES: Mapping[Engine, Literal["polars", "pandas", "duckdb"]] = MappingProxyType(
    {"polars": "polars", "pandas": "pandas", "duckdb": "duckdb", "pyspark": "polars"}
)

# Names that the steps and the warehouse use themselves in every frame and table.
RESERVED = ("line", "run_id", "row_count")


class Pools(Value):
    """The Airflow pools that the steps share with other users of the same resource; see config/pools.json."""

    source_db: str = "source_db"
    """Of tasks that read a source database."""
    ftp: str = "ftp"
    """Of tasks that fetch files."""
    compute: str = "compute"
    """Of tasks that compute."""
    warehouse: str = "warehouse"
    """Of tasks that write to the target."""


class Plausible(Value):
    """What a day must look like to be published; any other is held until a person releases it.

    It has at least `min_rows` rows; with 0 a day may have none, as of a shop that is closed. Their number, and each of
    `measures` (counts and sums), is within `within_pct` of the median of the `days` published days before it, or of the
    same weekday in the four weeks before; or, if they have grown or shrunk without a break, of the last of them. None
    skips this comparison. In the first backfill of a pipeline, the days before it that the backfill has loaded count,
    published or held.
    """

    min_rows: int = Field(default=1, ge=0)
    within_pct: int | None = Field(default=50, ge=1)
    measures: tuple[str, ...] = ()
    days: int = Field(default=7, ge=3)
