"""An object of JSON on each line, packed."""

from datetime import date

from daybook.spec import File, Form, Measure, Pipeline, Schedule, Summary, Target, day_date, decimal, integer, text

F = File(
    name="f",
    connection="ftp",
    path="f_{day:%Y-%m-%d}.jsonl.gz",
    is_written_whole=True,
    form=Form(format="json_lines", compression="gzip", extra_columns="ignore"),
    columns=(integer("id"), day_date("day"), text("store"), decimal("amount", digits=18, scale=2)),
)
PIPELINE = Pipeline(
    name="case",
    description="JSON lines",
    files=(F,),
    facts="f",
    day_columns=("day",),
    measures=(Measure(name="n", how="count"), Measure(name="total", how="sum", of="amount")),
    summaries=(Summary(name="by_day", columns=("n", "total")),),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
