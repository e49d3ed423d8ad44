"""Whether a file is there and whole: two looks, a marker, the cut-off (F13, C59 to C73, N3)."""

import json
import os
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from daybook.errors import Awaited, BadData, BadSpec, NotYet
from daybook.ftp.ready import Due, check_ready, cut_off
from daybook.spec import File
from daybook.storage.folder import Folder
from tests.support.faulty_ftp import FaultyFtp

from .conftest import CONTENT, DAY, EARLY, LATE, MINUTE, OVER_EACH, PATH, QUICK, file

Look = Callable[..., None]


@pytest.fixture
def look(due: Due, folder: Folder) -> Look:
    """Look at an instant: look(now, words of the file's spec)."""

    def do(now: datetime, **words: Any) -> None:
        look_at(due, folder, now, file(**words))

    return do


def look_at(due: Due, folder: Folder, now: datetime, *files: File) -> None:
    """Look at some files at an instant."""
    check_ready(due._replace(files=files), folder, now, QUICK)


@OVER_EACH
def test_a_file_counts_when_it_stood_still_over_two_looks(look: Look) -> None:
    with pytest.raises(NotYet, match="is there and has to stand still for 60 s") as not_yet:
        look(EARLY)
    assert not_yet.value.look_again_at == EARLY + MINUTE
    look(EARLY + MINUTE)


@OVER_EACH
def test_a_look_too_soon_does_not_count(look: Look) -> None:
    with pytest.raises(NotYet):
        look(EARLY)
    with pytest.raises(NotYet, match="has to stand still"):
        look(EARLY + MINUTE / 2)
    look(EARLY + MINUTE)


@OVER_EACH
@pytest.mark.parametrize("change", ["size", "time"])
def test_C51_C52_N3_a_file_that_grows_or_is_written_again_is_waited_for(look: Look, root: Path, change: str) -> None:
    with pytest.raises(NotYet):
        look(EARLY)
    if change == "size":
        (root / PATH).write_bytes(CONTENT + b"more")
    else:
        os.utime(root / PATH, (0, 0))
    with pytest.raises(NotYet, match="is still changing"):
        look(EARLY + MINUTE)
    look(EARLY + 2 * MINUTE)


@OVER_EACH
def test_N3_a_part_that_is_renamed_to_its_name(look: Look, root: Path) -> None:
    (root / PATH).rename(root / "x.part")
    with pytest.raises(NotYet, match="is not there"):
        look(EARLY, is_written_whole=True)
    (root / "x.part").rename(root / PATH)
    look(EARLY + MINUTE, is_written_whole=True)


@OVER_EACH
def test_a_file_that_is_written_whole_counts_at_the_first_look(look: Look) -> None:
    look(EARLY, is_written_whole=True)


def test_N6_a_line_that_breaks_at_a_look_is_tried_again(look: Look, server: FaultyFtp) -> None:
    server.answers["CONNECT"] = iter(["421 full", "421 full"])
    look(EARLY, is_written_whole=True)
    assert server.count("SIZE") == 1


@OVER_EACH
def test_a_marker_says_that_a_file_is_whole(look: Look, root: Path) -> None:
    with pytest.raises(NotYet, match=f"is there, its marker {PATH}.done is not"):
        look(EARLY, marker="{path}.done")
    (root / f"{PATH}.done").touch()
    look(EARLY, marker="{path}.done")


@OVER_EACH
def test_F13_a_file_that_is_not_there_is_waited_for_until_the_cut_off(look: Look, root: Path) -> None:
    (root / PATH).unlink()
    for now in (EARLY, LATE - timedelta(seconds=1)):
        with pytest.raises(NotYet, match=rf"ftp: {PATH} is not there \(cut-off 2013-01-06 12:00:00-05:00\)") as raised:
            look(now)
        assert raised.value.awaited == (Awaited("flights", f"ftp: {PATH} is not there", LATE),)
    with pytest.raises(BadData, match=f"late: ftp: {PATH} is not there, and the cut-off was 2013-01-06 12:00:00-05:00"):
        look(LATE)


