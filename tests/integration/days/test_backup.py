"""A copy, and what is made from it elsewhere: readers see the same days, and nothing has to be done again."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from daybook.storage.folder import Folder
from deployment.backup import DATABASES, back_up, restore
from deployment.environment import connections, data_url
from deployment.errors import DeploymentError
from deployment.home import Home, Lock
from deployment.servers.flights import fill_tables
from deployment.servers.postgres import LocalPostgres

from .conftest import Days

DAYS = ("2013-01-01", "2013-01-02")


@pytest.fixture
def copy(days: Days, tmp_path: Path) -> Path:
    """A copy of a deployment with two days published, one of them twice."""
    for day in DAYS:
        days.run(day)
    lines = days.file(DAYS[0]).read_bytes().splitlines(keepends=True)
    days.file(DAYS[0]).write_bytes(b"".join(lines[:-1]))
    days.run(DAYS[0])
    lock = Lock(days.servers.postgres.home)
    assert lock.try_to_take("the tests' server, which goes on")
    try:
        back_up(days.servers.postgres.home, Folder(days.servers.data), tmp_path / "copy")
    finally:
        lock.release()
    return tmp_path / "copy"


@pytest.fixture
def elsewhere(copy: Path, days: Days, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Days]:
    """The days in a new home that was made from the copy; the command line looks there."""
    home, data = Home(tmp_path / "elsewhere"), tmp_path / "data elsewhere"
    restore(home, Folder(data), copy)
    server = LocalPostgres(home)
    server.start()
    fill_tables(server.dsn("source", "source_owner"))
    for variable, value in connections(server, days.servers.ftp).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.setenv("DAYBOOK_DATA", data_url(data))
    yield replace(days, servers=replace(days.servers, postgres=server, data=data))
    server.remove()


def test_G24_restored_elsewhere_the_days_are_read_skipped_traced_rolled_back_and_run(
    elsewhere: Days, days: Days
) -> None:
    seen = f"select * from {days.pipeline.name}.by_airline order by day, carrier"
    assert elsewhere.servers.rows(seen) == days.servers.rows(seen)
    assert len(elsewhere.servers.rows(seen)) > 20
    assert {elsewhere.planned()[day] for day in DAYS} == {"skip: nothing changed"}
    assert elsewhere.command("trace", DAYS[1], "by_origin", "flights", "origin=JFK")[0] == 0
    # The copies of lookups that the days keep came along.
    elsewhere.change(lookups=tuple(x.model_copy(update={"as_of": "day"}) for x in elsewhere.pipeline.lookups))
    work = elsewhere.run(DAYS[1])
    assert work.receipt("extract_tables").as_of == [f"{name} as of the run of run_2" for name in ("airlines", "planes")]
    assert work.receipt("deploy").outcome == "unchanged"
    assert work.receipt("load").reused_from
    assert elsewhere.command("rollback", DAYS[0], "--why", "a line was missing")[0] == 0
    count = f"select flights from {days.pipeline.name}.by_day where day = %s"
    assert elsewhere.servers.rows(count, DAYS[0])[0][0] == days.servers.rows(count, DAYS[0])[0][0] + 1


def test_G24_what_is_there_is_never_written_over(copy: Path, days: Days, tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match="is there already; nothing was copied"):
        back_up(days.servers.postgres.home, Folder(days.servers.data), copy)
    with pytest.raises(DeploymentError, match="is not empty; nothing was restored"):
        restore(Home(tmp_path / "other"), Folder(days.servers.data), copy)
    with pytest.raises(
        DeploymentError, match=r"warehouse.dump, airflow.dump, data.tar not there; nothing was restored"
    ):
        restore(Home(tmp_path / "other"), Folder(tmp_path / "new"), tmp_path)
    lock = Lock(days.servers.postgres.home)
    assert lock.try_to_take("the tests' server, which goes on")
    try:
        with pytest.raises(DeploymentError, match="has a database warehouse with tables; nothing was restored"):
            restore(days.servers.postgres.home, Folder(tmp_path / "new"), copy)
    finally:
        lock.release()
    assert not (tmp_path / "new").exists()


def test_G24_a_copy_is_for_its_owner_only_and_holds_no_password(copy: Path, days: Days) -> None:
    assert copy.stat().st_mode & 0o777 == 0o700
    assert sorted(file.name for file in copy.iterdir()) == sorted(
        [".gitignore", *map("{}.dump".format, DATABASES), "data.tar"]
    )
    for file in copy.iterdir():
        assert days.servers.postgres.secrets.warehouse_owner.encode() not in file.read_bytes()
