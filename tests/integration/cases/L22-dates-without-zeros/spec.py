"""Dates without zeros, exponents."""

from datetime import date

from daybook.spec import File, Limits, Measure, Pipeline, Schedule, Summary, Target, day_date, decimal, integer

F = File(
    name="f",
    connection="ftp",
    path="f.csv",
    is_written_whole=True,
    bare_points="read",
    exponents="read",
    limits=Limits(refused_share=1),
    columns=(
        integer("id"),
        day_date("d", format="%-m/%-d/%Y"),
        decimal("x", digits=12, scale=6),
    ),
)

PIPELINE = Pipeline(
    name="case",
    description="Dates without zeros, exponents",
    files=(F,),
    facts="f",
    day_columns=("d",),
    measures=(Measure(name="n", how="count"),),
    summaries=(Summary(name="by_day", columns=("n",)),),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2013, 1, 1)),
)
