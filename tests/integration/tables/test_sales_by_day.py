"""Pipelines whose facts are a table by day: over both changes of the clock, on every engine, checked by plain SQL."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal

import psycopg
import pytest
from psycopg import sql

from commands.__main__ import main
from daybook import steps
from daybook.days import days_between
from daybook.ledger.receipt import STEPS, Done
from daybook.pipelines import load_pipelines
from daybook.planning.look_back import changed_days
from daybook.planning.observe import observe
from daybook.planning.plan import plan
from daybook.postgres.day_rows import slices
from daybook.run.day_run import DayRun
from daybook.run.several_days import over_days
from daybook.run.step_run import StepRun
from daybook.spec import (
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
    timestamp,
)
from deployment.environment import connections
from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres
from tests.support.servers import Servers, published_files, run_steps
from tests.support.warehouse import drop_pipeline

ZONE = "Europe/Madrid"
# The clock went forward on the one, and back on the other.
SPRING, AUTUMN = date(2024, 3, 31), date(2024, 10, 27)
DAYS = [
    *days_between(date(2024, 3, 30), date(2024, 4, 1)),
    *days_between(date(2024, 10, 26), date(2024, 10, 28)),
]
TABLES = """
    create schema {schema};
    create table {schema}.stores (store text primary key, city text);
    insert into {schema}.stores values ('A', 'Vigo'), ('B', 'Reus');
    create table {schema}.orders (
        id bigserial primary key, sold_at timestamptz, sold_here timestamp, store text, status text,
        amount numeric(10,2), updated_at timestamptz default '2024-12-01'
    );
    insert into {schema}.orders (sold_at, store, status, amount)
        select at, (array['A', 'B'])[1 + n % 2], (array['paid', 'paid', 'open'])[1 + n % 3], n / 7.0
        from (select at, row_number() over (order by at) as n from (
            select generate_series('2024-03-29 20:00Z'::timestamptz, '2024-04-02 03:00Z', '17 min') as at
            union all select generate_series('2024-10-25 20:00Z'::timestamptz, '2024-10-29 03:00Z', '17 min')
            union all select midnight - before from unnest(array['2024-03-30 23:00Z', '2024-03-31 22:00Z',
                '2024-10-26 22:00Z', '2024-10-27 23:00Z']::timestamptz[]) as midnight,
                unnest(array['0', '1 microsecond']::interval[]) as before
        ) as times) as numbered;
    update {schema}.orders set sold_here = sold_at at time zone 'America/New_York';
    insert into {schema}.orders (sold_at, store, status, amount)
        values (null, 'A', 'paid', 1), ('infinity', 'B', 'paid', 2);
    create index on {schema}.orders (sold_at);
    create table {schema}.invoices (number int primary key, issued_on date, total_eur numeric);
    insert into {schema}.invoices
        select n, '2024-03-29'::date + n % 5, n * 1.5 from generate_series(1, 100) as n;
    grant usage on schema {schema} to source_reader;
    grant select on all tables in schema {schema} to source_reader;
