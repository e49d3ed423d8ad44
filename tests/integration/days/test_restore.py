"""Copies in which the warehouse and the published folder do not agree: after the restore they show the same."""

import json
import shutil
import tarfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from daybook.storage.folder import Folder
from deployment.backup import back_up
from deployment.environment import connections, data_url
from deployment.home import Home, Lock
from deployment.servers.flights import fill_tables
from deployment.servers.postgres import LocalPostgres
from tests.support.servers import Servers

from .conftest import Days

ONE, TWO, THREE = ("2013-01-01", "2013-01-02", "2013-01-03")


@pytest.fixture(autouse=True)
def _the_ledger_is_the_tests_own(servers: Servers) -> None:
    """Check that no earlier test left days in the ledger: a restore brings those of every pipeline into line."""
    with servers.connect_postgres("warehouse") as connection:
        if connection.execute("select to_regclass('daybook.published')").fetchone() != (None,):
            left = connection.execute("select distinct pipeline from daybook.published").fetchall()
            assert left == [], "left by an earlier test, whose fixture does not call drop_pipeline"


def copied(days: Days, folder: Path) -> Path:
    """Return a copy of the deployment as it is now."""
    lock = Lock(days.servers.postgres.home)
    assert lock.try_to_take("the tests' server, which goes on")
    try:
        back_up(days.servers.postgres.home, Folder(days.servers.data), folder)
    finally:
        lock.release()
    # A copy in a checkout is nothing to commit.
    assert (folder / ".gitignore").read_text().endswith("\n*\n")
    return folder


def mixed(folder: Path, *, warehouse: Path, data: Path) -> Path:
    """Return a copy with the warehouse of one copy and the data folder of another."""
    folder.mkdir()
    for name, source in (("warehouse.dump", warehouse), ("airflow.dump", warehouse), ("data.tar", data)):
        shutil.copy2(source / name, folder / name)
    return folder


def shorter(days: Days, day: str) -> None:
    """Take the last flight out of a day's file."""
    lines = days.file(day).read_bytes().splitlines(keepends=True)
    days.file(day).write_bytes(b"".join(lines[:-1]))


def an_older_warehouse_with_a_newer_folder(days: Days, folder: Path) -> Path:
    days.run(ONE)
    before = copied(days, folder / "before")
    shorter(days, ONE)
    days.run(ONE)
    days.run(TWO)
    return mixed(folder / "copy", warehouse=before, data=copied(days, folder / "after"))


def a_newer_warehouse_with_an_older_folder(days: Days, folder: Path) -> Path:
    days.run(ONE)
    before = copied(days, folder / "before")
    shorter(days, ONE)
    days.run(ONE)
    days.run(TWO)
    return mixed(folder / "copy", warehouse=copied(days, folder / "after"), data=before)


def missing_files_of_a_published_run(days: Days, folder: Path) -> Path:
    days.run(ONE)
    days.run(TWO)
    for name in ("by_day.parquet", "by_airline.csv", "report.html"):
        (published(days) / ONE / name).unlink()
    return copied(days, folder / "copy")


def changed_files_of_a_published_run(days: Days, folder: Path) -> Path:
    days.run(ONE)
    days.run(TWO)
    (published(days) / ONE / "by_day.csv").write_text("flights\n1\n")
    return copied(days, folder / "copy")


def a_link_to_a_run_that_is_not_there(days: Days, folder: Path) -> Path:
    days.run(ONE)
    days.run(TWO)
    shutil.rmtree((published(days) / ONE).resolve())
    return copied(days, folder / "copy")


def links_that_became_folders(days: Days, folder: Path) -> Path:
    days.run(ONE)
    shutil.copytree(published(days) / ONE, published(days) / "copy")
    (published(days) / ONE).unlink()
    (published(days) / "copy").rename(published(days) / ONE)
    return copied(days, folder / "copy")


def a_copy_of_a_deployment_at_rest(days: Days, folder: Path) -> Path:
    days.run(ONE)
    days.run(TWO)
    return copied(days, folder / "copy")


