"""`./daybook doctor` on the servers behind a pipeline: each fault is made to happen, and named with its mend."""

import json
import os
import re
import shutil
import sys
import time
import zoneinfo
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from commands.__main__ import main
from commands.checks import clocks
from daybook import libraries
from daybook.days import last_finished_day
from daybook.pipelines import load_pipelines
from daybook.spec import Lookup, Schedule, Table, text
from deployment.environment import connections
from deployment.home import Home
from deployment.processes.components import Component
from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres
from tests.support.sales import file_of, sales
from tests.support.warehouse import drop_pipeline

NAME, ZONE = "kiosks", "America/Santiago"
SHOPS = Table(
    name="shops",
    connection="source_db",
    relation="public.kiosk_shops",
    columns=(text("shop"), text("city")),
    key=("shop",),
)
CITY = Lookup(source="shops", key="shop", gives={"city": "city"}, when_unknown="keep")


@dataclass
class Kiosks:
    """A pipeline whose last day is yesterday, its servers, and what the doctor finds."""

    postgres: LocalPostgres
    files: Path
    data: Path
    yesterday: date
    capture: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    def source(self, statement: str) -> None:
        """Do something as the owner of the source."""
        with psycopg.connect(self.postgres.dsn("source", "source_owner")) as connection:
            connection.execute(statement.encode())

    def warehouse(self, statement: str) -> None:
        """Do something as the warehouse's superuser."""
        with psycopg.connect(self.postgres.dsn("warehouse")) as connection:
            connection.execute(statement.encode())

    def file(self, days_before: int = 0) -> Path:
        """Return the place of the file of yesterday, or of a day before it."""
        return self.files / f"{self.yesterday - timedelta(days=days_before)}.csv"

    def doctor(self) -> dict[str, list[str]]:
        """Return what is to be mended, each with its mend, by check."""
        self.capture.readouterr()
        code = main(["doctor", "--json"])
        answer = json.loads(self.capture.readouterr().out)
        assert code == (0 if answer["is_well"] else 1)
        found: dict[str, list[str]] = {}
        for one in answer["findings"]:
            if one["state"] == "mend":
                assert one["mend"]
                found.setdefault(one["check"], []).append(f"{one['found']}; {one['mend']}")
        return found