"""


@dataclass
class Shop:
    """A schema of the test's own in the source database, its two pipelines, and their runs."""

    servers: Servers
    name: str
    runs: int = 0

    @property
    def orders(self) -> Table:
        """Return the table of orders: paid ones, by the local day of their instant."""
        return Table(
            name="orders",
            connection="source_db",
            relation=f"{self.name}.orders",
            columns=(
                integer("id"),
                timestamp("sold_at"),
                text("store"),
                decimal("amount", "amount_eur", digits=10, scale=2),
            ),
            key=("id",),
            day="sold_at",
            where={"status": "paid"},
        )

    def sales(self, **words: Any) -> Pipeline:
        """Return the pipeline of sales, with other words of its table of orders."""
        stores = Table(
            name="stores",
            connection="source_db",
            relation=f"{self.name}.stores",
            columns=(text("store"), text("city")),
            key=("store",),
        )
        orders = Table(**words_of(self.orders) | words)
        return Pipeline(
            name=self.name,
            description="Sales by city",
            tables=(orders, stores),
            facts="orders",
            day_columns=(orders.day,),
            lookups=(Lookup(source="stores", key="store", gives={"city": "city"}, when_unknown="refuse"),),
            measures=(Measure(name="sales", how="count"), Measure(name="amount_eur", how="sum", of="amount_eur")),
            summaries=(Summary(name="by_city", by=("city",), columns=("sales", "amount_eur")),),
            target=Target(schema=self.name),
            schedule=Schedule(time_zone=ZONE, start=DAYS[0]),
            plausible={"within_pct": None},
        )

    def invoices(self) -> Pipeline:
        """Return the pipeline of invoices, by their date."""
        table = Table(
            name="invoices",
            connection="source_db",
            relation=f"{self.name}.invoices",
            columns=(integer("number"), day_date("issued_on"), decimal("total_eur", digits=12, scale=2)),
            key=("number",),
            day="issued_on",
        )
        return Pipeline(
            name=f"{self.name}_i",
            description="Invoices",
            tables=(table,),
            facts="invoices",
            day_columns=("issued_on",),
            measures=(Measure(name="invoices", how="count"), Measure(name="total_eur", how="sum", of="total_eur")),
            summaries=(Summary(name="by_day", columns=("invoices", "total_eur")),),
            target=Target(schema=f"{self.name}_i"),
            schedule=Schedule(time_zone=ZONE, start=DAYS[0]),
            plausible={"within_pct": None},
        )

    def run(self, pipeline: Pipeline, day: date) -> DayRun:
        """Do a day of a pipeline."""
        self.runs += 1
        return run_steps(self.servers.work(pipeline, str(day), f"run_{self.runs}"), self.servers)

    def change(self, statement: str) -> list[tuple[Any, ...]]:
        """Do a statement in the source database, as the owner of its tables; {} is the schema."""
        with psycopg.connect(self.servers.postgres.dsn("source", "source_owner")) as connection:
            cursor = connection.execute(statement.format(self.name, schema=self.name).encode())
            return cursor.fetchall() if cursor.description else []

    def planned(self, pipeline: Pipeline, days: list[date] = DAYS[:3]) -> list[str]:
        """Return what the plan says of some days, oldest first."""
        servers = self.servers
        data = servers.work(pipeline, str(days[0]), "none").data
        seen = observe(pipeline, days, servers.connect_postgres, servers.connect_ftp, data)
        planned = plan(pipeline, seen.standings, seen.tables)
        return [f"{day.action}: {day.reason}" for day in sorted(planned, key=lambda day: day.day)]


@pytest.fixture
def shop(
    request: pytest.FixtureRequest, postgres: LocalPostgres, ftp_server: LocalFtp, tmp_path: Path
) -> Iterator[Shop]:
    """A schema with orders over both changes of the clock, and invoices."""
    name = f"s{zlib.crc32(request.node.nodeid.encode())}"
    shop = Shop(Servers(postgres, ftp_server, tmp_path / "data"), name)
    shop.change(TABLES)
    yield shop
    shop.change("drop schema {} cascade")
    with psycopg.connect(postgres.dsn("warehouse", "warehouse_owner")) as connection:
        drop_pipeline(connection, name)
        drop_pipeline(connection, f"{name}_i")


BY_CITY = """
    select city, count(*), sum(amount) from {schema}.orders join {schema}.stores using (store)
    where status = 'paid' and (sold_at at time zone 'Europe/Madrid')::date = '{day}' group by city order by city
"""


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb"])
def test_two_pipelines_publish_what_plain_sql_counts_on_both_changes_of_the_clock(shop: Shop, engine: str) -> None:
    sales, invoices = (pipeline.model_copy(update={"engine": engine}) for pipeline in (shop.sales(), shop.invoices()))
    for day in DAYS:
        done = shop.run(sales, day)
        wanted = shop.change(BY_CITY.replace("{day}", str(day)))
        view = sql.SQL("select city, sales, amount_eur from {} where day = {} order by city")
        published = view.format(sql.Identifier(shop.name, "by_city"), sql.Literal(day)).as_string()
        assert shop.servers.rows(published) == wanted
        assert done.receipt("clean").rows["orders"].refused == {}
        assert "2 rows there have no day" in (published_files(done) / "report.html").read_text()
    for day in DAYS[:3]:
        shop.run(invoices, day)
    wanted = shop.change(
        "select issued_on, count(*), sum(total_eur) from {}.invoices where issued_on between '2024-03-30' and "
        "'2024-04-01' group by 1 order by 1"
    )
    assert shop.servers.rows(f"select day, invoices, total_eur from {shop.name}_i.by_day order by day") == wanted
    assert shop.planned(sales, DAYS) == ["skip: nothing changed"] * 6


