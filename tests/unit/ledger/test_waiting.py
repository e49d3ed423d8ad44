"""What a waiting step says: for what, since when, until when, in the pipeline's time zone, and when it looks next."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daybook.errors import Awaited
from daybook.ledger.waiting import FILE, Waiting, note, noted, sentences
from daybook.storage.folder import Folder

SINCE = datetime(2013, 1, 6, 18, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WAITING = Waiting(
    attempt=2,
    since=SINCE,
    looked_at=SINCE + 9 * MINUTE,
    again_at=SINCE + 10 * MINUTE,
    awaited=(
        Awaited("sales", "ftp: in/sales.csv is not there", SINCE + 60 * MINUTE),
        Awaited("stock", "ftp: in/stock.csv is still changing", SINCE + 90 * MINUTE),
    ),
)


def test_each_file_is_told_with_its_own_cut_off_in_the_pipelines_time_zone_which_is_named() -> None:
    assert sentences("extract_files", WAITING, "Asia/Kathmandu", SINCE + 9 * MINUTE) == [
        "extract_files waits for sales since 2013-01-06 23:55:00, until 2013-01-07 00:55:00 (Asia/Kathmandu); the last "
        "look, at 2013-01-07 00:04:00, found: ftp: in/sales.csv is not there",
        "extract_files waits for stock since 2013-01-06 23:55:00, until 2013-01-07 01:25:00 (Asia/Kathmandu); the last "
        "look, at 2013-01-07 00:04:00, found: ftp: in/stock.csv is still changing",
        "the next look is at 2013-01-07 00:05:00",
    ]


def test_a_look_that_does_not_come_is_told_with_what_may_be_the_reason() -> None:
    told = sentences("extract_files", WAITING, "UTC", SINCE + 16 * MINUTE)[-1]
    assert told.startswith("the next look was due at 2013-01-06 18:20:00 and has not come: ")
    assert "pool" in told
    assert sentences("extract_files", WAITING, "UTC", SINCE + 14 * MINUTE)[-1].startswith("the next look is at ")


def test_a_note_is_read_as_it_was_written(tmp_path: Path) -> None:
    note(Folder(tmp_path / "extract_files"), WAITING)
    assert noted(Folder(tmp_path / "extract_files")) == WAITING


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"5", b"\xff", b'{"attempt": 1}'])
def test_a_note_that_is_damaged_is_as_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    assert noted(Folder(tmp_path)) is None
    assert noted(Folder(tmp_path / "not there")) is None
