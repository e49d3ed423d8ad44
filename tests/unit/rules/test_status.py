"""What `status` says of days: each expected day counts once, by what readers see and by its last try."""

from datetime import UTC, date, datetime

from daybook.planning.standing import Failure
from daybook.planning.status import status

DAYS = [date(2026, 1, number) for number in range(1, 7)]
AT = datetime(2026, 1, 8, tzinfo=UTC)
HELD = Failure("summarize", "Implausible", "12 rows, 900 expected", AT)
FAILED = Failure("load", "BadData", "column missing", AT)


def test_each_day_counts_once_and_a_later_try_of_a_published_day_is_a_remark() -> None:
    tries = {DAYS[1]: HELD, DAYS[2]: FAILED, DAYS[3]: HELD, DAYS[4]: FAILED}
    found = status(DAYS, {DAYS[0], DAYS[1], DAYS[2]}, set(), (), tries)
    assert found.published == tuple(DAYS[:3])
    assert (found.held, found.failed, found.missing) == ((DAYS[3],), (DAYS[4],), (DAYS[5],))
    assert found.tried_since == tuple(DAYS[1:3])
    assert sorted([*found.published, *found.held, *found.failed, *found.missing]) == DAYS


def test_a_day_that_waits_counts_as_that_and_not_as_failed_before_or_missing() -> None:
    found = status(DAYS, set(DAYS[:2]), set(), (), {DAYS[2]: FAILED, DAYS[3]: HELD}, {DAYS[1], DAYS[2], DAYS[4]})
    assert (found.waiting, found.failed, found.held, found.missing) == ((DAYS[2], DAYS[4]), (), (DAYS[3],), (DAYS[5],))
    assert not status(DAYS[:1], set(), set(), (), {}, DAYS[:1]).is_well


def test_all_is_well_only_if_the_last_try_of_no_published_day_failed() -> None:
    assert status(DAYS, set(DAYS), set(), (), {}).is_well
    assert not status(DAYS, set(DAYS), set(), (), {DAYS[0]: FAILED}).is_well
    assert not status(DAYS, set(DAYS[1:]), set(), (), {}).is_well
