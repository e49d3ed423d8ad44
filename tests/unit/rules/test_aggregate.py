"""What the measures of a group are, drawn as tables; on all three engines."""

import pyarrow as pa
import pytest

from daybook.errors import BadData
from daybook.rules.aggregate import aggregate
from daybook.rules.frames import rows_schema
from daybook.spec import Column, Pipeline, fact_columns
from tests.support.shop import shop

from .drawn import cells, drawing, table


def facts(drawn: str, pipeline: Pipeline) -> pa.Table:
    """Return drawn facts as `index` gives them."""
    return table(drawn, rows_schema(list(fact_columns(pipeline).values())))


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb"])
def test_counts_sums_and_bounds_per_group(engine: str) -> None:
    pipeline = shop(engine=engine)
    rows = facts(
        """
        | line | city   | amount_eur | is_large |
        |    2 | Bilbao |      10.05 | no       |
        |    3 | Bilbao |     200.00 | yes      |
        |    4 | Bilbao |          - | -        |
        |    5 | Vigo   |          - | -        |
        |    6 |      - |      -0.01 | no       |
        """,
        pipeline,
    )
    shown = ("city", "row_count", "sales", "large", "with_amount", "amount_eur", "smallest_eur", "largest_eur")
    assert drawing(aggregate(rows, pipeline), *shown) == cells(
        """
        | city   | row_count | sales | large | with_amount | amount_eur | smallest_eur | largest_eur |
        | Bilbao | 3         | 3     | 1     | 2           | 210.05     | 10.05        | 200.00      |
        | Vigo   | 1         | 1     | 0     | 0           | 0.00       | -            | -           |
        | -      | 1         | 1     | 0     | 1           | -0.01      | -0.01        | -0.01       |
        """
    )


def test_a_sum_that_could_leave_64_bits_is_refused_before_it_wraps() -> None:
    wide = Column(header="amount", name="amount_eur", kind="decimal", digits=18, scale=2)
    pipeline = shop()
    source = pipeline.files[0]
    columns = (*source.columns[:-1], wide)
    pipeline = shop(files=(source.model_copy(update={"columns": columns}),))
    rows = facts("| line | amount_eur |" + "\n| 2 | 9999999999999999.99 |" * 10, pipeline)
    with pytest.raises(BadData, match="'amount_eur' could leave 64 bits"):
        aggregate(rows, pipeline)
