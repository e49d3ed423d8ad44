"""Rows that come late, in the files of later days: a day is published on time, and again with what came for it."""

import os
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
import pytest

from daybook import steps
from daybook.errors import NotYet
from daybook.ledger.receipt import STEPS, Rows
from daybook.planning.daily_run import DailyRun, days_of
from daybook.planning.observe import observe
from daybook.planning.plan import plan
from daybook.run.day_run import DayRun
from daybook.run.several_days import over_days
from daybook.spec import File, Measure, Pipeline, Schedule, Summary, Target, day_date, integer, text, timestamp
from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres
from tests.support.servers import Servers
from tests.support.warehouse import drop_pipeline

THURSDAY, FRIDAY, MONDAY, TUESDAY = (date(2024, 3, day) for day in (7, 8, 11, 12))
SUNDAY = date(2024, 3, 10)


class Supplier(NamedTuple):
    """Who delivers the files of a pipeline, and does its runs."""

    pipeline: Pipeline
    servers: Servers

    def deliver(self, name: str, *rows: str) -> None:
        """Deliver a file; a file of that name becomes another one."""
        file = self.servers.ftp.root / self.pipeline.name / name
        file.parent.mkdir(exist_ok=True)
        later = file.stat().st_mtime + 2 if file.exists() else None
        header = ",".join(column.header for column in self.pipeline.files[0].columns)
        file.write_text("\n".join([header, *rows, ""]))
        if later:
            os.utime(file, (later, later))

    def work(self, day: date, run: str) -> DayRun:
        """Return the work of one run on a day."""
        return self.servers.work(self.pipeline, str(day), run)

    def daily(self, day: date) -> list[date]:
        """Return the days of the daily run of a day."""
        run = DailyRun(self.pipeline, day, f"scheduled {day}", datetime(2024, 3, 20, tzinfo=UTC), is_at_its_begin=True)
        return days_of(run, self.work(day, "x").data, self.servers.connect_postgres, self.servers.connect_ftp)

    def run(self, run: str, *days: date) -> list[DayRun]:
        """Run all steps over these days."""
        works = [self.work(day, run) for day in days]
        for step in STEPS:
            over_days(getattr(steps, step), works, is_last_try=True)
        return works

    def clean(self, work: DayRun) -> Rows:
        """Return what `clean` made of the facts."""
        return work.receipt("clean").rows[self.pipeline.facts]

    def planned(self, *days: date) -> dict[date, str]:
        """Return what the plan says of each day."""
        connect = self.servers.connect_postgres, self.servers.connect_ftp
        seen = observe(self.pipeline, list(days), *connect, self.work(days[0], "x").data)
        return {one.day: one.reason for one in plan(self.pipeline, seen.standings, seen.tables)}

    def published(self) -> list[tuple[Any, ...]]:
        """Return what readers see: the day and its number of rows."""
        return self.servers.rows(f"select day::text, n from {self.pipeline.name}.by_day order by day")


def pipeline_of(name: str, file: File, day_column: str, schedule: Schedule) -> Pipeline:
    """Return a pipeline that counts the rows of a file."""
    return Pipeline(
        name=name,
        description="Rows by day",
        files=(file.model_copy(update={"path": f"{name}/{file.path}"}),),
        facts=file.name,
        day_columns=(day_column,),
        measures=(Measure(name="n", how="count"),),
        summaries=(Summary(name="by_day", columns=("n",)),),
        target=Target(schema=name),
        schedule=schedule,
    )


CALLS = File(
    name="calls",
    connection="ftp",
    path="calls_{day:%Y%m%d}.csv",
    is_written_whole=True,
    late_days=1,
    time_zone="America/New_York",
    columns=(integer("id"), timestamp("began at", "began_at")),
    key=("id",),
)
TICKETS = File(
    name="tickets",
    connection="ftp",
    path="tickets_*_{day:%Y%m%d}.csv",
    pick="all",
    at_least=2,
    is_written_whole=True,
    late_days=2,
    columns=(text("id"), day_date("sold on", "sold_on")),
)


@pytest.fixture
def supplier(
    request: pytest.FixtureRequest, postgres: LocalPostgres, ftp_server: LocalFtp, tmp_path: Path
) -> Iterator[Supplier]:
    """The supplier of the pipeline that a test names, under a name of the test's own."""
    name = f"l{zlib.crc32(request.node.nodeid.encode())}"
    made = {
        "calls": lambda: pipeline_of(
            name, CALLS, "began_at", Schedule(start=THURSDAY, time_zone="America/New_York", cron="0 3 * * *")
        ),
        "tickets": lambda: pipeline_of(
            name, TICKETS, "sold_on", Schedule(start=THURSDAY, time_zone="Asia/Tokyo", cron="30 6 * * 1-5")
        ),
    }[request.param]()
    yield Supplier(made, Servers(postgres, ftp_server, tmp_path / "data"))
    with psycopg.connect(postgres.dsn("warehouse", "warehouse_owner")) as connection:
        drop_pipeline(connection, name)


