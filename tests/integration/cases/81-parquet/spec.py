"""Parquet with instants, doubles and twins."""

from datetime import date

from daybook.spec import File, Form, Measure, Pipeline, Schedule, Summary, Target, decimal, text, timestamp

F = File(
    name="f",
    connection="ftp",
    path="f_{day:%Y-%m-%d}.parquet",
    is_written_whole=True,
    form=Form(format="parquet", extra_columns="ignore"),
    twins="drop",
    columns=(text("meter"), timestamp("at", "read_at"), decimal("kwh", digits=9, scale=2)),
)
PIPELINE = Pipeline(
    name="case",
    description="Parquet",
    files=(F,),
    facts="f",
    day_columns=("read_at",),
    measures=(Measure(name="n", how="count"), Measure(name="total", how="sum", of="kwh")),
    summaries=(Summary(name="by_day", columns=("n", "total")),),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1), time_zone="Europe/Madrid"),
)
