"""Weeks, months, quarters and years over the published days: always what plain SQL over the facts counts."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from upath import UPath

from commands import rollback
from daybook import steps
from daybook.days import days_between, scheduled_days
from daybook.errors import BadSpec
from daybook.ledger.receipt import STEPS
from daybook.postgres.session import at_once
from daybook.publish import definitions
from daybook.publish.belongings import belongings
from daybook.publish.rename import rename
from daybook.publish.retire import retire
from daybook.run.several_days import over_days
from daybook.spec import (
    Measure,
    Pipeline,
    Plausible,
    Ratio,
    Schedule,
    Summary,
    Table,
    Target,
    boolean,
    decimal,
    integer,
    text,
    timestamp,
)
from daybook.storage.data_folder import DataFolder
from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres
from tests.support.servers import Servers
from tests.support.warehouse import drop_pipeline

# 2020 has an ISO week 53, from 2020-12-28 to 2021-01-03; 2020-12-27 and 2021-01-03 are Sundays.
FIRST, LAST = date(2020, 12, 26), date(2021, 1, 5)
ZONE = "Asia/Kolkata"
SCHEDULE = Schedule(time_zone=ZONE, cron="30 6 * * 1-6", start=date(2020, 12, 22), closed=(date(2021, 1, 1),))
DAYS = scheduled_days(SCHEDULE, FIRST, LAST)
COLUMNS = ("orders", "amount_eur", "smallest_eur", "largest_eur", "pieces", "mean_eur", "paid_pct")
# Sums of pieces leave 64 bits over days, not on one. A shop is unknown, one is "", and one has no amount at all.
TABLES = """
    create schema {name};
    create table {name}.orders (id bigserial primary key, sold_at timestamptz, shop text, amount numeric(9,2),
        pieces bigint, is_paid boolean);
    insert into {name}.orders (sold_at, shop, amount, pieces, is_paid)
        select at, (array['A', '', null])[1 + n % 3], case when n % 5 > 0 and n % 3 > 0 then (n % 91 - 45) / 8.0 end,
            200000000000000000 + n, n % 7 > 0
        from (select at, row_number() over (order by at) as n
            from generate_series('2020-12-21 01:00Z'::timestamptz, '2021-01-08', '41 min') as at) as numbered;
    grant usage on schema {name} to source_reader;
    grant select on all tables in schema {name} to source_reader;
"""
FACTS = """
    select {period}, count(*), sum(amount), min(amount), max(amount), sum(pieces),
        round(sum(amount) / nullif(count(amount), 0), 2), round(count(*) filter (where is_paid) * 100.0 / count(*), 2),
        {published}, {due}
    from (select *, (sold_at at time zone '{zone}')::date as day from {name}.orders) as orders
    where day = any(%s) group by {period} order by {period}
