"""What the published folder shows, on a disk and in an object store, and what is set aside of it."""

from datetime import date
from pathlib import Path

import pytest

from daybook.pages.run_state import days_of, read_day
from daybook.pipelines import load_pipelines
from daybook.storage.copied import copy_folder
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder
from tests.support.files import leave_receipt, publish

FLIGHTS = load_pipelines().good["flights"]

DAY = date(2013, 1, 5)


@pytest.fixture(params=["disk", "store"])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> DataFolder:
    """A data folder in which run 3 of a day is shown."""
    data: DataFolder = request.getfixturevalue("in_store") if request.param == "store" else DataFolder(tmp_path)
    with data.published_files("shop", DAY, 3).new_file("by_day.csv") as file:
        file.write(b"sales\n1\n")
    data.publish("shop", DAY, 3)
    return data


def test_what_is_shown_is_listed_by_pipeline_day_and_run(data: DataFolder) -> None:
    assert data.published_pipelines() == ["shop"]
    assert data.shown("shop") == {DAY: f".runs/{DAY}/3"}
    assert data.saved_runs("shop") == [(DAY, 3)]
    assert data.copied_days("shop") == []


def test_a_run_is_set_aside_whole_and_never_over_another(data: DataFolder) -> None:
    aside = data.set_aside("shop", DAY)
    assert data.published_runs("shop", DAY).move("3", aside) == "3"
    with data.published_files("shop", DAY, 3).new_file("by_day.csv") as file:
        file.write(b"sales\n2\n")
    assert data.published_runs("shop", DAY).move("3", aside) == "3.2"
    assert [(aside / name).content("by_day.csv") for name in aside.names()] == [b"sales\n1\n", b"sales\n2\n"]
    assert data.saved_runs("shop") == []


def test_a_link_that_is_removed_shows_nothing_and_its_files_stay(data: DataFolder) -> None:
    data.published("shop").remove_pointer(str(DAY))
    assert data.shown("shop") == {}
    assert data.saved_runs("shop") == [(DAY, 3)]


def test_the_numbers_in_receipts_of_save_are_found_and_damaged_ones_have_none(data: DataFolder) -> None:
    for run, content in (("one", b'{"run_id": 9}'), ("two", b"\xff{"), ("three", b'{"run_id": null}')):
        with (data.run("shop", DAY, run) / "save").new_file("receipt.json") as file:
            file.write(content)
    assert data.run_ids_of_receipts() == {9}


def test_a_pipeline_gets_another_name_with_all_that_is_there_of_it(data: DataFolder) -> None:
    with data.published_files("sales", DAY, 4).new_file("by_day.csv") as file:
        file.write(b"sales\n4\n")
    data.rename("shop", "sales")
    assert (data.pipelines(), data.shown("sales")) == ({"sales"}, {DAY: f".runs/{DAY}/3"})
    assert [data.published_files("sales", DAY, run).content("by_day.csv") for run in (3, 4)] == [
        b"sales\n1\n",
        b"sales\n4\n",
    ]


def test_what_a_page_shows_of_a_run_is_read_there(data: DataFolder, tmp_path_factory: pytest.TempPathFactory) -> None:
    made = tmp_path_factory.mktemp("made")
    leave_receipt(made, "run", "load")
    publish(made, 7, b"seven")
    copy_folder(Folder(made), data.root)
    assert days_of(data, FLIGHTS, "run") == [DAY]
    state = read_day(data, FLIGHTS, "run", DAY)
    assert (state.seen_run_id, state.report) == (7, b"seven")
