"""Relations of every kind."""

from datetime import date

from daybook.spec import Measure, Pipeline, Schedule, Summary, Table, Target, day_date, integer, text

MIXED = Table(
    name="mixed",
    connection="source_db",
    relation="supplier.Mixed",
    columns=(integer("Id", "id"), text("My Col", "my_col"), integer("g")),
)
DAYS = Table(name="days", connection="source_db", relation="supplier.days", columns=(day_date("day"), integer("v")))
SEEN = DAYS.model_copy(update={"name": "seen", "relation": "supplier.seen"})

PIPELINE = Pipeline(
    name="case",
    description="Relations of every kind",
    tables=(MIXED, DAYS, SEEN),
    facts="days",
    day_columns=("day",),
    measures=(Measure(name="n", how="count"),),
    summaries=(Summary(name="by_day", columns=("n",)),),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
