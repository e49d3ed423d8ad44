"""A lookup by two columns."""

from datetime import date

from daybook.spec import File, Lookup, Measure, Pipeline, Schedule, Summary, Target, day_date, decimal, text

F = File(
    name="f",
    connection="ftp",
    path="f_{day:%Y-%m-%d}.csv",
    is_written_whole=True,
    columns=(day_date("day"), text("store"), text("product"), decimal("amount", digits=12, scale=2)),
)
PIPELINE = Pipeline(
    name="case",
    description="A lookup by two columns",
    files=(
        F,
        File(
            name="g",
            connection="ftp",
            path="g.csv",
            is_written_whole=True,
            columns=(text("store"), text("product"), text("label")),
            key=("store", "product"),
        ),
    ),
    facts="f",
    day_columns=("day",),
    lookups=(Lookup(source="g", key=("store", "product"), gives={"label": "label"}, when_unknown="keep"),),
    measures=(Measure(name="n", how="count"), Measure(name="total", how="sum", of="amount")),
    summaries=(Summary(name="by_label", by=("label",), columns=("n", "total")),),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