def test_local_times_of_another_zone_are_read_by_the_day_of_their_instants(shop: Shop) -> None:
    columns = (integer("id"), timestamp("sold_here", time_zone="America/New_York"), *shop.orders.columns[2:])
    pipeline = shop.sales(columns=columns, day="sold_here")
    for day in DAYS:
        shop.run(pipeline, day)
        wanted = shop.change(BY_CITY.replace("{day}", str(day)))
        published = f"select city, sales, amount_eur from {shop.name}.by_city where day = '{day}' order by city"
        assert shop.servers.rows(published) == wanted
    assert shop.planned(pipeline, DAYS) == ["skip: nothing changed"] * 6


@pytest.mark.parametrize(("hour", "days"), [("first", [1, 0]), ("second", [0, 1]), (None, [0, 1])])
def test_a_time_that_came_twice_is_read_on_the_day_of_the_declared_one(
    shop: Shop, hour: Literal["first", "second"] | None, days: list[int]
) -> None:
    shop.change("insert into {}.orders (sold_here, status) values ('2024-11-03 01:30', 'paid')")
    column = timestamp("sold_here", time_zone="America/New_York", repeated_hour=hour)
    table = Table(**words_of(shop.orders) | {"columns": (column,), "key": (), "day": "sold_here"})
    # There the midnight before 2024-11-03 lies between the two.
    with psycopg.connect(shop.servers.postgres.dsn("source", "source_reader")) as connection:
        found = slices(connection, table, date(2024, 11, 2), date(2024, 11, 3), "America/Denver")
    assert [state.rows for state in found.days.values()] == days


def words_of(table: Table) -> dict[str, Any]:
    """Return the words of a table."""
    return {word: getattr(table, word) for word in Table.model_fields}


def test_a_new_row_changes_one_day_and_a_moved_one_two(shop: Shop) -> None:
    pipeline = shop.sales()
    for day in DAYS[:3]:
        shop.run(pipeline, day)
    name = f"{shop.name}.orders"
    shop.change("insert into {}.orders (sold_at, store, status, amount) values ('2024-03-31 21:59Z', 'A', 'paid', 5)")
    same = "skip: nothing changed"
    assert shop.planned(pipeline) == [same, f"run: input changed: 1 row more in {name}", same]
    shop.run(pipeline, SPRING)
    shop.change(
        "update {}.orders set sold_at = '2024-03-30 12:00Z' where id = "
        "(select min(id) from {schema}.orders where sold_at > '2024-03-31 22:00Z' and status = 'paid')"
    )
    fewer = f"run: input changed: 1 row fewer in {name}"
    assert shop.planned(pipeline) == [f"run: input changed: 1 row more in {name}", same, fewer]
    for day in DAYS[:3]:
        shop.run(pipeline, day)
    shop.change(
        "update {}.orders set amount = amount + 1 where id = "
        "(select max(id) from {schema}.orders where sold_at < '2024-03-31 22:00Z' and status = 'paid')"
    )
    assert shop.planned(pipeline) == [same, f"run: input changed: other rows in {name}", same]
    shop.change("insert into {}.orders (store, status, amount) values ('A', 'paid', 5)")
    shop.change("insert into {}.orders (sold_at, store, amount) values ('2024-03-30 12:00Z', 'A', 5)")
    assert shop.planned(pipeline) == [same, f"run: input changed: other rows in {name}", same]


def test_the_days_of_one_task_have_each_its_own_rows(shop: Shop) -> None:
    pipeline = shop.sales()
    works = [shop.servers.work(pipeline, str(day), "run_1") for day in DAYS[:3]]
    for name in STEPS:
        over_days(getattr(steps, name), works, is_last_try=True)
    wanted = [row for day in DAYS[:3] for row in shop.change(BY_CITY.replace("{day}", str(day)))]
    assert shop.servers.rows(f"select city, sales, amount_eur from {shop.name}.by_city order by day, city") == wanted


CUT_THE_OTHERS = """
    select pg_terminate_backend(pid) from pg_stat_activity where usename = current_user and pid <> pg_backend_pid()
"""


