"""Local times in the hour that comes twice."""

from datetime import date

from daybook.spec import File, Measure, Pipeline, Schedule, Summary, Target, day_date, decimal, timestamp

F = File(
    name="f",
    connection="ftp",
    path="f_{day:%Y-%m-%d}.csv",
    is_written_whole=True,
    columns=(day_date("day"), timestamp("at", time_zone="America/New_York"), decimal("amount", digits=12, scale=2)),
)
PIPELINE = Pipeline(
    name="case",
    description="Local times in the hour that comes twice",
    files=(F,),
    facts="f",
    day_columns=("day",),
    measures=(Measure(name="n", how="count"), Measure(name="total", how="sum", of="amount")),
    summaries=(Summary(name="by_day", columns=("n", "total")), Summary(name="by_instant", by=("at",), columns=("n",))),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
