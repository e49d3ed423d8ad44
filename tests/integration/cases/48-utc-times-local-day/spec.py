"""Instants in UTC, days of New York."""

from datetime import date

from daybook.spec import File, Measure, Pipeline, Schedule, Summary, Target, decimal, timestamp

F = File(
    name="f",
    connection="ftp",
    path="f_{day:%Y-%m-%d}.csv",
    is_written_whole=True,
    columns=(timestamp("at", format="%Y-%m-%dT%H:%M:%SZ"), decimal("amount", digits=12, scale=2)),
)
PIPELINE = Pipeline(
    name="case",
    description="Instants in UTC, days of New York",
    files=(F,),
    facts="f",
    day_columns=("at",),
    measures=(Measure(name="n", how="count"), Measure(name="total", how="sum", of="amount")),
    summaries=(Summary(name="by_day", columns=("n", "total")),),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1), time_zone="America/New_York"),
)
