"""Lines of orders: products of columns, spreads, quantiles, distinct customers and the best products of each country.

What the steps publish is what plain SQL makes of the same files in PostgreSQL, to the last digit, on every engine.
"""

import random
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
import pytest

from daybook.spec import (
    File,
    Lookup,
    Measure,
    Pipeline,
    Ratio,
    Schedule,
    Summary,
    Target,
    Top,
    boolean,
    col,
    day_date,
    decimal,
    integer,
    text,
    timestamp,
)
from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres
from tests.support.servers import Servers, published_files, run_steps
from tests.support.warehouse import drop_pipeline

DAY = date(2026, 1, 10)
LINES = File(
    name="lines",
    connection="ftp",
    path="lines_{day}.csv",
    is_written_whole=True,
    columns=(
        integer("order_id", is_required=True),
        integer("line_number"),
        day_date("sold_on", is_required=True),
        text("customer"),
        text("product"),
        decimal("price", "price_eur", digits=9, scale=2),
        integer("quantity"),
        decimal("discount", digits=4, scale=3),
        decimal("tax", digits=4, scale=3),
        boolean("gift", "is_gift"),
        day_date("shipped_on"),
        timestamp("paid_at"),
    ),
    key=("order_id", "line_number"),
)
CUSTOMERS = File(
    name="customers",
    connection="ftp",
    path="customers_{day}.csv",
    is_written_whole=True,
    columns=(text("customer"), text("country_code")),
    key=("customer",),
)
COUNTRIES = File(
    name="countries",
    connection="ftp",
    path="countries_{day}.csv",
    is_written_whole=True,
    columns=(text("country_code"), text("country")),
    key=("country_code",),
)
MEASURES = (
    Measure(name="order_lines", how="count"),
    Measure(name="priced", how="count", of="total_eur"),
    Measure(name="gifts", how="count", where="is_gift"),
    Measure(name="revenue_eur", how="sum", of="total_eur"),
    Measure(name="gift_revenue_eur", how="sum", of="total_eur", where="is_gift"),
    Measure(name="large_eur", how="sum", of="total_eur", where=col("total_eur") >= 500),
    Measure(name="gross_eur", how="sum", of=col("price_eur") * col("quantity")),
    Measure(name="discount_eur", how="sum", of=col("price_eur") * col("quantity") * col("discount")),
    Measure(name="pieces", how="sum", of="quantity"),
    Measure(name="orders", how="distinct", of="order_id"),
    Measure(name="customers", how="distinct", of="customer"),
    Measure(name="gift_givers", how="distinct", of="customer", where="is_gift"),
    Measure(name="median_basket_eur", how="median", of="basket_eur", scale=8),
    Measure(name="p90_line_eur", how="quantile", of="total_eur", quantile=Decimal("0.9"), method="discrete"),
    Measure(name="median_shipped_on", how="median", of="shipped_on", method="discrete"),
    Measure(name="p10_pieces", how="quantile", of="quantity", quantile=Decimal("0.1"), scale=4),
    Measure(name="spread_eur", how="stddev_samp", of="total_eur", scale=6),
    Measure(name="spread_of_all_eur", how="stddev_pop", of="total_eur", scale=6, where="is_gift"),
    Measure(name="var_samp", how="var_samp", of="quantity", scale=10),
    Measure(name="var_pop", how="var_pop", of="price_eur", scale=10),
    Measure(name="first_shipped_on", how="min", of="shipped_on"),
    Measure(name="last_paid_at", how="max", of="paid_at"),
    Measure(name="last_product", how="max", of="product", where="is_gift"),
)
RATIOS = (
    Ratio(name="mean_line_eur", of="revenue_eur", over="priced", scale=4),
    Ratio(name="eur_per_piece", of="revenue_eur", over="pieces", scale=6),
    Ratio(name="gift_pct", of="gift_revenue_eur", over="revenue_eur", times=100, scale=3),
    Ratio(name="discount_pct", of="discount_eur", over="gross_eur", times=100, scale=4),
    Ratio(name="relative_spread", of="spread_eur", over="median_basket_eur", scale=4),
)
NUMBERS = (*(measure.name for measure in MEASURES), *(ratio.name for ratio in RATIOS))


TOTAL = col("price_eur") * col("quantity") * (1 - col("discount")) * (1 + col("tax"))


