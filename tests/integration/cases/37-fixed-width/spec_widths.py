"""Columns of fixed width, with their widths."""

from datetime import date

from daybook.spec import File, Form, Measure, Pipeline, Schedule, Summary, Target, day_date, decimal, text

F = File(
    name="f",
    connection="ftp",
    path="f_{day:%Y-%m-%d}.csv",
    is_written_whole=True,
    form=Form(is_fixed_width=True, header_line=1),
    columns=(day_date("day", width=11), text("store", width=9), decimal("amount", digits=12, scale=2, width=6)),
)
PIPELINE = Pipeline(
    name="case",
    description="Columns of fixed width",
    files=(F,),
    facts="f",
    day_columns=("day",),
    measures=(Measure(name="n", how="count"), Measure(name="total", how="sum", of="amount")),
    summaries=(Summary(name="by_store", by=("store",), columns=("n", "total")),),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
