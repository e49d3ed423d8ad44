"""What the published folder shows, on a disk and in an object store, and what is set aside of it."""

import zlib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from upath import UPath

from daybook.storage.data_folder import DataFolder

DAY = date(2013, 1, 5)


@pytest.fixture(params=["disk", "store"])
def data(request: pytest.FixtureRequest, tmp_path: Path) -> DataFolder:
    """A data folder in which run 3 of a day is shown."""
    place: Any = UPath(tmp_path)
    if request.param == "store":
        place = UPath(f"memory://s{zlib.crc32(request.node.nodeid.encode())}/data")
    data = DataFolder(place)
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
