"""PostgreSQL's other types."""

from datetime import date

from daybook.spec import Measure, Pipeline, Schedule, Summary, Table, Target, day_date, decimal, text

T = Table(
    name="t",
    connection="source_db",
    relation="supplier.types",
    columns=(
        text("mood"),
        text("zip"),
        decimal("rate", digits=12, scale=6),
        decimal("price", digits=12, scale=2),
        text("doc"),
        text("tags"),
    ),
)
DAYS = Table(name="days", connection="source_db", relation="supplier.days", columns=(day_date("day"),))

PIPELINE = Pipeline(
    name="case",
    description="PostgreSQL's other types",
    tables=(DAYS, T),
    facts="days",
    day_columns=("day",),
    measures=(Measure(name="n", how="count"),),
    summaries=(Summary(name="by_day", columns=("n",)),),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
