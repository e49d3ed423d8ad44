"""What lies beside the day's file: names in another encoding, and the file itself under a name in other letters."""

import logging
import os
from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import pytest

from daybook.errors import BadData, NotYet
from daybook.ftp.ready import Due, check_ready
from daybook.storage.folder import Folder
from tests.support.faulty_ftp import FaultyFtp

from .conftest import EARLY, LATE, PATH, QUICK, WHOLE, file


def put(root: Path, name: bytes) -> None:
    (root / os.fsdecode(name)).write_bytes(b"a\n1\n")


def wait_message(due: Due, folder: Folder, **words: object) -> str:
    with pytest.raises(NotYet) as not_yet:
        check_ready(due._replace(files=(file(**{**WHOLE, **words}),)), folder, EARLY, QUICK)
    return str(not_yet.value)


@pytest.fixture(params=["MLSD", "LIST"])
def server(root: Path, request: pytest.FixtureRequest) -> Iterator[FaultyFtp]:
    """A server with either kind of listing, which sends names as their bytes are on its disk."""
    with FaultyFtp(root, settings={"unicode_errors": "surrogateescape"}) as server:
        if request.param == "LIST":
            server.answers["FEAT"] = repeat("502 not here")
        yield server


def test_a_name_in_another_encoding_is_passed_over_and_shown_escaped_while_a_file_is_waited_for(
    due: Due, folder: Folder, root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (root / PATH).unlink()
    put(root, "Umsätze\x1b[1m.csv".encode("latin-1"))
    caplog.set_level(logging.INFO)
    assert f"not yet: ftp: {PATH} is not there (cut-off" in wait_message(due, folder)
    assert r"a name that is not utf-8 is passed over: Ums\xe4tze\x1b[1m.csv" in caplog.text


def test_a_file_is_found_in_the_listing_beside_a_name_in_another_encoding(
    due: Due, folder: Folder, root: Path, server: FaultyFtp
) -> None:
    server.answers["SIZE"] = repeat("550 not allowed")
    put(root, "Umsätze.csv".encode("latin-1"))
    check_ready(due._replace(files=(file(**WHOLE),)), folder, EARLY, QUICK)


def test_a_file_whose_own_name_is_in_another_encoding_is_told_with_the_word_that_finds_it(
    due: Due, folder: Folder, root: Path
) -> None:
    put(root, "Umsätze.csv".encode("latin-1"))
    told = wait_message(due, folder, path="Umsätze.csv")
    assert r"Umsätze.csv is not there; 'Ums\xe4tze.csv' lies beside it, which is not utf-8: set the extra" in told
    assert '{"encoding": "latin-1"} of the connection' in told


@pytest.mark.parametrize(
    ("beside", "path"),
    [
        ("Flights_2013-01-05.CSV", "flights_{day}.csv"),
        ("flights 2013-01-05.csv", "flights_{day}.csv"),
        ("flights-20130105.csv", "flights_{day}.csv"),
        ("Flights 05.01.2013.csv", "flights_{day}.csv"),
        ("2013-01-05 CAFE\u0301.csv", "{day:%y%m%d}_café.csv"),
    ],
)
def test_a_name_in_other_letters_is_named_beside_the_one_that_is_not_there(
    due: Due, folder: Folder, root: Path, beside: str, path: str
) -> None:
    (root / PATH).rename(root / beside)
    told = wait_message(due, folder, path=path)
    assert f"is not there; '{beside}' lies beside it: mend the path in the spec, or have the file renamed" in told


@pytest.mark.parametrize("beside", ["flights_2013-01-06.csv", "flights_2013-01-05.txt", "rights_2013-01-05.csv"])
def test_another_file_is_not_taken_for_the_one_that_is_not_there(
    due: Due, folder: Folder, root: Path, beside: str
) -> None:
    (root / PATH).rename(root / beside)
    assert "beside" not in wait_message(due, folder)


def test_a_part_is_not_taken_for_another_one(due: Due, folder: Folder, root: Path) -> None:
    put(root, b"day_1_1.csv")
    put(root, b"Day_2_2.csv")
    told = wait_message(due, folder, path="day_{part}_{part}.csv", parts=3)
    assert "parts 2-3 of 3 missing (day_2_2.csv, day_3_3.csv); 'Day_2_2.csv' lies beside it" in told


def test_after_the_cut_off_the_name_in_other_letters_is_told_too(due: Due, folder: Folder, root: Path) -> None:
    (root / PATH).rename(root / PATH.upper())
    with pytest.raises(BadData, match=f"late: ftp: {PATH} is not there; '{PATH.upper()}' lies beside it"):
        check_ready(due._replace(files=(file(**WHOLE),)), folder, LATE, QUICK)
