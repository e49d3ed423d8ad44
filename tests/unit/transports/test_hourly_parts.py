"""A file for each hour of the clock: 24 are waited for on every day, also on those of 23 and 25 hours."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from daybook.errors import BadData, NotYet
from daybook.ftp.ready import Due, check_ready
from daybook.spec import File, text
from daybook.storage.folder import Folder
from daybook.transports.local_folder import LocalFolder

ZONE = "Europe/Madrid"
HOURLY = File(
    name="sales",
    connection="here",
    path="sales_{day:%Y%m%d}_{part:02}.csv",
    parts=24,
    first_part=0,
    is_written_whole=True,
    columns=(text("id"),),
)
# Between 1 and 3 o'clock the clock went forward on the first, and back on the second.
SPRING, AUTUMN = date(2024, 3, 31), date(2024, 10, 27)


@pytest.mark.parametrize(
    ("day", "last", "late"),
    [
        (SPRING, datetime(2024, 4, 1, 9, 59, tzinfo=UTC), datetime(2024, 4, 1, 10, tzinfo=UTC)),
        (AUTUMN, datetime(2024, 10, 28, 10, 59, tzinfo=UTC), datetime(2024, 10, 28, 11, tzinfo=UTC)),
    ],
)
def test_the_hour_that_the_clock_leaves_out_or_repeats_has_one_file_that_is_waited_for_until_noon(
    tmp_path: Path, day: date, last: datetime, late: datetime
) -> None:
    due = Due((HOURLY,), day, ZONE, lambda _: LocalFolder(path=str(tmp_path)).open(1))
    names = [f"sales_{day:%Y%m%d}_{hour:02}.csv" for hour in range(24)]
    for name in names:
        (tmp_path / name).write_text("id\n1\n")
    (tmp_path / names[2]).unlink()
    missing = f"part 2 of 24 missing \\({names[2]}\\)"
    with pytest.raises(NotYet, match=missing):
        check_ready(due, Folder(tmp_path / "looks"), last)
    with pytest.raises(BadData, match=f"late: .*{missing}"):
        check_ready(due, Folder(tmp_path / "looks"), late)
    # An hour that was none may be a file without rows, which counts as any other.
    (tmp_path / names[2]).write_text("id\n")
    delivered = check_ready(due, Folder(tmp_path / "looks"), last)["sales"]
    assert [part.name for part in delivered.parts] == names
