"""Orders over a change of year, in a table: a pipeline that rolls its days up, and what plain SQL counts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from threading import Event, Thread
from typing import Any, TypeVar

import psycopg
from upath import UPath

from commands import rollback
from daybook import steps
from daybook.days import scheduled_days
from daybook.ledger.receipt import STEPS
from daybook.postgres.session import Connection, at_once
from daybook.publish import definitions
from daybook.publish.belongings import belongings
from daybook.publish.rename import rename
from daybook.publish.retire import retire
from daybook.publish.rollback_everywhere import Target as RollBackTo
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
from tests.support.servers import Servers

# 2020 has an ISO week 53, from 2020-12-28 to 2021-01-03; 2020-12-27 and 2021-01-03 are Sundays.
FIRST, LAST = date(2020, 12, 26), date(2021, 1, 5)
ZONE = "Asia/Kolkata"
SCHEDULE = Schedule(time_zone=ZONE, cron="30 6 * * 1-6", start=date(2020, 12, 22), closed=(date(2021, 1, 1),))
DAYS = scheduled_days(SCHEDULE, FIRST, LAST)
COLUMNS = (
    *("orders", "amount_eur", "smallest_eur", "largest_eur", "pieces", "mean_eur", "paid_pct", "first_shop"),
    "range_pct",
)
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
    select {period}, count(*), coalesce(sum(amount), 0), min(amount), max(amount), sum(pieces),
        round(sum(amount) / nullif(count(amount), 0), 2), round(count(*) filter (where is_paid) * 100.0 / count(*), 2),
        min(shop collate "C"), round(min(amount) * 100 / nullif(max(amount), 0), 4),
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
    Measure(name="first_shop", how="min", of="shop"),
    Measure(name="paid", how="count", where="is_paid"),
)
RATIOS = (
    Ratio(name="mean_eur", of="amount_eur", over="with_amount"),
    Ratio(name="paid_pct", of="paid", over="orders", times=100),
    Ratio(name="range_pct", of="smallest_eur", over="largest_eur", times=100, scale=4),
)
BY_WEEK = Summary(name="by_week", every="week", by=("shop",), columns=COLUMNS)
OTHER = Summary(name="other", every="week", by=("shop",), columns=COLUMNS)
BY_MONTH = Summary(name="by_month", every="month", columns=COLUMNS)
BY_QUARTER = Summary(name="by_quarter", every="quarter", by=("shop",), columns=COLUMNS)
BY_YEAR = Summary(name="by_year", every="year", columns=COLUMNS)


Result = TypeVar("Result")


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

    def run(self, pipeline: Pipeline, *days: date, is_forced: bool = False) -> None:
        """Do some days of a pipeline, in one task each step."""
        self.runs += 1
        works = [self.servers.work(pipeline, str(day), f"run_{self.runs}", is_forced=is_forced) for day in days]
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
        changes = self.ask(lambda session: definitions.changes(session, pipeline))
        return [change.meaning for change in changes if change.meaning]

    def ask(self, do: Callable[[Connection], Result]) -> Result:
        """Do something in a session with the warehouse, as a step does."""
        return at_once(partial(self.servers.connect_postgres, "warehouse"), do)

    def roll_back(self, pipeline: Pipeline, day: date, to: RollBackTo = None) -> None:
        """Roll a day back, as the command does."""
        dsn, data = self.servers.postgres.dsn("warehouse", "warehouse_owner"), DataFolder(UPath(self.servers.data))
        rollback.roll_back(pipeline, day, dsn, data, "ann@desk", "wrong", to)

    def rename(self, pipeline: Pipeline) -> None:
        """Take over what is there under the old name, as the first task of a run does."""
        connect, data = partial(self.servers.connect_postgres, "warehouse"), DataFolder(UPath(self.servers.data))
        assert rename(connect, pipeline, data, "ann@desk")

    def comments(self, view: str, schema: str = "") -> dict[str, str]:
        """Return the comments of a view, under "", and of its columns."""
        query = (
            "select coalesce(attname, ''), description from pg_description left join pg_attribute on attrelid = objoid "
            f"and attnum = objsubid and objsubid > 0 where objoid = '{self.name}{schema}.{view}'::regclass"
        )
        return dict(self.servers.rows(query))

    def run_ids(self, day: date) -> list[int]:
        """Return the numbers of the runs of a day."""
        return [row[0] for row in self.owner(f"select run_id from daybook.run where day = '{day}' order by 1")]

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