def test_F13_a_SIZE_that_is_refused_is_no_missing_file(server: FaultyFtp, look: Look) -> None:
    server.answers["SIZE"] = repeat("550 No.")
    look(EARLY, is_written_whole=True)


@OVER_EACH
def test_C48_an_empty_file_is_waited_for_until_the_cut_off(look: Look, root: Path) -> None:
    (root / PATH).write_bytes(b"")
    for words in ({}, {"is_written_whole": True}):
        with pytest.raises(NotYet, match="is empty"):
            look(EARLY, **words)
        with pytest.raises(BadData, match=r"late: .*is empty"):
            look(LATE, **words)


@OVER_EACH
def test_C62_a_day_long_past_gets_one_look(look: Look, root: Path) -> None:
    (root / PATH).unlink()
    with pytest.raises(BadData, match="late: "):
        look(LATE + timedelta(days=400))


@OVER_EACH
def test_C62_a_late_file_that_is_there_is_looked_at_twice_all_the_same(look: Look) -> None:
    later = LATE + timedelta(days=400)
    with pytest.raises(NotYet):
        look(later)
    look(later + MINUTE)


@OVER_EACH
def test_a_file_that_is_still_written_at_the_cut_off_is_late(look: Look, root: Path) -> None:
    with pytest.raises(NotYet):
        look(LATE - MINUTE / 2)
    (root / PATH).write_bytes(CONTENT + b"more")
    with pytest.raises(BadData, match=r"late: .*is still changing"):
        look(LATE + MINUTE / 2)


@OVER_EACH
def test_C61_a_corrected_delivery_days_later_is_looked_at_like_a_first_one(look: Look, root: Path) -> None:
    with pytest.raises(NotYet):
        look(EARLY)
    look(EARLY + MINUTE)
    (root / PATH).write_bytes(CONTENT + b"more")
    later = LATE + timedelta(days=3)
    with pytest.raises(NotYet, match="has to stand still"):
        look(later)
    look(later + MINUTE)


def test_C73_a_time_in_the_future_is_only_compared(look: Look, server: FaultyFtp) -> None:
    server.answers["MDTM"] = repeat("213 29991231235959.123")
    with pytest.raises(NotYet):
        look(EARLY)
    look(EARLY + MINUTE)


def test_C71_all_files_of_a_day_are_told_in_one_message(due: Due, folder: Folder) -> None:
    files = [file(name=name, path=f"{name}_{{day}}.csv") for name in ("one", "two")]
    with pytest.raises(NotYet, match=r"one_2013-01-05.csv is not there .*; ftp: two_2013-01-05.csv is not there"):
        look_at(due, folder, EARLY, file(is_written_whole=True), *files)


def test_the_cut_off_is_a_clock_time_of_the_day_after() -> None:
    spring = date(2013, 3, 9)
    assert cut_off(file(cut_off=time(7)), spring, "America/New_York").astimezone(UTC).hour == 11
    assert cut_off(file(cut_off=time(7)), DAY, "America/New_York").astimezone(UTC).hour == 12


@OVER_EACH
def test_the_looks_hold_no_value_of_a_row(look: Look, folder: Folder) -> None:
    with pytest.raises(NotYet):
        look(EARLY)
    kept = json.loads(folder.text("looks.json"))
    known = {"size_bytes", "modified_at", "content_id", "still_since", "looked_at", "is_changing"}
    assert set(kept["of"]["flights"]) == known


@OVER_EACH
@pytest.mark.parametrize("damaged", [b"", b"{", b"5", b"\xff", b'{"of": {"flights": {}}}'])
def test_after_a_damaged_note_of_looks_the_next_one_is_the_first(look: Look, folder: Folder, damaged: bytes) -> None:
    with folder.new_file("looks.json") as file:
        file.write(damaged)
    with pytest.raises(NotYet, match="has to stand still for 60 s"):
        look(EARLY)
    look(EARLY + MINUTE)


def test_what_is_wrong_in_the_words_of_a_file_is_told() -> None:
    with pytest.raises(BadSpec, match=r"marker: .*only the day and the path can be filled in"):
        file(marker="{paht}.done")
    with pytest.raises(BadSpec, match="look_every_s"):
        file(look_every_s=0)
