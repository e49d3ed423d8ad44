"""Files that are not delivered for every day: which one a day reads instead, and days whose facts have no file."""

import zlib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest

from daybook.ledger.receipt import Rows
from daybook.planning.observe import observe
from daybook.planning.plan import plan
from daybook.run.day_run import DayRun
from daybook.spec import (
    File,
    Lookup,
    Measure,
    Pipeline,
    Plausible,
    Schedule,
    Summary,
    Target,
    day_date,
    integer,
    text,
)
from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres
from tests.support.servers import Servers, run_steps
from tests.support.warehouse import drop_pipeline

FRIDAY, SATURDAY, SUNDAY, MONDAY = (date(2024, 3, day) for day in (8, 9, 10, 11))
SALES = File(
    name="sales",
    connection="ftp",
    path="sales_{day:%Y%m%d}.csv",
    is_written_whole=True,
    on="mon-sat",
    columns=(day_date("day"), text("store"), integer("n_sold")),
)
STORES = File(
    name="stores",
    connection="ftp",
    path="stores_{day:%Y%m%d}_*.csv",
    pick="only",
    is_written_whole=True,
    on="mon-fri",
    columns=(text("store"), text("region")),
    key=("store",),
)


@pytest.fixture
def pipeline(request: pytest.FixtureRequest, postgres: LocalPostgres) -> Iterator[Pipeline]:
    """The pipeline under a name and in a folder of the test's own."""
    name = f"w{zlib.crc32(request.node.nodeid.encode())}"
    files = (file.model_copy(update={"path": f"{name}/{file.path}"}) for file in (SALES, STORES))
    yield Pipeline(
        name=name,
        description="Sales by region",
        files=tuple(files),
        facts="sales",
        day_columns=("day",),
        lookups=(Lookup(source="stores", key="store", gives={"region": "region"}, when_unknown="refuse"),),
        measures=(Measure(name="sold", how="sum", of="n_sold"),),
        summaries=(Summary(name="by_region", by=("region",), columns=("sold",)),),
        plausible=Plausible(min_rows=0, within_pct=None),
        target=Target(schema=name),
        schedule=Schedule(start=FRIDAY, time_zone="Asia/Tokyo"),
    )
    with psycopg.connect(postgres.dsn("warehouse", "warehouse_owner")) as connection:
        drop_pipeline(connection, name)


def test_a_day_without_a_file_takes_the_last_lookup_and_has_no_facts(
    pipeline: Pipeline, postgres: LocalPostgres, ftp_server: LocalFtp, tmp_path: Path
) -> None:
    servers = Servers(postgres, ftp_server, tmp_path / "data")
    folder = ftp_server.root / pipeline.name
    folder.mkdir()
    for day in (FRIDAY, SATURDAY, MONDAY):
        (folder / f"sales_{day:%Y%m%d}.csv").write_text(f"day,store,n_sold\n{day},A,{day.day}\n")
    for day, region in ((FRIDAY, "north"), (MONDAY, "south")):
        (folder / f"stores_{day:%Y%m%d}_x.csv").write_text(f"store,region\nA,{region}\n")
    done = [run_steps(work(servers, pipeline, day), servers) for day in (SATURDAY, SUNDAY, MONDAY)]

    assert servers.rows(f"select day, region, sold from {pipeline.name}.by_region order by day") == [
        (SATURDAY, "north", 9),
        (MONDAY, "south", 11),
    ]
    origins = [one.receipt("extract_files").origins for one in done]
    assert [one["stores"].place.rpartition("/")[2] for one in origins] == [
        *["stores_20240308_x.csv"] * 2,
        "stores_20240311_x.csv",
    ]
    assert origins[1]["sales"].place == "no file is due for the day"
    assert done[1].receipt("load").rows["sales"] == Rows(
        read=0, kept=0, lines=done[1].receipt("load").rows["sales"].lines
    )
    assert done[1].receipt("deploy").outcome == "published"
    days = [SATURDAY, SUNDAY, MONDAY]
    seen = observe(pipeline, days, servers.connect_postgres, servers.connect_ftp, done[0].data)
    assert {one.reason for one in plan(pipeline, seen.standings, seen.tables)} == {"nothing changed"}


def work(servers: Servers, pipeline: Pipeline, day: date) -> DayRun:
    """Return the first run of a day."""
    return servers.work(pipeline, str(day), "first")
