"""PostgreSQL's other types."""

from datetime import date

from daybook.spec import Measure, Pipeline, Schedule, Summary, Table, Target, day_date, decimal, integer, text

T = Table(
    name="t",
    connection="source_db",
    relation="supplier.types",
    columns=(
        day_date("day"),
        text("mood"),
        text("zip"),
        decimal("rate", digits=12, scale=6),
        decimal("price", digits=12, scale=2),
        text("doc"),
        text("tags"),
        text("code"),
        integer("number"),
    ),
)
PIPELINE = Pipeline(
    name="case",
    description="PostgreSQL's other types",
    tables=(T,),
    facts="t",
    day_columns=("day",),
    measures=(
        Measure(name="n", how="count"),
        Measure(name="rate", how="sum", of="rate"),
        Measure(name="price", how="sum", of="price"),
        Measure(name="number", how="sum", of="number"),
    ),
    summaries=(
        Summary(name="by_day", columns=("n", "rate", "price", "number")),
        Summary(name="by_text", by=("mood", "zip", "doc", "tags", "code"), columns=("n",)),
    ),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
