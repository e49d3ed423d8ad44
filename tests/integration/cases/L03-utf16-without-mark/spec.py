"""UTF-16 or UTF-32 without a mark."""

from datetime import date

from daybook.spec import File, Form, Measure, Pipeline, Schedule, Summary, Target, day_date, text

F = File(
    name="f",
    connection="ftp",
    path="f.csv",
    is_written_whole=True,
    form=Form(encoding="utf-16"),
    columns=(text("id"), text("name")),
)
DAYS = File(name="days", connection="ftp", path="days.csv", is_written_whole=True, columns=(day_date("day"),))

PIPELINE = Pipeline(
    name="case",
    description="UTF-16 or UTF-32 without a mark",
    files=(DAYS, F),
    facts="days",
    day_columns=("day",),
    measures=(Measure(name="n", how="count"),),
    summaries=(Summary(name="by_day", columns=("n",)),),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