"""


MEASURES = (
    Measure(name="orders", how="count"),
    Measure(name="amount_eur", how="sum", of="amount"),
    Measure(name="smallest_eur", how="min", of="amount"),
    Measure(name="largest_eur", how="max", of="amount"),
    Measure(name="pieces", how="sum", of="pieces"),
    Measure(name="with_amount", how="count", of="amount"),
    Measure(name="paid", how="count", where="is_paid"),
)
RATIOS = (
    Ratio(name="mean_eur", of="amount_eur", over="with_amount"),
    Ratio(name="paid_pct", of="paid", over="orders", times=100),
)
BY_WEEK = Summary(name="by_week", every="week", by=("shop",), columns=COLUMNS)
OTHER = Summary(name="other", every="week", by=("shop",), columns=COLUMNS)
BY_MONTH = Summary(name="by_month", every="month", columns=COLUMNS)
BY_QUARTER = Summary(name="by_quarter", every="quarter", by=("shop",), columns=COLUMNS)
BY_YEAR = Summary(name="by_year", every="year", columns=COLUMNS)


@dataclass
class Orders:
    """A table of orders, a pipeline over it, and its runs."""

    servers: Servers
    name: str
    runs: int = 0

    def pipeline(self, *summaries: Summary, **words: Any) -> Pipeline:
        """Return the pipeline of the orders."""
        table = Table(
            name="orders",
            connection="source_db",
            relation=f"{self.name}.orders",
            columns=(
                integer("id"),
                timestamp("sold_at"),
                text("shop"),
                decimal("amount", digits=9, scale=2),
                integer("pieces"),
                boolean("is_paid"),
            ),
            key=("id",),
            day="sold_at",
        )
        known: dict[str, Any] = {
            "name": self.name,
            "description": "Orders",
            "tables": (table,),
            "facts": "orders",
            "day_columns": ("sold_at",),
            "measures": MEASURES,
            "ratios": RATIOS,
            "summaries": summaries,
            "target": Target(schema=self.name),
            "schedule": SCHEDULE,
            "plausible": Plausible(within_pct=None),
        }
        return Pipeline(**(known | words))

    def run(self, pipeline: Pipeline, *days: date) -> None:
        """Do some days of a pipeline, in one task each step."""
        self.runs += 1
        works = [self.servers.work(pipeline, str(day), f"run_{self.runs}") for day in days]
        for name in STEPS:
            over_days(getattr(steps, name), works, is_last_try=True)

    def source(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Do a statement in the source database, as the owner of its tables."""
        with psycopg.connect(self.servers.postgres.dsn("source", "source_owner")) as connection:
            cursor = connection.execute(statement.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def view(self, summary: str, columns: str = "*", order: str = "1") -> list[tuple[Any, ...]]:
        """Return what an analyst sees in a view."""
        return self.servers.rows(f"select {columns} from {self.name}.{summary} order by {order}")

    def owner(self, statement: str) -> list[tuple[Any, ...]]:
        """Do a statement in the warehouse, as its owner."""
        with psycopg.connect(self.servers.postgres.dsn("warehouse", "warehouse_owner")) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def meanings(self, pipeline: Pipeline) -> list[str]:
        """Return what the plan says that readers will notice."""
        with psycopg.connect(self.servers.postgres.dsn("warehouse", "warehouse_owner")) as connection:
            return [change.meaning for change in definitions.changes(connection, pipeline) if change.meaning]

    def roll_back(self, pipeline: Pipeline, day: date, to: rollback.Target) -> None:
        """Roll a day back, as the command does."""
        dsn, data = self.servers.postgres.dsn("warehouse", "warehouse_owner"), DataFolder(UPath(self.servers.data))
        rollback.roll_back(pipeline, day, dsn, data, "ann@desk", "wrong", to)

    def rename(self, pipeline: Pipeline) -> None:
        """Take over what is there under the old name, as the first task of a run does."""
        connect, data = partial(self.servers.connect_postgres, "warehouse"), DataFolder(UPath(self.servers.data))
        assert rename(connect, pipeline, data, "ann@desk")

    def retire(self, pipeline: Pipeline, summary: str) -> None:
        """Retire a summary, as the command does when a person has agreed."""
        connect, data = partial(self.servers.connect_postgres, "warehouse"), DataFolder(UPath(self.servers.data))
        found = at_once(connect, lambda session: belongings(session, data, pipeline.name, summary))
        retire(connect, data, found, "ann@desk", "nobody reads it")

    @contextmanager
    def reader(self, summary: Summary) -> Iterator[set[tuple[Any, ...]]]:
        """Read a view again and again in the block; yield all that was ever seen."""
        seen, done = set[tuple[Any, ...]](), Event()

        def read() -> None:
            while not done.is_set():
                seen.add(tuple(self.rows(summary)))

        thread = Thread(target=read)
        thread.start()
        yield seen
        done.set()
        thread.join()

    def facts(self, days: list[date], period: str, by: str, published: str, due: str) -> list[tuple[Any, ...]]:
        """Return what plain SQL over the facts of some days counts in a period and group."""
        keys = ", ".join(filter(None, (f"date_trunc('{period}', day::timestamp)::date", by)))
        query = FACTS.format(name=self.name, zone=ZONE, period=keys, published=published, due=due)
        return self.source(query, days)

    def rows(self, summary: Summary) -> list[tuple[Any, ...]]:
        """Return all of a view, in order."""
        columns = [str(summary.every), *summary.by, *COLUMNS, "days_published", "days_due"]
        return self.view(summary.name, ", ".join(columns), ", ".join([str(summary.every), *summary.by]))


def renamed(summary: Summary, name: str, **words: Any) -> Summary:
    """Return a summary under another name, which has its days."""
    return summary.model_copy(update={"name": name, "renamed_from": summary.name} | words)


def exact_cents(orders: Orders, shop: str | None) -> Decimal:
    """Return the mean of a shop's amounts in hundredths, by plain SQL."""
    query = (
        f"select round(sum(amount) * 100 / count(amount), 2) from {orders.name}.orders "
        f"where shop is not distinct from %s and (sold_at at time zone '{ZONE}')::date = any(%s)"
    )
    mean: Decimal = orders.source(query, shop, DAYS[2:5])[0][0]
    return mean


@pytest.fixture
def orders(
    request: pytest.FixtureRequest, postgres: LocalPostgres, ftp_server: LocalFtp, tmp_path: Path
) -> Iterator[Orders]:
    """Orders of three weeks, in a schema of the test's own."""
    orders = Orders(Servers(postgres, ftp_server, tmp_path / "data"), f"r{zlib.crc32(request.node.nodeid.encode())}")
    orders.source(TABLES.format(name=orders.name))
    yield orders
    orders.source(f"drop schema {orders.name} cascade")
    with psycopg.connect(postgres.dsn("warehouse", "warehouse_owner")) as connection:
        for name in (orders.name, f"{orders.name}_other"):
            drop_pipeline(connection, name)


def due_in(*months: str) -> int:
    """Return how many days the schedule means in some months: no Sundays, not New Year's Day, none before its start."""
    days = [day for day in days_between(SCHEDULE.start, date(2021, 12, 31)) if str(day)[:7] in months]
    return sum(day.isoweekday() < 7 and day != date(2021, 1, 1) for day in days)


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb"])
def test_each_period_is_what_plain_sql_counts_over_a_change_of_year_in_week_53(orders: Orders, engine: str) -> None:
    orders.run(orders.pipeline(BY_WEEK, BY_MONTH, BY_QUARTER, BY_YEAR, engine=engine), *DAYS)
    year, published = "case extract(year from min(day)) when 2020 then {} else {} end", "count(distinct day)"
    week = "case date_trunc('week', min(day)::timestamp)::date when '2020-12-21' then {} when '2020-12-28' then {} "
    week += "else {} end"
    # A group may have no order on a day; the days of the period count, not those of the group.
    assert orders.rows(BY_WEEK) == orders.facts(DAYS, "week", "shop", week.format(1, 5, 2), week.format(5, 5, 6))
    assert orders.rows(BY_MONTH) == orders.facts(DAYS, "month", "", published, year.format(9, due_in("2021-01")))
    due = year.format(9, due_in("2021-01", "2021-02", "2021-03"))
    assert orders.rows(BY_QUARTER) == orders.facts(DAYS, "quarter", "shop", year.format(5, 3), due)
    due = year.format(9, due_in(*(f"2021-{month:02}" for month in range(1, 13))))
    assert orders.rows(BY_YEAR) == orders.facts(DAYS, "year", "", published, due)
    assert orders.view("by_year", "pieces")[0][0] > 2**63
    assert {shop for _, shop, *_ in orders.rows(BY_WEEK)} == {"A", "", None}


def test_a_reader_of_a_month_sees_all_days_of_before_or_all_of_after_whatever_becomes_of_a_day(orders: Orders) -> None:
    pipeline, day = orders.pipeline(BY_MONTH, BY_WEEK), DAYS[3]
    other = pipeline.model_copy(update={"name": f"{orders.name}_other", "summaries": (OTHER,)})
    orders.run(pipeline, *DAYS[2:6])
    orders.run(other, day)
    once = orders.rows(BY_MONTH), orders.rows(BY_WEEK)
    with orders.reader(BY_MONTH) as seen:
        orders.source(f"update {orders.name}.orders set amount = amount * 3, pieces = pieces + 1")
        orders.run(pipeline, day)
        twice = orders.rows(BY_MONTH), orders.rows(BY_WEEK)
        orders.roll_back(pipeline, day, None)
        assert (orders.rows(BY_MONTH), orders.rows(BY_WEEK)) == once
        orders.roll_back(pipeline, day, "nothing")
        fewer = orders.rows(BY_MONTH)
    assert seen <= {tuple(rows) for rows in (once[0], twice[0], fewer)}
    assert [row[-2:] for row in once[0]] == [(3, 9), (1, due_in("2021-01"))]
    assert [row[-2:] for row in fewer] == [(2, 9), (1, due_in("2021-01"))]
    assert {row[-2:] for row in orders.rows(OTHER)} == {(1, 5)}
    # The schedule gets another day off, and the next day that is published tells it.
    closed = pipeline.model_copy(
        update={"schedule": SCHEDULE.model_copy(update={"closed": (date(2021, 1, 1), date(2020, 12, 24))})}
    )
    orders.run(closed, DAYS[6])
    assert [row[-2:] for row in orders.rows(BY_MONTH)] == [(2, 8), (2, due_in("2021-01"))]


def test_a_roll_up_follows_its_spec_and_keeps_its_days_and_rights(orders: Orders) -> None:
    summary = Summary(name="by_period", every="month", by=("shop",), columns=("orders", "largest_eur"))
    pipeline = orders.pipeline(summary)
    orders.run(pipeline, *DAYS[2:5])
    orders.owner(f"grant select on {orders.name}.by_period to public")
    theirs = "create view {0}.theirs as select month, sum(orders) from {0}.by_period group by 1"
    orders.owner(theirs.format(orders.name))
    december = orders.facts(DAYS[2:5], "month", "shop", "3", "9")
    counted, largest = sum(row[2] for row in december), [row[5] for row in december]

    # A new ratio is empty until all days of the period have its measures; what was there stays.
    wider = orders.pipeline(summary.model_copy(update={"columns": (*summary.columns, "mean_eur")}))
    gets = "gets the column mean_eur, which a month has when all its published days are done again"
    assert orders.meanings(wider) == [f"{orders.name}.by_period: {gets}"]
    orders.run(wider, *DAYS[2:4])
    assert orders.view("by_period", "largest_eur, mean_eur", "shop") == [(value, None) for value in largest]
    orders.run(wider, DAYS[4])
    assert orders.view("by_period", "mean_eur", "shop") == [(row[7],) for row in december]

    # Another formula and other names, of everything at once: the days are not done again, and views on it follow.
    ratio = Ratio(name="mean_cent", of="amount_eur", over="with_amount", times=100, renamed_from="mean_eur")
    most = Measure(name="most_eur", how="max", of="amount", renamed_from="largest_eur")
    renamed_summary = renamed(summary, "by_span", columns=("orders", "most_eur", "mean_cent"))
    named = wider.model_copy(
        update={
            "name": f"{orders.name}_other",
            "renamed_from": orders.name,
            "measures": (*(one for one in MEASURES if one.name != "largest_eur"), most),
            "ratios": (ratio,),
            "summaries": (renamed_summary,),
        }
    )
    orders.rename(named)
    orders.run(named, DAYS[4])
    found = orders.view("by_span", "days_published, most_eur, mean_cent", "shop")
    assert found == [(3, row[5], None if row[7] is None else exact_cents(orders, row[1])) for row in december]
    assert orders.meanings(named) == []
    assert orders.servers.rows(f"select sum from {orders.name}.theirs") == [(counted,)]

    # Another period is another column, so what rests on the view is named first.
    quarters = named.model_copy(update={"summaries": (renamed_summary.model_copy(update={"every": "quarter"}),)})
    with pytest.raises(BadSpec, match=f"has lost month, and view {orders.name}.theirs rest on this view"):
        orders.meanings(quarters)
    orders.owner(f"drop view {orders.name}.theirs")
    orders.run(quarters, DAYS[4])
    assert orders.view("by_span", "quarter, days_published, most_eur", "shop") == [
        (date(2020, 10, 1), 3, row[5]) for row in december
    ]
    rights = orders.owner(f"select relacl::text from pg_class where oid = '{orders.name}.by_span'::regclass")
    assert "=r/" in rights[0][0].replace("analyst=r/", "")


def test_a_summary_of_days_becomes_a_roll_up_and_one_that_is_retired_begins_anew(orders: Orders) -> None:
    days = orders.pipeline(Summary(name="by_shop", by=("shop",), columns=("orders",)))
    orders.run(days, *DAYS[2:4])
    months = orders.pipeline(Summary(name="by_shop", every="month", by=("shop",), columns=("orders",)))
    orders.run(months, DAYS[4])
    # The rows of a day are the same in both, so no day has to be done again.
    counted = orders.facts(DAYS[2:5], "month", "shop", "3", "9")
    assert orders.view("by_shop", "month, shop, orders, days_published", "shop") == [
        (row[0], row[1], row[2], 3) for row in counted
    ]
    orders.retire(months, "by_shop")
    orders.run(months, DAYS[4])
    assert {row[0] for row in orders.view("by_shop", "days_published")} == {1}