def a_warehouse_from_before_the_first_day(days: Days, folder: Path) -> Path:
    before = copied(days, folder / "before")
    days.run(ONE)
    return mixed(folder / "copy", warehouse=before, data=copied(days, folder / "after"))


SITUATIONS = [
    an_older_warehouse_with_a_newer_folder,
    a_newer_warehouse_with_an_older_folder,
    missing_files_of_a_published_run,
    changed_files_of_a_published_run,
    a_link_to_a_run_that_is_not_there,
    links_that_became_folders,
    a_copy_of_a_deployment_at_rest,
    a_warehouse_from_before_the_first_day,
]


@pytest.fixture
def restored(days: Days, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Path], Days]]:
    """Restores a copy by the command into a new home, and gives the days there; the command line looks there."""
    home, data = Home(tmp_path / "elsewhere"), tmp_path / "elsewhere data"
    server = LocalPostgres(home)

    def restore(copy: Path) -> Days:
        monkeypatch.setenv("DAYBOOK_HOME", str(home.path))
        monkeypatch.setenv("DAYBOOK_DATA", data_url(data))
        assert days.command_alone("restore", str(copy))[0] == 0
        server.start()
        fill_tables(server.dsn("source", "source_owner"))
        for variable, value in connections(server, days.servers.ftp).items():
            monkeypatch.setenv(variable, value)
        return replace(days, servers=replace(days.servers, postgres=server, data=data))

    yield restore
    server.remove()


def published(days: Days) -> Path:
    """Return the pipeline's published folder."""
    return days.servers.data / "published" / days.pipeline.name


def in_warehouse(days: Days) -> dict[str, tuple[int, int]]:
    """Return the flights of each day that readers of the warehouse see, and the run's number."""
    query = (
        f"select p.day::text, flights, run_id from daybook.published p join {days.pipeline.name}.by_day d "
        f"on d.day = p.day where pipeline = '{days.pipeline.name}'"
    )
    rows = days.servers.rows(query, role="warehouse_owner")
    return {day: (flights, run_id) for day, flights, run_id in rows}


def in_folder(days: Days) -> dict[str, tuple[int, int]]:
    """Return the flights of each day that readers of the folder see, and the run's number."""
    links = sorted(path for path in published(days).glob("2*"))
    assert all(link.is_symlink() for link in links)
    tables = {link: pq.read_table(link / "by_day.parquet")["flights"].to_pylist() for link in links}
    return {link.name: (tables[link][0], int(link.readlink().name)) for link in links}


def numbers(folder: Path) -> set[int]:
    """Return the run numbers that a data folder shows, in published files, links and receipts."""
    links = {int(link.readlink().name) for link in folder.glob("published/*/2*") if link.is_symlink()}
    files = {int(path.name) for path in folder.glob("published/*/.runs/*/*")}
    receipts = {json.loads(path.read_text())["run_id"] for path in folder.glob("days/*/*/*/save/receipt.json")}
    return links | files | receipts


def wrong(days: Days) -> list[str]:
    """Return what the doctor says of the published folder, if it is not that all is well."""
    findings = json.loads(days.command_alone("doctor", "--json")[1])["findings"]
    return [one["found"] for one in findings if one["check"] == "published" and one["state"] != "well"]


@pytest.mark.parametrize("situation", SITUATIONS)
def test_G24_after_a_restore_warehouse_and_folder_show_the_same_and_the_next_day_is_published(
    days: Days, tmp_path: Path, restored: Callable[[Path], Days], situation: Callable[[Days, Path], Path]
) -> None:
    copy = situation(days, tmp_path)
    with tarfile.open(copy / "data.tar") as tar:
        tar.extraction_filter = tarfile.data_filter
        tar.extractall(tmp_path / "unpacked")  # noqa: S202 - our own copy
    elsewhere = restored(copy)
    if situation is not a_warehouse_from_before_the_first_day:
        assert in_warehouse(elsewhere).keys() >= {ONE}
        assert in_folder(elsewhere) == in_warehouse(elsewhere)
    assert wrong(elsewhere) == []
    highest = max(numbers(tmp_path / "unpacked"), default=0)
    run = elsewhere.run(THREE)
    assert run.receipt("save").saved_as > highest
    assert THREE in in_folder(elsewhere)
    assert in_folder(elsewhere) == in_warehouse(elsewhere)
    assert wrong(elsewhere) == []


