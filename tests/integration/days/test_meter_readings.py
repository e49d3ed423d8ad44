"""Meter readings in local time over both changes of the clock, with decimal commas, through all nine steps.

The numbers are checked by plain Python: zoneinfo for the instants, Decimal for the sums.
"""

import csv
import zlib
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import psycopg
import pytest

from daybook.run.day_run import DayRun
from daybook.spec import Engine, File, Measure, Pipeline, Schedule, Summary, Target, decimal, text, timestamp
from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres
from tests.support.servers import Servers, published_files, run_steps
from tests.support.warehouse import drop_pipeline

ZONE = ZoneInfo("Europe/Madrid")
QUARTER = timedelta(minutes=15)
READINGS = File(
    name="readings",
    connection="ftp",
    path="readings_{day:%Y%m%d}.csv",
    is_written_whole=True,
    delimiter=";",
    decimal_mark=",",
    thousands_mark=".",
    time_zone="Europe/Madrid",
    repeated_hour="second",
    skipped_hour="shift",
    columns=(
        text("meter"),
        timestamp("read at", "read_at", format="%-d/%-m/%Y %-H:%M", hour_24="next_day"),
        decimal("kWh", "energy_kwh", digits=12, scale=3, negatives=("trailing",)),
    ),
)


class Reading(NamedTuple):
    """A reading: the meter, its wall clock, the instant that is meant, and what it read."""

    meter: str
    local: datetime
    instant: datetime
    kwh: Decimal


def readings(day: date) -> list[Reading]:
    """Return the readings of a local day, and of the quarters of an hour on both sides of it.

    The good meter reads each quarter of an hour once, and in the hour that comes twice only the second time. The other
    meter does not know that the clock changes, and reads what its own clock shows.
    """
    start, end = (datetime.combine(day + timedelta(days=n), time(), ZONE).astimezone(UTC) for n in (0, 1))
    instants = [start + n * QUARTER for n in range(-1, (end - start) // QUARTER + 1)]
    locals_ = [instant.astimezone(ZONE).replace(tzinfo=None) for instant in instants]
    last_of = dict(zip(locals_, instants, strict=True))
    good = [Reading("good", local, instant, _kwh(local)) for local, instant in last_of.items()]
    midnight = datetime.combine(day, time())
    other = [midnight + n * QUARTER for n in range(96)]
    # PEP 495: fold=1 is the second of two; a time that is left out has the offset before the change with fold=0.
    return good + [Reading("other", local, _instant(local), _kwh(local)) for local in other]


def _instant(local: datetime) -> datetime:
    first, second = (local.replace(tzinfo=ZONE, fold=fold) for fold in (0, 1))
    is_repeated = (first.utcoffset() or timedelta()) > (second.utcoffset() or timedelta())
    return (second if is_repeated else first).astimezone(UTC)


def _kwh(local: datetime) -> Decimal:
    kwh = Decimal(local.day * 1_000_000 + local.hour * 10_000 + local.minute * 7) / 1000
    return -kwh if local.minute == 45 else kwh


def _line(reading: Reading) -> str:
    kwh = f"{abs(reading.kwh):,.3f}".translate(str.maketrans(",.", ".,")) + ("-" if reading.kwh < 0 else "")
    local = reading.local
    if local.time() == time(0) and reading.meter == "good":
        before = local - timedelta(days=1)
        return f"{reading.meter};{before.day}/{before.month}/{before.year} 24:00;{kwh}"
    return f"{reading.meter};{local.day}/{local.month}/{local.year} {local.hour}:{local.minute:02d};{kwh}"


@pytest.fixture
def pipeline(request: pytest.FixtureRequest, postgres: LocalPostgres) -> Iterator[Pipeline]:
    """The pipeline under a name and in a folder of the test's own."""
    name = f"m{zlib.crc32(request.node.nodeid.encode())}"
    yield Pipeline(
        name=name,
        description="Energy by meter and by instant",
        files=(READINGS.model_copy(update={"path": f"{name}/{READINGS.path}"}),),
        facts="readings",
        day_columns=("read_at",),
        measures=(Measure(name="readings", how="count"), Measure(name="energy_kwh", how="sum", of="energy_kwh")),
        summaries=(
            Summary(name="by_meter", by=("meter",), columns=("readings", "energy_kwh")),
            Summary(name="by_instant", by=("read_at",), columns=("readings", "energy_kwh")),
        ),
        target=Target(schema=name),
        schedule=Schedule(start=date(2024, 1, 1), time_zone="Europe/Madrid"),
    )
    with psycopg.connect(postgres.dsn("warehouse", "warehouse_owner")) as connection:
        drop_pipeline(connection, name)


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb"])
@pytest.mark.parametrize(("day", "quarters"), [(date(2024, 3, 31), 92), (date(2024, 10, 27), 96)])
def test_a_day_on_which_the_clock_changes_has_the_energy_of_its_instants(
    pipeline: Pipeline,
    postgres: LocalPostgres,
    ftp_server: LocalFtp,
    tmp_path: Path,
    engine: Engine,
    day: date,
    quarters: int,
) -> None:
    made = readings(day)
    file = ftp_server.root / pipeline.files[0].path_on(day)
    file.parent.mkdir(parents=True)
    file.write_text("meter;read at;kWh\n" + "".join(f"{_line(reading)}\n" for reading in made))
    servers = Servers(postgres, ftp_server, tmp_path / "data")
    done = run_steps(servers.work(pipeline.model_copy(update={"engine": engine}), str(day), "run_1"), servers)

    of_day = [reading for reading in made if reading.instant.astimezone(ZONE).date() == day]
    assert done.receipt("clean").rows["readings"].refused == {"other_day": len(made) - len(of_day)}
    assert len([reading for reading in of_day if reading.meter == "good"]) == quarters
    assert published(done, "by_meter", "meter") == expected(of_day, "meter")
    assert published(done, "by_instant", "read_at") == expected(of_day, "instant")


def expected(of_day: list[Reading], by: str) -> dict[str, tuple[int, Decimal]]:
    """Return the number of readings and their sum, by meter or by instant as the published file writes it."""
    groups: dict[str, list[Decimal]] = defaultdict(list)
    for reading in of_day:
        groups[reading.meter if by == "meter" else f"{reading.instant:%Y-%m-%d %H:%M:%S.%fZ}"].append(reading.kwh)
    return {group: (len(numbers), sum(numbers, Decimal(0))) for group, numbers in groups.items()}


def published(done: DayRun, summary: str, by: str) -> dict[str, tuple[int, Decimal]]:
    """Return a published summary as expected() returns it."""
    with (published_files(done) / f"{summary}.csv").open(newline="") as lines:
        return {row[by]: (int(row["readings"]), Decimal(row["energy_kwh"])) for row in csv.DictReader(lines)}