@pytest.mark.parametrize("is_cut", [False, True])
def test_the_days_of_one_task_are_of_one_moment_and_share_a_table_that_is_read_whole(shop: Shop, is_cut: bool) -> None:
    works = [shop.servers.work(shop.sales(), str(day), "run_1") for day in DAYS[:3]]
    before = shop.change(BY_CITY.replace("{day}", str(DAYS[2])))

    def extract_tables(step: StepRun) -> Done:
        done = steps.extract_tables(step)
        if step.day_run.day == SPRING:
            shop.change("insert into {}.stores values ('C', 'Lugo')")
            shop.change(
                "insert into {}.orders (sold_at, store, status, amount) values ('2024-04-01 09:00Z', 'C', 'paid', 5)"
            )
        if step.day_run.day == SPRING and is_cut:
            with shop.servers.connect_postgres("source_db") as reader:
                reader.execute(CUT_THE_OTHERS)
        return done

    for name in STEPS:
        over_days(extract_tables if name == "extract_tables" else getattr(steps, name), works, is_last_try=True)
    now = shop.change(BY_CITY.replace("{day}", str(DAYS[2])))
    published = f"select city, sales, amount_eur from {shop.name}.by_city where day = '{DAYS[2]}' order by city"
    assert shop.servers.rows(published) == (now if is_cut else before)
    assert [row[0] for row in now] == ["Lugo", "Reus", "Vigo"]
    first, second, third = (Path(work.folder.path) / "extract_tables" / "stores.csv" for work in works)
    assert (first.samefile(second), second.samefile(third)) == (True, not is_cut)


def test_changed_by_asks_the_number_of_rows_and_the_latest_change(shop: Shop) -> None:
    pipeline = shop.sales(changed_by="updated_at")
    for day in DAYS[:3]:
        shop.run(pipeline, day)
    same = "skip: nothing changed"
    assert shop.planned(pipeline) == [same] * 3
    shop.change("update {}.orders set amount = 0 where sold_at between '2024-03-30 10:00Z' and '2024-03-30 11:00Z'")
    assert shop.planned(pipeline) == [same] * 3
    shop.change(
        "update {}.orders set updated_at = '2024-12-02' where sold_at between '2024-03-30 10:00Z' and "
        "'2024-03-30 11:00Z'"
    )
    assert shop.planned(pipeline) == [f"run: input changed: other rows in {shop.name}.orders", same, same]


def test_the_commands_and_a_daily_run_know_the_rows_of_a_table(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pipeline = shop.sales()
    for day in DAYS[:3]:
        shop.run(pipeline, day)
    for variable, value in connections(shop.servers.postgres, shop.servers.ftp).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("DAYBOOK_DATA", shop.servers.data.as_uri())
    monkeypatch.setitem(load_pipelines().good, shop.name, pipeline)
    shop.change(
        "insert into {}.orders (sold_at, store, status, amount) "
        "select '2024-03-31 10:00Z', 'A', 'paid', n from generate_series(1, 12) as n"
    )
    capsys.readouterr()
    main(["why", str(SPRING), "--pipeline", shop.name])
    assert f"the plan now: run, input changed: 12 rows more in {shop.name}.orders" in capsys.readouterr().out
    main(["plan", "--from", str(DAYS[0]), "--to", str(DAYS[2]), "--pipeline", shop.name])
    said = capsys.readouterr().out
    assert "1 to run, 2 to skip, 0 blocked" in said
    assert f"{shop.name}.orders: 2 rows have no sold_at, and no day counts them" in said
    looking = pipeline.model_copy(update={"look_back_days": 3})
    data = shop.servers.work(looking, str(DAYS[2]), "scheduled").data
    connect = (shop.servers.connect_postgres, shop.servers.connect_ftp)
    assert changed_days(looking, DAYS[2], data, *connect) == [SPRING]


def test_a_copy_and_a_plan_read_a_day_by_the_index_of_its_column(shop: Shop) -> None:
    shop.change(
        "insert into {}.orders (sold_at, sold_here, store, status, amount) select '2020-01-01Z'::timestamptz + n * "
        "interval '1 min', '2020-01-01'::timestamp + n * interval '1 min', 'A', 'paid', 1 "
        "from generate_series(1, 20000) as n"
    )
    shop.change("create index on {}.orders (sold_here)")
    shop.change("analyze {}.orders")
    local = Table(
        **{word: getattr(shop.orders, word) for word in ("name", "connection", "relation")},
        columns=(integer("id"), timestamp("sold_here", time_zone="America/New_York")),
        day="sold_here",
    )
    for table in (shop.orders, local):
        with psycopg.connect(shop.servers.postgres.dsn("source", "source_owner")) as connection:
            rows = _scanned(connection, lambda session, table=table: slices(session, table, DAYS[0], DAYS[2], ZONE))
        assert rows < 1000


def _scanned(connection: psycopg.Connection[Any], ask: Any) -> int:
    """Return how many rows a query read by scanning whole tables."""
    query = "select coalesce(sum(seq_tup_read), 0) from pg_stat_xact_user_tables where relname = 'orders'"
    ask(connection)
    row = connection.execute(query.encode()).fetchone()
    assert row
    return int(row[0])
