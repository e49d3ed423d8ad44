"""Oracle's dates."""

from datetime import date

from daybook.spec import File, Measure, Pipeline, Schedule, Summary, Target, day_date, decimal, timestamp

F = File(
    name="f",
    connection="ftp",
    path="f_{day:%Y-%m-%d}.csv",
    is_written_whole=True,
    columns=(
        day_date("day", format="%d-%b-%y"),
        timestamp("at", format="%d-%b-%y %I.%M.%S.%f %p", long_fraction="cut"),
        decimal("amount", digits=12, scale=2),
    ),
)
PIPELINE = Pipeline(
    name="case",
    description="Oracle's dates",
    files=(F,),
    facts="f",
    day_columns=("day",),
    measures=(Measure(name="n", how="count"), Measure(name="total", how="sum", of="amount")),
    summaries=(Summary(name="by_day", columns=("n", "total")),),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
