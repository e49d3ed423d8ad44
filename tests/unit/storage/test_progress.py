"""How far long work is: a line and a note at each tenth, and nothing of small work."""

import logging
from datetime import UTC, datetime
from pathlib import Path

import pytest

from daybook.storage import progress
from daybook.storage.folder import Folder
from daybook.storage.progress import FILE, LEAST_BYTES, Noted, Progress, forget, latest, noted

TOTAL = 20 * LEAST_BYTES


def test_a_line_comes_at_each_tenth_and_the_note_has_the_last_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger=progress.__name__)
    step = Folder(tmp_path) / "load"
    work = Progress(step, "flights", TOTAL)
    for done in range(0, TOTAL + 1, TOTAL // 40):
        work.at(done, rows=done // 100)
    shares = [record.getMessage().split(", ")[1] for record in caplog.records]
    assert shares == [f"{share}%" for share in range(10, 101, 10)]
    last = noted(step)
    assert last is not None
    assert (last.done_bytes, last.total_bytes, last.rows) == (TOTAL, TOTAL, TOTAL // 100)
    found = latest([Folder(tmp_path)])
    assert found is not None
    assert (found.step, found.noted) == ("load", last)
    forget(step)
    assert latest([Folder(tmp_path)]) is None


@pytest.mark.parametrize(("total", "lines"), [(LEAST_BYTES - 1, 0), (3 * LEAST_BYTES, 3), (None, 5)])
def test_a_line_stands_for_64_mib_at_least(
    total: int | None, lines: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger=progress.__name__)
    work = Progress(Folder(tmp_path), "flights", total)
    for done in range(0, (total or 5 * LEAST_BYTES) + 1, LEAST_BYTES // 4):
        work.at(done)
    assert len(caplog.records) == lines
    assert Folder(tmp_path).has(FILE) == bool(lines)


def test_a_note_says_bytes_share_rows_rate_and_the_time_that_is_left() -> None:
    began, now = (datetime(2013, 1, 5, 6, 0, second, tzinfo=UTC) for second in (0, 10))
    words = {"what": "flights", "done_bytes": 400_000_000, "began_at": began, "noted_at": now}
    known, unknown = Noted(total_bytes=10**9, rows=5_000_000, **words), Noted(total_bytes=None, rows=None, **words)
    assert known.sentence == (
        "flights: 400,000,000 of 1,000,000,000 bytes, 40%, 5,000,000 rows, 40.0 MB/s, about 15 s left"
    )
    assert unknown.sentence == "flights: 400,000,000 bytes, 40.0 MB/s"


def test_a_damaged_note_is_none(tmp_path: Path) -> None:
    step = Folder(tmp_path) / "load"
    step.write_hint(FILE, "{")
    assert latest([Folder(tmp_path)]) is None