def with_baskets(lines: Any) -> Any:
    """Add what an order costs, on its first line."""
    baskets: dict[int, Decimal] = {}
    for order, total in zip(lines["order_id"], lines["total_eur"], strict=True):
        baskets[order] = baskets.get(order, Decimal(0)) + (total if isinstance(total, Decimal) else 0)
    return lines.assign(basket_eur=[baskets.pop(order, None) for order in lines["order_id"]])


SQL = """
    with priced as (
        select lines.*, country, price * quantity * (1 - discount) * (1 + tax) as total
        from lines left join customers using (customer) left join countries using (country_code)
    ), made as (
        select *, case when row_number() over (partition by order_id order by line_number) = 1
            then coalesce(sum(total) over (partition by order_id), 0) end as basket
        from priced
    ), measured as (
        select {group} count(*) as order_lines, count(total) as priced, count(*) filter (where gift) as gifts,
            coalesce(sum(total), 0) as revenue, coalesce(sum(total) filter (where gift), 0) as gift_revenue,
            coalesce(sum(total) filter (where total >= 500), 0) as large,
            coalesce(sum(price * quantity), 0) as gross, coalesce(sum(price * quantity * discount), 0) as reduced,
            sum(quantity) as pieces, count(distinct order_id) as orders, count(distinct customer) as customers,
            count(distinct customer) filter (where gift) as gift_givers,
            round((percentile_cont(0.5) within group (order by basket))::numeric, 8) as median_basket,
            percentile_disc(0.9) within group (order by total) as p90_line,
            percentile_disc(0.5) within group (order by shipped_on) as median_shipped_on,
            round((percentile_cont(0.1) within group (order by quantity))::numeric, 4) as p10_pieces,
            round(stddev_samp(total), 6) as spread,
            round(stddev_pop(total) filter (where gift), 6) as spread_of_all,
            round(var_samp(quantity), 10) as var_samp, round(var_pop(price), 10) as var_pop,
            min(shipped_on) as first_shipped_on, max(paid_at) as last_paid_at,
            max(product collate "C") filter (where gift) as last_product
        from made {grouped}
    )
    select *, round(revenue / nullif(priced, 0), 4), round(revenue / nullif(pieces, 0), 6),
        round(gift_revenue * 100 / nullif(revenue, 0), 3),
        round(reduced * 100 / nullif(gross, 0), 4), round(spread / nullif(median_basket, 0), 4)
    from measured order by {order}
"""
BEST = """
    select country, product, revenue, pieces, place from (
        select country, product, sum(total) as revenue, sum(quantity) as pieces,
            row_number() over (partition by country order by sum(total) desc nulls last, product collate "C") as place
        from (
            select country, product, quantity, price * quantity * (1 - discount) * (1 + tax) as total
            from lines left join customers using (customer) left join countries using (country_code)
        ) priced group by country, product
    ) ranked where place <= 3 order by country collate "C", place
"""


def files() -> dict[str, str]:
    """Return the lines of the day, their customers and these customers' countries, as CSV."""
    chance = random.Random(20260110)
    countries = {"ES": "España", "FR": "France", "AT": "Österreich", "XX": ""}
    customers = {f"C{number}": chance.choice(list(countries)) for number in range(60)}
    lines = [_line(chance, order, number) for order in range(150) for number in range(chance.randint(1, 4))]
    return {
        "lines": "\n".join([",".join(column.header for column in LINES.columns), *lines, ""]),
        "customers": "\n".join(["customer,country_code", *(f"{c},{code}" for c, code in customers.items()), ""]),
        "countries": "\n".join(["country_code,country", *(f"{code},{name}" for code, name in countries.items()), ""]),
    }


def _line(chance: random.Random, order: int, number: int) -> str:
    customer = random.Random(order).choice([*(f"C{n}" for n in range(60)), ""])
    price = "" if chance.random() < 0.05 else f"{chance.randint(-500, 99999) / 100:.2f}"
    shipped = "" if chance.random() < 0.3 else str(DAY + timedelta(chance.randint(0, 9)))
    paid = datetime(2026, 1, 10, tzinfo=UTC) + timedelta(0, chance.randint(0, 86399))
    product = chance.choice(["Äpfel", "apples", "Zebra", "zebra", "\U0001f34e", "bread", "milk", "tea"])
    cells = [order, number, DAY, customer, product, price, chance.randint(1, 12), chance.choice(["0", "0.05", "0.125"])]
    cells += [chance.choice(["0.21", "0.1", "0.055"]), chance.choice(["true", "false", ""]), shipped]
    return ",".join(map(str, [*cells, f"{paid:%Y-%m-%d %H:%M:%S}"]))


