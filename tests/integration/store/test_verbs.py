"""What people ask of days whose folder is in an object store: the commands do there what they do on a disk."""

import json
from dataclasses import replace
from datetime import date
from itertools import repeat
from pathlib import Path

import pytest

from daybook.storage.copied import copy_folder
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder
from daybook_airflow.pages.answers import report_of_day, report_of_run
from deployment import data_file
from tests.integration.days.conftest import Days, days
from tests.integration.days.test_refused_and_replay import DAY, break_lines, mended, published
from tests.support.files import leave_receipt, publish
from tests.support.object_store import ObjectStore, Refusal

from .conftest import ADDRESS

__all__ = ["days"]


@pytest.fixture
def stored(days: Days, in_store: DataFolder, store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> Days:
    """The four days, whose data folder is in the store; the first was published without three broken rows."""
    monkeypatch.setenv("DAYBOOK_DATA", ADDRESS)
    monkeypatch.setenv("AIRFLOW_CONN_FILES", json.dumps(store.words))
    stored = replace(days, servers=replace(days.servers, at=in_store.root.path))
    break_lines(stored)
    stored.run(DAY)
    return stored


def is_well(stored: Days) -> list[dict[str, str]]:
    """Return what the doctor finds wrong with the data folder."""
    found = json.loads(stored.command_alone("doctor", "--json")[1])["findings"]
    return [one for one in found if one["check"] in ("published", "receipts", "store") and one["state"] != "well"]


def test_rows_are_refused_mended_replayed_traced_rolled_back_and_tidied(stored: Days, tmp_path: Path) -> None:
    assert published(stored) == 839
    work = mended(stored, tmp_path / "refused.csv")
    assert (published(stored), work.receipt("load").mended[0].who) == (842, "ann")
    assert stored.command("trace", DAY, "by_origin", "flights", "origin=JFK")[0] == 0
    assert stored.run(DAY).receipt("load").reused_from == "run_2"
    assert stored.command("why", DAY)[0] == 0
    assert stored.command("rollback", DAY, "--why", "as it was")[0] == 0
    assert published(stored) == 839
    assert is_well(stored) == []
    stored.change(keep_runs=1)
    code, said = stored.command_alone("tidy", "--json")
    assert code == 0, said
    assert is_well(stored) == []


def test_a_copy_of_a_store_is_restored_to_a_disk_and_to_another_store(in_store: DataFolder, tmp_path: Path) -> None:
    with in_store.published_files("shop", date(2013, 1, 5), 3).new_file("by_day.csv") as file:
        file.write(b"sales\n1\n")
    in_store.publish("shop", date(2013, 1, 5), 3)
    data_file.write(in_store.top, tmp_path / "data.tar")
    for place in (tmp_path / "disk", in_store.top.path / "elsewhere"):
        restored = DataFolder(place)
        data_file.read(tmp_path / "data.tar", restored.top)
        assert restored.shown("shop") == in_store.shown("shop") != {}
        assert restored.published_files("shop", date(2013, 1, 5), 3).content("by_day.csv") == b"sales\n1\n"
    assert [path.name for path in tmp_path.iterdir()] == ["data.tar", "disk"]


def test_a_page_of_a_run_is_read_in_the_store_and_says_if_that_is_away(
    in_store: DataFolder, store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYBOOK_DATA", ADDRESS)
    monkeypatch.setenv("AIRFLOW_CONN_FILES", json.dumps(store.words))
    leave_receipt(tmp_path, "run_1", "load")
    publish(tmp_path, 7, b"<p>seven</p>")
    copy_folder(Folder(tmp_path), in_store.root)
    assert report_of_day("flights", "2013-01-05").content == b"<p>seven</p>"
    assert report_of_run("flights", "run_1", None).content == b"<p>seven</p>"
    store.refusals = repeat(Refusal("503 Slow Down", "SlowDown"))
    away = report_of_run("flights", "run_1", None)
    assert (away.status_code, b"s3://files@daybook/in/here/days/flights" in away.content) == (503, True)
    assert report_of_day("flights", "2013-01-05").status_code == 503
