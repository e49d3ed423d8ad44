"""The words of a file that say how it is delivered: which go together, and what they make of a day."""

import re
from datetime import date
from typing import Any

import pytest

from daybook.errors import BadSpec
from daybook.spec import File, text

DAY = date(2013, 1, 5)
PARTS = {"path": "f_{day:%Y%m%d}_{part:02}of{parts:02}.csv", "parts": 3}


def file(**words: Any) -> File:
    """Return a file that is called by these words."""
    return File(name="f", connection="ftp", columns=(text("a"),), **words)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({}, "File 'f', path: is missing; it takes a path, or a manifest that names the files"),
        ({"path": "f.csv", "parts": 3}, "File 'f', path: 'f.csv' is refused: with parts it has to say which"),
        ({"path": "f_{part}.csv"}, "only the day can be filled in"),
        ({"path": "f.csv", "parts": 0}, "File 'f', parts: 0 is refused"),
        ({"path": "f_{part}.csv", "parts": 501}, "File 'f', parts: 501 is refused"),
        ({"manifest": "m_{part}", "parts": 3}, "only the day can be filled in"),
        ({"manifest": "m", "path": "f.csv"}, "File 'f', path: 'f.csv' is refused: with a manifest there is none"),
        ({"manifest": "m", "parts": 3}, "File 'f', parts: 3 is refused: with a manifest there is none"),
        ({"manifest": "m", "marker": "m.done"}, "File 'f', marker: 'm.done' is refused: with a manifest"),
        ({"manifest": "m", "checksum": "m.sha256"}, "File 'f', checksum: 'm.sha256' is refused: with a manifest"),
        ({"path": "f.csv", "checksum": "{paht}.sha256"}, "only the day and the path can be filled in"),
        ({"path": "f.csv", "checksum": "{path}\n.sha256"}, "a control character is not part of a path"),
        ({"manifest": "m\r\nDELE f.csv"}, "a control character is not part of a path"),
        ({"path": "f_*.csv"}, 'path: \'f_*.csv\' is refused: a wildcard needs pick="only", "newest" or "all"'),
        ({"path": "f_*/a.csv", "pick": "all"}, "a wildcard stands in the name of a file, not in that of a folder"),
        ({"path": "f_*_{part}.csv", "parts": 2}, "the names of parts are known, and have no wildcard"),
        ({"path": "f.csv", "pick": "only"}, "pick: 'only' is refused: 'f.csv' has no wildcard, *"),
        ({"path": "f_*.csv", "pick": "newst"}, "did you mean 'newest'"),
        ({"manifest": "m", "pick": "all"}, "pick: 'all' is refused: with a manifest there is none"),
        ({"path": "f_*.csv", "pick": "only", "at_least": 2}, 'it says how many files match, with pick="all"'),
        ({"path": "f.csv", "first_part": 0}, "first_part: 0 is refused: there are no parts; say how many, as parts=24"),
        ({"path": "f_{part}.csv", "parts": 3, "first_part": 2}, "first_part: 2 is refused"),
        ({"path": "f_{day*1}.csv"}, "only the day can be filled in"),
        ({"path": "f.csv", "checksums": "x"}, "File has no word 'checksums'; did you mean 'checksum'?"),
    ],
)
def test_C71_words_of_a_file_that_do_not_go_together(words: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSpec) as error:
        file(**words)
    assert says in str(error.value)


def test_all_words_that_a_manifest_does_not_go_with_are_told_at_once() -> None:
    with pytest.raises(BadSpec, match=r"path: .*; File 'f', marker: "):
        file(manifest="m", path="f.csv", marker="{path}.done")


def test_the_path_of_a_part_says_its_number_and_that_of_the_whole_a_star() -> None:
    assert file(**PARTS).path_on(DAY, 2) == "f_20130105_02of03.csv"
    assert file(**PARTS).path_on(DAY) == "f_20130105_*of03.csv"


def test_signs_may_be_of_each_part_or_of_all() -> None:
    signs = file(**PARTS, marker="{day}.done", checksum="{path}.{part}.sha256").signs_on(DAY, "f.csv", 2)
    assert signs == {"marker": "2013-01-05.done", "checksum": "f.csv.2.sha256"}
    assert file(path="f.csv").signs_on(DAY, "f.csv") == {}


def test_a_file_is_due_on_its_weekdays_but_for_holidays_and_closed_days() -> None:
    stores = file(path="f_{day}.csv", on="mon-wed,fri", holidays="ES-MD", closed=(date(2024, 5, 3),))
    # 1 and 2 May 2024 are holidays in Madrid, and Wednesday and Thursday.
    due = [day for day in range(1, 13) if stores.is_due(date(2024, 5, day))]
    assert due == [6, 7, 8, 10]
    assert stores.last_due(date(2024, 5, 12)) == date(2024, 5, 10)
    assert stores.last_due(date(2024, 5, 5)) == date(2024, 4, 30)
    assert file(path="f.csv").is_due(date(2024, 5, 12))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"on": "weekdays"}, "on: 'weekdays' is refused: it takes weekdays, such as 'mon-fri'"),
        ({"on": "* * *"}, "it takes weekdays"),
        ({"holidays": "EZ"}, "holidays: 'EZ' is refused: there is no calendar of that country"),
        ({"on": "mon-fri", "late_days": 1}, "on: 'mon-fri' is refused: late_days counts the days of the schedule"),
    ],
)
def test_a_calendar_that_is_none_is_refused(words: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSpec, match=re.escape(says)):
        file(path="f_{day}.csv", **words)


def test_words_that_are_not_used_leave_the_fingerprint_as_it_was() -> None:
    later = {"pick", "at_least", "ignore_case", "first_part", "late_days", "on", "holidays", "closed"}
    assert later.isdisjoint(file(path="f.csv").model_dump())
    assert {"pick"} == later & file(path="f_*.csv", pick="all").model_dump().keys()
    assert {"first_part"} == later & file(**PARTS, first_part=0).model_dump().keys()
