"""Rules finer than their columns."""

from datetime import date
from decimal import Decimal

from daybook.spec import File, Measure, Pipeline, Schedule, Summary, Target, col, day_date, decimal, integer

F = File(
    name="f",
    connection="ftp",
    path="f_{day:%Y-%m-%d}.csv",
    is_written_whole=True,
    columns=(
        day_date("day"),
        integer("qty", minimum=Decimal("0.5")),
        decimal("amount", digits=12, scale=2, minimum=Decimal("0.001")),
    ),
)
PIPELINE = Pipeline(
    name="case",
    description="Rules finer than their columns",
    files=(F,),
    facts="f",
    day_columns=("day",),
    measures=(Measure(name="n", how="count"), Measure(name="total", how="sum", of="amount")),
    summaries=(Summary(name="by_day", columns=("n", "total")),),
    derived={"is_low": col("amount") > Decimal("-0.005")},
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
