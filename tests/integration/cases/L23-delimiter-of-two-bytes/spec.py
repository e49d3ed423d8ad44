"""A delimiter that cannot be."""

from datetime import date

from daybook.spec import File, Measure, Pipeline, Schedule, Summary, Target, day_date

F = File(name="f", connection="ftp", path="f.csv", delimiter="|a|", columns=(day_date("a"),))

PIPELINE = Pipeline(
    name="case",
    description="A delimiter that cannot be",
    files=(F,),
    facts="f",
    day_columns=("a",),
    measures=(Measure(name="n", how="count"),),
    summaries=(Summary(name="by_day", columns=("n",)),),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