@pytest.mark.parametrize("supplier", ["calls"], indirect=True)
@pytest.mark.parametrize("days", [(FRIDAY, THURSDAY), (THURSDAY, FRIDAY)], ids=["daily", "asked"])
def test_a_day_is_published_on_time_and_again_when_the_next_file_brings_rows_of_it(
    supplier: Supplier, days: tuple[date, date]
) -> None:
    supplier.deliver("calls_20240307.csv", "1,2024-03-07 00:30:00", "2,2024-03-07 23:30:00")
    (first,) = supplier.run("first", THURSDAY)
    assert supplier.published() == [(str(THURSDAY), 2)]

    assert supplier.daily(FRIDAY) == [FRIDAY, THURSDAY]
    works = [supplier.work(day, "daily") for day in days]
    over_days(steps.extract_tables, works, is_last_try=True)
    with pytest.raises(NotYet, match=r"2 of 2 days wait; the first: .*calls_20240308\.csv is not there"):
        extract_as_of(works, THURSDAY)

    late, twice = "3,2024-03-07 23:59:59", "2,2024-03-07 23:30:00"
    supplier.deliver("calls_20240308.csv", "4,2024-03-08 00:00:00", late, twice, "5,2024-03-06 12:00:00")
    done = {work.day: work for work in supplier.run("daily", *days)}
    friday, thursday = done[FRIDAY], done[THURSDAY]
    assert supplier.published() == [(str(THURSDAY), 3), (str(FRIDAY), 1)]
    assert supplier.clean(thursday) == Rows(
        read=6,
        kept=3,
        refused={"other_day": 1},
        dropped={"other_day": 1, "twin": 1},
        by_file={"calls_20240307.csv": 2, "calls_20240308.csv": 1},
    )
    assert supplier.clean(friday).dropped == {"other_day": 2}
    assert supplier.clean(friday).refused == {"other_day": 1}
    assert supplier.clean(first).by_file == {"calls_20240307.csv": 2}
    assert set(supplier.planned(THURSDAY, FRIDAY).values()) == {"nothing changed"}

    supplier.deliver("calls_20240308.csv", "4,2024-03-08 00:00:00", late)
    changed = "input changed: file calls, part 1"
    assert supplier.planned(THURSDAY, FRIDAY) == {THURSDAY: f"{changed} of 1 day later", FRIDAY: changed}


def extract_as_of(works: list[DayRun], day: date) -> None:
    """Look for the files of a run's days on the morning after a day, before any cut-off."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("daybook.ftp.ready.cut_off", lambda *_: datetime.now(UTC) + timedelta(hours=1))
        over_days(steps.extract_files, works, is_last_try=True)


@pytest.mark.parametrize("supplier", ["tickets"], indirect=True)
def test_later_files_are_those_of_the_schedules_days_with_wildcards_too(supplier: Supplier) -> None:
    for branch in "ab":
        supplier.deliver(f"tickets_{branch}_20240308.csv", f"{branch}1,{FRIDAY}")
        supplier.deliver(f"tickets_{branch}_20240311.csv", f"{branch}2,{MONDAY}", f"{branch}3,{FRIDAY}")
    supplier.deliver("tickets_a_20240312.csv", f"a4,{TUESDAY}", f"a5,{FRIDAY}", f"a6,{SUNDAY}")
    (friday,) = supplier.run("backfill", FRIDAY)
    names = [f"tickets_{branch}_2024{day}.csv" for day in ("0308", "0311", "0312") for branch in "ab"]
    assert supplier.clean(friday).by_file == dict.fromkeys(names[:4], 1), "one branch of Tuesday is missing"

    supplier.deliver("tickets_b_20240312.csv", f"b4,{TUESDAY}")
    assert supplier.daily(TUESDAY) == [TUESDAY, MONDAY, FRIDAY], "Monday was missed, and Friday may have late rows"
    tuesday, monday, friday = supplier.run("daily", TUESDAY, MONDAY, FRIDAY)
    assert supplier.clean(friday).by_file == dict.fromkeys(names[:5], 1) | {names[5]: 0}
    assert supplier.clean(friday).refused == {"other_day": 1}, "no file's day was a Sunday"
    assert supplier.published() == [(str(FRIDAY), 5), (str(MONDAY), 2), (str(TUESDAY), 2)]
    assert supplier.clean(monday).dropped == supplier.clean(tuesday).dropped | {"other_day": 5}
