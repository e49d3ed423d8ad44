"""When a server that is away is asked again."""

from datetime import UTC, datetime, timedelta

import pytest

from daybook.run.away import next_look

SINCE = datetime(2013, 1, 6, 6, tzinfo=UTC)
HOUR, MINUTE, SECOND = timedelta(hours=1), timedelta(minutes=1), timedelta(seconds=1)


@pytest.mark.parametrize(
    ("after", "wait"),
    [
        (0 * MINUTE, 30 * SECOND),
        (1 * MINUTE, 1 * MINUTE),
        (5 * MINUTE, 5 * MINUTE),
        (40 * MINUTE, 15 * MINUTE),
        (59 * MINUTE, 1 * MINUTE),
        (60 * MINUTE, None),
    ],
)
def test_the_waits_grow_and_the_last_look_is_at_the_limit(after: timedelta, wait: timedelta | None) -> None:
    now = SINCE + after
    assert next_look(SINCE, now, SINCE + HOUR) == (now + wait if wait else None)