def test_G24_nothing_that_the_folder_showed_is_lost(
    days: Days, tmp_path: Path, restored: Callable[[Path], Days]
) -> None:
    copy = an_older_warehouse_with_a_newer_folder(days, tmp_path)
    before = {path.name: path.resolve() for path in published(days).glob("2*")}
    elsewhere = restored(copy)
    aside = elsewhere.servers.data / "set_aside" / days.pipeline.name
    for day, folder in before.items():
        kept = aside / day / folder.name / "by_day.csv"
        assert kept.read_bytes() == (folder / "by_day.csv").read_bytes()


def test_a_restore_without_a_folder_brings_what_was_restored_apart_together(days: Days) -> None:
    days.run(ONE)
    days.run(TWO)
    (published(days) / ONE).unlink()
    (published(days) / TWO / "by_day.parquet").unlink()
    (published(days) / THREE).symlink_to(f".runs/{THREE}/7")
    code, said = days.command_alone("restore")
    assert code == 0
    assert f"{days.pipeline.name} {THREE}: not published in the warehouse; its link to .runs/{THREE}/7 is gone" in said
    assert in_folder(days) == in_warehouse(days)
    assert days.command_alone("restore") == (0, "The published folder shows what the warehouse shows.\n")


def test_a_file_that_is_written_again_by_another_spec_is_right_too(days: Days) -> None:
    days.run(ONE)
    first, *others = days.pipeline.summaries
    days.change(summaries=(first.model_copy(update={"columns": first.columns[:1]}), *others))
    (published(days) / ONE / f"{first.name}.parquet").unlink()
    assert wrong(days) != []
    assert days.command_alone("restore")[0] == 0
    assert wrong(days) == []
    assert pq.read_table(published(days) / ONE / f"{first.name}.parquet").column_names[-1] == first.columns[0]


def test_a_restore_with_a_warehouse_that_knows_no_day_changes_nothing(
    days: Days, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    days.run(ONE)
    seen = in_folder(days)
    other = days.servers.postgres.dsn("source", "source_owner")
    monkeypatch.setenv("DAYBOOK_WAREHOUSE", other)
    code, said = days.command_alone("restore")
    assert code == 40
    assert "knows no published day" in said
    assert in_folder(days) == seen


def test_a_run_never_takes_a_number_that_the_folder_has_files_of(days: Days) -> None:
    days.run(ONE)
    (number,) = (int(path.name) for path in published(days).glob(f".runs/{ONE}/*"))
    theirs = published(days) / ".runs" / TWO / str(number + 3)
    theirs.mkdir(parents=True)
    (theirs / "by_day.csv").write_text("of another run")
    assert days.run(TWO, until="save").receipt("save").saved_as > number + 3
    assert (theirs / "by_day.csv").read_text() == "of another run"


def test_G24_a_copy_beside_a_backfill_is_whole_and_restores_into_one_truth(
    days: Days, tmp_path: Path, restored: Callable[[Path], Days]
) -> None:
    is_over, errors = threading.Event(), list[BaseException]()

    def backfill() -> None:
        try:
            while not is_over.is_set():
                for day in (ONE, TWO, THREE):
                    days.run(day, is_forced=True)
        except BaseException as error:
            errors.append(error)

    days.run(ONE)
    worker = threading.Thread(target=backfill)
    worker.start()
    try:
        copies = [copied(days, tmp_path / f"copy {number}") for number in range(5)]
    finally:
        is_over.set()
        worker.join()
    assert not errors
    elsewhere = restored(copies[-1])
    assert in_folder(elsewhere) == in_warehouse(elsewhere)
    assert ONE in in_folder(elsewhere)
