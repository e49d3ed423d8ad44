"""Odd names on the server."""

from datetime import date

from daybook.spec import File, Measure, Pipeline, Schedule, Summary, Target, day_date, decimal, text

NAMES = (
    ("sales", "sales {day:%Y-%m-%d}.csv"),
    ("folder", "in dir/x {day:%Y-%m-%d}.csv"),
    ("umlaut", "Ums\u00e4tze_{day:%Y-%m-%d}.csv"),
    ("odd", "a#b%20c'd[1].csv"),
    ("link", "link.csv"),
)
COLUMNS = (day_date("day"), text("store"), decimal("amount", digits=12, scale=2))
FILES = tuple(
    File(name=name, connection="ftp", path=path, is_written_whole=True, columns=COLUMNS) for name, path in NAMES
)

PIPELINE = Pipeline(
    name="case",
    description="Odd names on the server",
    files=FILES,
    facts="sales",
    day_columns=("day",),
    measures=(Measure(name="n", how="count"),),
    summaries=(Summary(name="by_day", columns=("n",)),),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
