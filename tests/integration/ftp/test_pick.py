"""Files whose names are known only in part: wildcards, capitals, the date of the delivery, parts numbered from 0."""

import os
from typing import Any

import pytest

from daybook.errors import BadData, NotYet, SourceUnavailable
from daybook.ftp.delivery import Delivery

from .conftest import EARLY, LATE, MINUTE, OVER_LISTED, WHOLE, Supplier

BRANCHES = {**WHOLE, "path": "in/sales_*_{day:%Y%m%d}.csv", "pick": "all"}


def names(delivery: Delivery) -> list[tuple[int, str]]:
    """Return the files of a delivery, with their numbers."""
    return [(part.number, part.name) for part in delivery.parts]


@pytest.fixture
def branches(supplier: Supplier) -> Supplier:
    """A supplier whose branches have delivered their files."""
    for branch in ("north", "south", "west"):
        supplier.put(f"in/sales_{branch}_20130105.csv", branch)
    supplier.put("in/sales_north_20130106.csv", "of another day")
    supplier.put("in/.sales_east_20130105.csv", "still being written")
    (supplier.root / "in/sales_folder_20130105.csv").mkdir()
    return supplier


@OVER_LISTED
def test_all_files_that_match_are_parts_in_the_order_of_their_names(branches: Supplier) -> None:
    delivery = branches.ready(**BRANCHES)
    assert names(delivery) == [(n, f"sales_{b}_20130105.csv") for n, b in enumerate(("north", "south", "west"), 1)]
    branches.copy(delivery)
    assert branches.copied() == {"flights.1.csv": b"north", "flights.2.csv": b"south", "flights.3.csv": b"west"}


@OVER_LISTED
def test_a_file_that_comes_later_has_to_stand_still_and_those_before_it_have_stood(branches: Supplier) -> None:
    words = {**BRANCHES, "is_written_whole": False}
    with pytest.raises(NotYet, match="parts 1-3 of 3 there and has to stand still"):
        branches.ready(**words)
    # It comes first by name, so that all the others have another number now.
    branches.put("in/sales_a_20130105.csv", "a")
    with pytest.raises(NotYet, match=r"part 1 of 4 there and has to stand still for 60 s \(sales_a_20130105.csv\)"):
        branches.ready(EARLY + MINUTE, **words)
    assert len(branches.ready(EARLY + 2 * MINUTE, **words).parts) == 4


@OVER_LISTED
def test_as_many_files_as_declared_are_waited_for_until_the_cut_off(branches: Supplier) -> None:
    for now, kind in ((EARLY, NotYet), (LATE, BadData)):
        with pytest.raises(kind, match=r"ftp: in/sales_\*_20130105.csv is not there: 3 files of at least 4 match it"):
            branches.ready(now, **BRANCHES, at_least=4)
    branches.put("in/sales_a_20130105.csv", "a")
    assert len(branches.ready(**BRANCHES, at_least=4).parts) == 4


@OVER_LISTED
def test_no_file_that_matches_is_waited_for_and_one_in_other_capitals_named(branches: Supplier) -> None:
    with pytest.raises(NotYet, match=r"ftp: in/x_\*.csv is not there \(cut-off"):
        branches.ready(**WHOLE, path="in/x_*.csv", pick="all")
    with pytest.raises(NotYet, match=r"'sales_north_20130105.csv' lies beside it: say ignore_case=True"):
        branches.ready(**WHOLE, path="in/Sales_*_{day:%Y%m%d}.CSV", pick="all")
    assert len(branches.ready(**WHOLE, path="in/Sales_*_{day:%Y%m%d}.CSV", pick="all", ignore_case=True).parts) == 3


@OVER_LISTED
def test_the_only_file_is_taken_and_two_are_refused(branches: Supplier) -> None:
    only = {**WHOLE, "path": "in/sales_n*_{day:%Y%m%d}.csv", "pick": "only"}
    assert names(branches.ready(**only)) == [(0, "sales_north_20130105.csv")]
    branches.put("in/sales_new_20130105.csv", "new")
    with pytest.raises(BadData, match=r"2 files match \(sales_new_20130105.csv, sales_north_20130105.csv\), and 1 is"):
        branches.ready(**only)


