"""A month in a file."""

from datetime import date

from daybook.spec import File, Measure, Pipeline, Schedule, Summary, Target, day_date, decimal, text

F = File(
    name="f",
    connection="ftp",
    path="f_{day:%Y-%m}.csv",
    is_written_whole=True,
    has_other_days=True,
    columns=(day_date("day"), text("store"), decimal("amount", digits=12, scale=2)),
)
PIPELINE = Pipeline(
    name="case",
    description="A month in a file",
    files=(F,),
    facts="f",
    day_columns=("day",),
    measures=(Measure(name="n", how="count"), Measure(name="total", how="sum", of="amount")),
    summaries=(Summary(name="by_day", columns=("n", "total")),),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
