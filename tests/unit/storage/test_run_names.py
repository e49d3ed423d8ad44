"""The folders of runs: no two names share one, none leads out of its day, plain names stay as they are."""

from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daybook.errors import BadSpec
from daybook.storage.data_folder import DataFolder
from daybook.storage.run_names import check_run_name, folder_name

DAY = date(2013, 1, 5)
# Airflow takes these signs in the name of a run; `/` it takes if its configuration says so.
SIGNS = st.text("abAT01_.~:+-/ é", min_size=1, max_size=12)


@given(st.sets(SIGNS, min_size=2, max_size=20))
def test_no_two_names_share_a_folder_even_if_capitals_are_small_letters(runs: set[str]) -> None:
    assert len({folder_name(run).casefold() for run in runs}) == len(runs)


@given(SIGNS)
def test_a_folder_lies_in_its_day_whatever_the_name(run: str) -> None:
    folder = DataFolder(Path("/data")).run("flights", DAY, run).path
    assert folder.resolve().parent == Path("/data/days/flights/2013-01-05")
    assert folder.name not in ("by_fingerprint", "of_runs")
    assert len(folder.name.encode()) <= 150


@pytest.mark.parametrize("names", [("c:1", "c+1", "c~1", "c_1"), ("x" * 250, "x" * 249, "x" * 249 + "y"), ("A", "a")])
def test_names_that_looked_alike_have_folders_of_their_own(names: tuple[str, ...]) -> None:
    assert all(one.casefold() != other.casefold() for one, other in pairwise(map(folder_name, names)))


@pytest.mark.parametrize(
    "run", ["run_1", "nightly-2", "v1.2", "2013-01-05", "daybook_backfill__2026-11-26T11-44-54.123456__2013-01-05"]
)
def test_a_plain_name_is_its_folders(run: str) -> None:
    check_run_name(run)
    assert folder_name(run) == run


@pytest.mark.parametrize("run", [".", "..", "by_fingerprint", "of_runs", ".hidden", ""])
def test_a_name_of_other_files_is_refused(run: str) -> None:
    with pytest.raises(BadSpec, match=r"is not a name for a run.*trigger the day again under another name"):
        check_run_name(run)
