"""A small pipeline for the rules: sales of a day, matched to shops (must be known) and to customers (may be)."""

from datetime import date

from daybook.spec import (
    File,
    Lookup,
    Measure,
    Pipeline,
    Ratio,
    Schedule,
    Summary,
    Table,
    Target,
    col,
    day_date,
    decimal,
    integer,
    text,
)

DAY = date(2026, 1, 10)

SHOPS = Table(
    name="shops",
    connection="source_db",
    relation="public.shops",
    columns=(text("shop"), text("city")),
    key=("shop",),
)
CUSTOMERS = Table(
    name="customers",
    connection="source_db",
    relation="public.customers",
    columns=(integer("customer"), integer("age", "age_years")),
    key=("customer",),
)
SALES = File(
    name="sales",
    connection="ftp",
    path="sales_{day}.csv",
    null_tokens=("NA", "?"),
    columns=(
        integer("id"),
        day_date("day", "sold_on"),
        text("shop", is_required=True, pattern="[A-Z][0-9]+"),
        integer("customer"),
        text("kind", allowed=("cash", "card")),
        decimal("amount", "amount_eur", digits=9, scale=2, minimum=-100, maximum=1000),
    ),
    key=("id",),
)


def shop(**changes: object) -> Pipeline:
    """Return the pipeline, with some of its words changed."""
    words: dict[str, object] = {
        "name": "shop",
        "description": "Sales",
        "tables": (SHOPS, CUSTOMERS),
        "files": (SALES,),
        "facts": "sales",
        "day_columns": ("sold_on",),
        "derived": {"is_anonymous": col("customer").is_null(), "is_large": col("amount_eur") > 100},
        "lookups": (
            Lookup(source="shops", key="shop", gives={"city": "city"}, when_unknown="refuse"),
            Lookup(
                source="customers",
                key="customer",
                gives={"age_years": "age_years"},
                when_unknown="keep",
                unknown_flag="is_customer_unknown",
            ),
        ),
        "measures": (
            Measure(name="sales", how="count"),
            Measure(name="large", how="count", where="is_large"),
            Measure(name="with_amount", how="count", of="amount_eur"),
            Measure(name="amount_eur", how="sum", of="amount_eur"),
            Measure(name="smallest_eur", how="min", of="amount_eur"),
            Measure(name="largest_eur", how="max", of="amount_eur"),
        ),
        "ratios": (
            Ratio(name="mean_eur", of="amount_eur", over="with_amount"),
            Ratio(name="large_pct", of="large", over="sales", times=100),
        ),
        "summaries": (
            Summary(name="by_city", by=("city",), columns=("sales", "amount_eur", "mean_eur", "large_pct")),
            Summary(name="by_day", columns=("sales", "amount_eur", "smallest_eur", "largest_eur", "mean_eur")),
        ),
        "target": Target(schema="shop"),
        "schedule": Schedule(time_zone="Europe/Madrid", start=DAY),
    }
    return Pipeline(**(words | changes))