@pytest.fixture
def kiosks(
    postgres: LocalPostgres,
    ftp_server: LocalFtp,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Iterator[Kiosks]:
    """The pipeline with all that it needs: nothing is wrong but for Airflow, which is not there."""
    yesterday = last_finished_day(ZONE, datetime.now(UTC))
    schedule = Schedule(time_zone=ZONE, start=yesterday - timedelta(days=3))
    pipeline = sales(NAME, schedule, tables=(SHOPS,), lookups=(CITY,))
    for name in list(load_pipelines().good):
        monkeypatch.delitem(load_pipelines().good, name)
    monkeypatch.setitem(load_pipelines().good, NAME, pipeline)
    for variable, value in connections(postgres, ftp_server).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("DAYBOOK_DATA", (tmp_path / "data").as_uri())
    kiosks = Kiosks(postgres, ftp_server.root / NAME, tmp_path / "data", yesterday, capsys, monkeypatch)
    kiosks.files.mkdir()
    kiosks.file().write_text(file_of(yesterday, 5))
    kiosks.source("create table kiosk_shops (shop text, city text); grant select on kiosk_shops to source_reader")
    yield kiosks
    kiosks.source("drop table if exists kiosk_shops cascade")
    shutil.rmtree(kiosks.files)
    kiosks.warehouse("grant create on database warehouse to warehouse_owner")
    with psycopg.connect(postgres.dsn("warehouse")) as connection:
        drop_pipeline(connection, NAME)


Fault = Callable[[Kiosks], tuple[str, str]]


def a_column_of_another_type(kiosks: Kiosks) -> tuple[str, str]:
    kiosks.source("alter table kiosk_shops alter city type integer using 1")
    return "contract", r"kiosks\.shops: public\.kiosk_shops\.city is integer, text agreed .*module of kiosks"


def a_table_that_is_gone(kiosks: Kiosks) -> tuple[str, str]:
    kiosks.source("drop table kiosk_shops")
    return "contract", "kiosk_shops is not there, or not ours to see"


def a_column_that_may_not_be_read(kiosks: Kiosks) -> tuple[str, str]:
    kiosks.source("revoke all on kiosk_shops from source_reader; grant select (shop) on kiosk_shops to source_reader")
    return "contract", "permission denied for table kiosk_shops"


def rows_that_a_policy_hides(kiosks: Kiosks) -> tuple[str, str]:
    kiosks.source("alter table kiosk_shops enable row level security")
    return "contract", "row level security hides rows from this role"


def a_role_that_may_create_no_schema(kiosks: Kiosks) -> tuple[str, str]:
    kiosks.warehouse("revoke create on database warehouse from warehouse_owner")
    return "rights", r"warehouse_owner may not create the schema .*kiosks.*; no day can be published; .*GRANT CREATE"


def a_table_of_somebody_else(kiosks: Kiosks) -> tuple[str, str]:
    kiosks.warehouse(
        "create schema kiosks; grant all on schema kiosks to warehouse_owner; create table kiosks.by_day (day date)"
    )
    return "rights", r"kiosks\.by_day belongs to postgres, whose rights warehouse_owner has not"


def a_folder_without_a_file(kiosks: Kiosks) -> tuple[str, str]:
    kiosks.file().unlink()
    return "files", r"kiosks\.sales: ftp, kiosks: no file is listed; mend the path in the spec"


def a_file_that_does_not_fit(kiosks: Kiosks) -> tuple[str, str]:
    kiosks.file().write_text(file_of(kiosks.yesterday, 5).replace(",2\n", ",two\n"))
    return "sample", rf"the file of {kiosks.yesterday}: 5 of 5 rows are refused: .*daybook check FILE --pipeline kiosks"


def a_file_of_another_day(kiosks: Kiosks) -> tuple[str, str]:
    kiosks.file().write_text(file_of(kiosks.yesterday - timedelta(days=40), 5))
    return (
        "sample",
        r"5 of 5 rows are refused, more than half \(clean: other_day 5\); `./daybook check FILE --pipeline kiosks",
    )


def a_file_that_lost_a_column(kiosks: Kiosks) -> tuple[str, str]:
    kiosks.file().write_text(file_of(kiosks.yesterday, 5).replace("pieces", "items"))
    return "sample", r"missing column 'pieces'"


def a_file_of_the_future(kiosks: Kiosks) -> tuple[str, str]:
    ahead = time.time() + 7200
    os.utime(kiosks.file(), (ahead, ahead))
    return "clocks", rf"ftp: kiosks/{kiosks.yesterday}\.csv was changed at .* UTC, and it is .*NTP"


def a_clock_that_is_behind(kiosks: Kiosks) -> tuple[str, str]:
    kiosks.monkeypatch.setattr(clocks, "now", lambda: datetime.now(UTC) - timedelta(seconds=60))
    return "clocks", r"source_db: its clock is \d+ s ahead of this machine's.*NTP"


def zones_that_are_out_of_date(kiosks: Kiosks) -> tuple[str, str]:
    folder = kiosks.data.parent / "zones"
    (folder / "America").mkdir(parents=True)
    with (folder / ZONE).open("wb") as file:
        file.write((Path(zoneinfo.TZPATH[0]) / "Asia/Tokyo").read_bytes())
    zoneinfo.reset_tzpath([folder])
    zoneinfo.ZoneInfo.clear_cache()
    return "clocks", rf"in {ZONE} its server has another time than this machine from .*tzdata"


def an_abandoned_run(kiosks: Kiosks) -> tuple[str, str]:
    run = kiosks.data / "days" / NAME / str(kiosks.yesterday) / "run_9"
    (run / "load").mkdir(parents=True)
    (run / "load" / "sales.parquet").write_bytes(b"x")
    long_ago = time.time() - 30 * 86_400
    os.utime(run / "load" / "sales.parquet", (long_ago, long_ago))
    return "orphans", rf"{run}: files of a run that the ledger does not know; `./daybook tidy` removes it"


def a_half_written_file(kiosks: Kiosks) -> tuple[str, str]:
    folder = kiosks.data / "published" / NAME
    folder.mkdir(parents=True)
    (folder / ".x.csv.1.abcd.tmp").write_text("half")
    os.utime(folder / ".x.csv.1.abcd.tmp", (1, 1))
    return "orphans", r"\.x\.csv\.1\.abcd\.tmp: half written by a process that is dead"


def a_folder_of_an_unknown_pipeline(kiosks: Kiosks) -> tuple[str, str]:
    (kiosks.data / "days" / "tides" / "2026-01-01").mkdir(parents=True)
    return "orphans", r"days/tides: no module and no ledger knows a pipeline 'tides'; remove it, or bring"


@pytest.fixture
def _zones_again() -> Iterator[None]:
    yield
    zoneinfo.reset_tzpath()
    zoneinfo.ZoneInfo.clear_cache()


# Together only such as do not touch the same thing: one answer has to name them all.
FAULTS: dict[str, tuple[Fault, ...]] = {
    "one": (
        a_column_of_another_type,
        a_role_that_may_create_no_schema,
        a_file_that_does_not_fit,
        a_file_of_the_future,
        an_abandoned_run,
    ),
    "two": (
        a_column_that_may_not_be_read,
        a_table_of_somebody_else,
        a_file_that_lost_a_column,
        zones_that_are_out_of_date,
        a_half_written_file,
    ),
    "three": (
        rows_that_a_policy_hides,
        a_folder_without_a_file,
        a_clock_that_is_behind,
        a_folder_of_an_unknown_pipeline,
    ),
    "four": (a_table_that_is_gone, a_file_of_another_day),
}


@pytest.mark.usefixtures("_zones_again")
@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_each_fault_of_a_server_or_a_folder_is_named_with_its_mend(kiosks: Kiosks, faults: tuple[Fault, ...]) -> None:
    made = [fault(kiosks) for fault in faults]
    found = kiosks.doctor()
    for check, words in made:
        assert re.search(words, "\n".join(found.get(check, []))), (words, found)
    folder_is_empty = {"files"} if a_folder_without_a_file in faults else set()
    assert found.keys() - folder_is_empty == {check for check, _ in made} - folder_is_empty


def test_servers_that_are_well_need_no_mend(kiosks: Kiosks) -> None:
    assert kiosks.doctor() == {}


def test_a_file_that_is_not_there_yet_is_well_and_the_newest_one_is_tried(kiosks: Kiosks) -> None:
    kiosks.file().rename(kiosks.file(days_before=2))
    kiosks.file(days_before=2).write_text(file_of(kiosks.yesterday - timedelta(days=2), 5).replace("2\n", "?\n"))
    cut_off = datetime.combine(kiosks.yesterday + timedelta(days=1), datetime.min.time(), zoneinfo.ZoneInfo(ZONE))
    kiosks.monkeypatch.setattr(clocks, "now", lambda: (cut_off + timedelta(hours=11)).astimezone(UTC))
    before = kiosks.doctor()
    assert "files" not in before
    assert f"the file of {kiosks.yesterday - timedelta(days=2)}: 5 of 5 rows are refused" in before["sample"][0]
    kiosks.monkeypatch.setattr(clocks, "now", lambda: (cut_off + timedelta(hours=13)).astimezone(UTC))
    (late,) = kiosks.doctor()["files"]
    assert f"{kiosks.yesterday}.csv, is not there, and its cut-off was" in late
    assert f"the newest is of {kiosks.yesterday - timedelta(days=2)}; ask the sender" in late


def test_a_process_that_a_killed_run_left_is_named(
    kiosks: Kiosks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
        monkeypatch.delenv(name)
    home = Home(tmp_path / "home")
    home.make()
    monkeypatch.setenv("DAYBOOK_HOME", str(home.path))
    left = Component(home, "scheduler", [sys.executable, "-c", "import time; time.sleep(60)"], {})
    try:
        (found,) = kiosks.doctor()["orphans"]
    finally:
        left.process.kill()
        left.process.wait()
    assert found == (
        f"scheduler of {home.path} still runs, and the command that started it does not; `./daybook down` stops it"
    )


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("20260105063000", datetime(2026, 1, 5, 6, 30, tzinfo=UTC)),
        ("20260105063000.123", datetime(2026, 1, 5, 6, 30, tzinfo=UTC)),
        ("1767594600", datetime(2026, 1, 5, 6, 30, tzinfo=UTC)),
        ("1767594600000000000", datetime(2026, 1, 5, 6, 30, tzinfo=UTC)),
        ("Mon, 05 Jan 2026 06:30:00 GMT", datetime(2026, 1, 5, 6, 30, tzinfo=UTC)),
        ("Jan  5 06:30", None),
        ("", None),
    ],
)
def test_the_times_of_each_kind_of_server_are_understood(written: str, instant: datetime | None) -> None:
    assert clocks.moment_of(written) == instant


def test_a_library_that_cannot_be_loaded_is_named(kiosks: Kiosks, tmp_path: Path) -> None:
    (tmp_path / "torn_library.py").write_text("raise ImportError('it is torn')\n")
    kiosks.monkeypatch.syspath_prepend(tmp_path)
    kiosks.monkeypatch.setattr(libraries, "NEEDED", ("torn_library",))
    (found,) = kiosks.doctor()["libraries"]
    assert "the library torn_library cannot be loaded" in found
