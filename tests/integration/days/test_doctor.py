"""`./daybook doctor`: what is wrong is named with its mend, on servers that run and on a deployment that is down."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from daybook.pipelines import load_pipelines
from deployment.home import Home
from tests.support.files import snapshot

from .conftest import Days

ONE, TWO, THREE = ("2013-01-01", "2013-01-02", "2013-01-03")


@pytest.fixture
def twice(days: Days) -> Days:
    """Two days, one of them published twice."""
    days.run(ONE)
    days.run(ONE, is_forced=True)
    days.run(TWO)
    return days


def findings(days: Days, check: str, state: str = "mend") -> list[str]:
    """Return what the doctor finds by one check, each with its mend."""
    told: list[dict[str, Any]] = json.loads(days.command_alone("doctor", "--json")[1])["findings"]
    return [f"{one['found']}; {one['mend']}" for one in told if (one["check"], one["state"]) == (check, state)]


def folder_of(days: Days) -> Path:
    return days.servers.data / "published" / days.pipeline.name


def a_missing_link(days: Days) -> str:
    (folder_of(days) / ONE).unlink()
    return "the folder shows nothing"


def a_link_to_the_run_before(days: Days) -> str:
    before = min(int(path.name) for path in folder_of(days).glob(f".runs/{ONE}/*"))
    (folder_of(days) / ONE).unlink()
    (folder_of(days) / ONE).symlink_to(f".runs/{ONE}/{before}")
    return f"the folder shows run {before}"


def a_link_to_nowhere(days: Days) -> str:
    (folder_of(days) / ONE).unlink()
    (folder_of(days) / ONE).symlink_to(f".runs/{ONE}/999999")
    return "the folder shows run 999999"


def a_day_that_the_warehouse_does_not_know(days: Days) -> str:
    (folder_of(days) / THREE).symlink_to(f".runs/{TWO}/1")
    return "the folder shows run 1, which the warehouse does not know"


def a_missing_file(days: Days) -> str:
    (folder_of(days) / ONE / "by_airline.parquet").unlink()
    return "by_airline.parquet of run"


def a_changed_file(days: Days) -> str:
    with (folder_of(days) / ONE / "by_day.csv").open("a") as file:
        file.write("\n")
    return "is changed"


def a_folder_in_place_of_a_link(days: Days) -> str:
    files = (folder_of(days) / ONE).resolve()
    (folder_of(days) / ONE).unlink()
    shutil.copytree(files, folder_of(days) / ONE)
    return "the day is a folder and not a link"


def a_run_that_comes_after_all_others(days: Days) -> str:
    (folder_of(days) / ".runs" / TWO / "999999").mkdir()
    return "the folder has files of runs up to 999999; the warehouse knows none after"


@pytest.mark.parametrize(
    "fault",
    [
        a_missing_link,
        a_link_to_the_run_before,
        a_link_to_nowhere,
        a_day_that_the_warehouse_does_not_know,
        a_missing_file,
        a_changed_file,
        a_folder_in_place_of_a_link,
        a_run_that_comes_after_all_others,
    ],
)
def test_each_difference_between_warehouse_and_folder_is_named_with_its_mend_and_nothing_is_changed(
    twice: Days, fault: Callable[[Days], str]
) -> None:
    assert findings(twice, "published") == []
    said = fault(twice)
    before = snapshot(twice.servers.data)
    (found,) = findings(twice, "published")
    assert f"{twice.pipeline.name}" in found
    assert said in found
    assert found.endswith("`./daybook restore` without a folder lets links, files and run numbers follow the warehouse")
    assert snapshot(twice.servers.data) == before
    code, printed = twice.command_alone("doctor")
    assert code == 1
    assert f"mend     published: {twice.pipeline.name}" in printed
    assert twice.command_alone("restore")[0] == 0
    assert findings(twice, "published") == []


def test_what_a_pipeline_whose_module_is_gone_shows_is_compared_too(
    twice: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(load_pipelines().good, twice.pipeline.name)
    assert findings(twice, "published") == []
    a_missing_file(twice)
    assert len(findings(twice, "published")) == 1
    code, said = twice.command_alone("restore")
    assert code == 1
    assert "and its pipeline does not load; its files were not written again" in said


def test_a_damaged_receipt_and_one_of_another_day_are_named(twice: Days) -> None:
    runs = twice.servers.data / "days" / twice.pipeline.name
    (runs / ONE / "run_1" / "load" / "receipt.json").write_text("{")
    shutil.copy(runs / TWO / "run_3" / "clean" / "receipt.json", runs / ONE / "run_1" / "clean" / "receipt.json")
    clean, load = findings(twice, "receipts")
    assert f"{ONE}/run_1/load/receipt.json: it is damaged; clear this task and all after it" in load
    assert f"{ONE}/run_1/clean/receipt.json: it is about {twice.pipeline.name} {TWO}, clean" in clean


def test_a_folder_that_others_may_look_into_is_named(twice: Days) -> None:
    run = twice.servers.data / "days" / twice.pipeline.name / ONE / "run_1"
    assert findings(twice, "rights") == []
    run.chmod(0o755)
    assert findings(twice, "rights") == [f"others may look into {run}; `chmod go= {run}`"]


def test_a_connection_that_is_not_set_and_a_server_that_is_down_are_named(
    twice: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_FTP")
    there = json.loads(os.environ["AIRFLOW_CONN_SOURCE_DB"])
    monkeypatch.setenv("AIRFLOW_CONN_SOURCE_DB", json.dumps({**there, "port": 1}))
    assert findings(twice, "connections") == ["ftp: AIRFLOW_CONN_FTP is not set; set it, as Airflow reads it"]
    (down,) = findings(twice, "servers")
    assert down.startswith("source_db: OperationalError: connection failed")
    assert len(findings(twice, "servers", "well")) == 1


def test_a_module_that_does_not_load_is_named(twice: Days, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(load_pipelines().broken, "include/pipelines/tides.py", "line 3: a typo")
    assert findings(twice, "pipelines") == [
        "include/pipelines/tides.py is broken: line 3: a typo; mend the module; the others go on"
    ]


def test_a_deployment_that_is_down_is_examined_as_far_as_its_folders_go(
    twice: Days, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
        monkeypatch.delenv(name)
    home = Home(tmp_path / "home")
    monkeypatch.setenv("DAYBOOK_HOME", str(home.path))
    a_link_to_nowhere(twice)
    (found,) = findings(twice, "published")
    assert f"{ONE}: the folder's link points to .runs/{ONE}/999999, which is not there" in found
    assert findings(twice, "published", "unknown")[0].startswith(
        f"the warehouse was not asked: there is no {home.path} yet; start it by `./daybook up`"
    )
    assert not home.path.exists()
    home.make()
    assert f"nothing runs in {home.path}" in findings(twice, "servers", "unknown")[0]
    assert twice.command_alone("doctor")[0] == 1
