"""A flag that is X or nothing."""

from datetime import date

from daybook.spec import File, Measure, Pipeline, Schedule, Summary, Target, boolean, day_date, decimal

F = File(
    name="f",
    connection="ftp",
    path="f_{day:%Y-%m-%d}.csv",
    is_written_whole=True,
    columns=(
        day_date("day"),
        boolean("flag", true_tokens=("X",), false_tokens=("",)),
        decimal("amount", digits=12, scale=2),
    ),
)
PIPELINE = Pipeline(
    name="case",
    description="A flag that is X or nothing",
    files=(F,),
    facts="f",
    day_columns=("day",),
    measures=(
        Measure(name="n", how="count"),
        Measure(name="flagged", how="count", where="flag"),
        Measure(name="known", how="count", of="flag"),
    ),
    summaries=(Summary(name="by_day", columns=("n", "flagged", "known")),),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
