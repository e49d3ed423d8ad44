"""A lookup whose rows hold for some days, and one that follows another."""

from datetime import date

from daybook.spec import (
    File,
    Lookup,
    Measure,
    Pipeline,
    Schedule,
    Summary,
    Table,
    Target,
    day_date,
    decimal,
    integer,
    text,
)

F = File(
    name="f",
    connection="ftp",
    path="f_{day:%Y-%m-%d}.csv",
    is_written_whole=True,
    columns=(day_date("day"), text("product"), integer("supplier"), text("customer_nation")),
)
PRICES = Table(
    name="prices",
    connection="source_db",
    relation="supplier.prices",
    columns=(text("product"), day_date("first_on"), day_date("last_on"), decimal("price", digits=9, scale=2)),
    key=("product", "first_on"),
)
SUPPLIERS = Table(
    name="suppliers",
    connection="source_db",
    relation="supplier.suppliers",
    columns=(integer("id"), text("nation")),
    key=("id",),
)
NATIONS = Table(
    name="nations",
    connection="source_db",
    relation="supplier.nations",
    columns=(text("code"), text("name"), integer("region")),
    key=("code",),
)
REGIONS = Table(
    name="regions",
    connection="source_db",
    relation="supplier.regions",
    columns=(integer("region"), text("region_name")),
    key=("region",),
)
PIPELINE = Pipeline(
    name="case",
    description="A lookup whose rows hold for some days, and one that follows another",
    tables=(PRICES, SUPPLIERS, NATIONS, REGIONS),
    files=(F,),
    facts="f",
    day_columns=("day",),
    lookups=(
        Lookup(
            source="prices",
            key="product",
            gives={"price": "price"},
            valid_from="first_on",
            valid_to="last_on",
            when_unknown="keep",
        ),
        Lookup(source="suppliers", key={"id": "supplier"}, gives={"nation": "nation"}, when_unknown="keep"),
        Lookup(source="nations", key={"code": "nation"}, gives={"region": "region"}, when_unknown="keep"),
        Lookup(source="regions", key="region", gives={"region_name": "region_name"}, when_unknown="keep"),
        Lookup(
            source="nations",
            name="customers",
            key={"code": "customer_nation"},
            gives={"name": "customer"},
            when_unknown="refuse",
        ),
    ),
    measures=(Measure(name="n", how="count"), Measure(name="total", how="sum", of="price")),
    summaries=(
        Summary(name="by_region", by=("region_name",), columns=("n", "total")),
        Summary(name="by_customer", by=("customer",), columns=("n", "total")),
    ),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