@OVER_LISTED
@pytest.mark.parametrize("newest", ["north", "south"])
def test_the_newest_file_is_the_one_with_the_latest_time(branches: Supplier, newest: str) -> None:
    for branch in ("north", "south", "west"):
        at = 1_700_000_000 if branch == newest else 1_600_000_000
        os.utime(branches.root / f"in/sales_{branch}_20130105.csv", (at, at))
    delivery = branches.ready(**{**BRANCHES, "pick": "newest"})
    assert names(delivery) == [(0, f"sales_{newest}_20130105.csv")]
    branches.copy(delivery)
    assert branches.copied() == {"flights.csv": newest.encode()}


def test_the_newest_of_files_without_a_time_is_not_guessed(branches: Supplier) -> None:
    branches.server.answers |= {"MDTM": iter(["502 no"] * 9), "FEAT": iter(["502 no"] * 9)}
    with pytest.raises(BadData, match=r"3 files match .*the server gives no times"):
        branches.ready(**{**BRANCHES, "pick": "newest"})


@OVER_LISTED
def test_markers_and_checksums_of_the_files_are_not_taken_for_files(branches: Supplier) -> None:
    words: dict[str, Any] = {"path": "in/sales_*", "pick": "all", "marker": "{path}.done"}
    marked = ("north_20130105", "north_20130106", "south_20130105")
    for name in marked:
        branches.put(f"in/sales_{name}.csv.DONE", "")
    with pytest.raises(NotYet, match=r"part 4 of 4 there, its marker in/sales_west_20130105.csv.done is not"):
        branches.ready(**words, ignore_case=True)
    branches.put("in/sales_west_20130105.csv.Done", "")
    assert len(branches.ready(**words, ignore_case=True).parts) == 4


@OVER_LISTED
def test_a_file_that_comes_while_the_others_are_copied_begins_the_copy_anew(branches: Supplier) -> None:
    delivery = branches.ready(**BRANCHES)
    branches.put("in/sales_a_20130105.csv", "a")
    with pytest.raises(SourceUnavailable, match=r"in/sales_\*_20130105.csv changed while the parts were copied"):
        branches.copy(delivery)
    assert branches.copied() == {}


@OVER_LISTED
def test_capitals_do_not_matter_if_declared_and_the_name_is_the_server_s(supplier: Supplier) -> None:
    supplier.put("in/Day_1OF2.CSV", "one")
    supplier.put("in/day_2of2.csv", "two")
    words: dict[str, Any] = {**WHOLE, "path": "in/day_{part}of{parts}.csv", "parts": 2, "ignore_case": True}
    assert names(supplier.ready(**words)) == [(1, "Day_1OF2.CSV"), (2, "day_2of2.csv")]
    supplier.put("in/DAY_1of2.csv", "which?")
    with pytest.raises(BadData, match=r"2 files match \(DAY_1of2.csv, Day_1OF2.CSV\), and capitals do not matter"):
        supplier.ready(**words)


@OVER_LISTED
def test_hours_are_parts_from_0_on(supplier: Supplier) -> None:
    for hour in range(24):
        supplier.put(f"h_{hour:02}.csv", f"{hour}")
    words: dict[str, Any] = {**WHOLE, "path": "h_{part:02}.csv", "parts": 24, "first_part": 0}
    delivery = supplier.ready(**words)
    assert (names(delivery)[0], names(delivery)[-1]) == ((1, "h_00.csv"), (24, "h_23.csv"))
    (supplier.root / "h_00.csv").unlink()
    with pytest.raises(NotYet, match=r"part 0 of 24 missing \(h_00.csv\)"):
        supplier.ready(**words)
    supplier.put("h_00.csv", "0")
    supplier.put("h_24.csv", "one too many")
    with pytest.raises(BadData, match=r"h_24.csv is there, and 24 parts are declared"):
        supplier.ready(**words)


@OVER_LISTED
def test_the_date_of_the_delivery_stands_beside_the_day_s(supplier: Supplier) -> None:
    supplier.put("in/20130106_sales_0105_20121231.csv", "x")
    path = "in/{day+1:%Y%m%d}_sales_{day:%m%d}_{day-5:%Y%m%d}.csv"
    assert names(supplier.ready(**WHOLE, path=path)) == [(0, "20130106_sales_0105_20121231.csv")]
