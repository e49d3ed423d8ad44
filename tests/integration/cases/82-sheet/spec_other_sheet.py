"""A sheet that the workbook does not have."""

from datetime import date

from daybook.spec import File, Form, Measure, Pipeline, Schedule, Summary, Target, day_date, decimal, text

F = File(
    name="f",
    connection="ftp",
    path="f_{day:%Y-%m-%d}.xlsx",
    is_written_whole=True,
    form=Form(format="xlsx", sheet="Budgets", header_line=3),
    columns=(text("shop"), day_date("day"), decimal("amount", digits=12, scale=2)),
)
PIPELINE = Pipeline(
    name="case",
    description="A sheet",
    files=(F,),
    facts="f",
    day_columns=("day",),
    measures=(Measure(name="n", how="count"), Measure(name="total", how="sum", of="amount")),
    summaries=(Summary(name="by_day", columns=("n", "total")),),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