@pytest.fixture
def pipeline(request: pytest.FixtureRequest, postgres: LocalPostgres, ftp_server: LocalFtp) -> Iterator[Pipeline]:
    """The pipeline under a name and in a folder of the test's own, with its files."""
    name = f"o{zlib.crc32(request.node.nodeid.encode())}"
    sources = [one.model_copy(update={"path": f"{name}/{one.path}"}) for one in (LINES, CUSTOMERS, COUNTRIES)]
    (ftp_server.root / name).mkdir()
    for source in sources:
        (ftp_server.root / source.path_on(DAY)).write_text(files()[source.name])
    yield Pipeline(
        name=name,
        description="Lines of orders",
        files=tuple(sources),
        facts="lines",
        day_columns=("sold_on",),
        derived={"total_eur": TOTAL},
        transform=with_baskets,
        transform_gives=(decimal("basket_eur", digits=18, scale=8),),
        lookups=(
            Lookup(source="customers", key="customer", gives={"country_code": "country_code"}, when_unknown="keep"),
            Lookup(source="countries", key="country_code", gives={"country": "country"}, when_unknown="keep"),
        ),
        measures=MEASURES,
        ratios=RATIOS,
        summaries=(
            Summary(name="by_country", by=("country",), columns=NUMBERS),
            Summary(name="by_day", columns=NUMBERS),
            Summary(
                name="best_products",
                by=("country", "product"),
                columns=("revenue_eur", "pieces"),
                top=Top(rows=3, of="revenue_eur", per=("country",), rank="place"),
            ),
        ),
        target=Target(schema=name),
        schedule=Schedule(start=DAY),
    )
    with psycopg.connect(postgres.dsn("warehouse", "warehouse_owner")) as connection:
        drop_pipeline(connection, name)


def in_sql(postgres: LocalPostgres) -> dict[str, list[tuple[Any, ...]]]:
    """Return what PostgreSQL makes of the files, in tables that nobody else sees."""
    with psycopg.connect(postgres.dsn("warehouse", "warehouse_owner")) as session:
        session.execute("set time zone 'UTC'; create schema plain_sql; set local search_path to plain_sql")
        session.execute(
            "create table lines (order_id int, line_number int, sold_on date, customer text, product text, "
            "price numeric, quantity int, discount numeric, tax numeric, gift boolean, shipped_on date, "
            "paid_at timestamptz)"
        )
        session.execute("create table customers (customer text, country_code text)")
        session.execute("create table countries (country_code text, country text)")
        for name, content in files().items():
            with session.cursor().copy(f"copy {name} from stdin (format csv, header)".encode()) as copy:
                copy.write(content)
        by_country = SQL.format(group="country,", grouped="group by country", order='country collate "C"')
        asked = {
            "by_country": by_country,
            "by_day": SQL.format(group="", grouped="", order="1"),
            "best_products": BEST,
        }
        found = {name: session.execute(query.encode()).fetchall() for name, query in asked.items()}
        session.rollback()
    return found


def test_order_lines_are_published_as_plain_sql_computes_them_on_every_engine(
    pipeline: Pipeline, postgres: LocalPostgres, ftp_server: LocalFtp, tmp_path: Path
) -> None:
    servers, wanted, seen = Servers(postgres, ftp_server, tmp_path / "data"), in_sql(postgres), {}
    order = {"by_country": 'country collate "C"', "by_day": "1", "best_products": 'country collate "C", place'}
    for engine in ("polars", "pandas", "duckdb"):
        changed = pipeline.model_copy(update={"engine": engine})
        done = run_steps(servers.work(changed, str(DAY), engine, is_forced=True), servers)
        for summary in pipeline.summaries:
            names = ", ".join([*summary.by, *summary.columns, *summary.ranks])
            query = f"select {names} from {pipeline.name}.{summary.name} order by {order[summary.name]}"
            assert servers.rows(query) == wanted[summary.name]
        folder = published_files(done)
        seen[engine] = {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.suffix != ".html"}
        behind = done.receipt("summarize").rows["best_products"]
        assert behind.below_top == behind.read - behind.kept > 0
    assert len(wanted["best_products"]) == 4 * 3
    assert seen["polars"] == seen["pandas"] == seen["duckdb"]
