"""A first load: each day is compared with the days that the same backfill has loaded, held or not."""

from datetime import date
from functools import partial

import pytest

from daybook.errors import Implausible
from daybook.ledger.first_load import BACKFILL, is_first_load
from daybook.postgres.session import at_once
from tests.support.bench import Bench
from tests.support.runner import do_steps

# The source has 40 rows a day, and from the fifth day on 10: a shop was closed for good.
ROWS = (40, 40, 40, 40, *[10] * 6)
DAYS = tuple(f"2013-01-{number:02}" for number in range(1, len(ROWS) + 1))
FIRST, SECOND = (f"{BACKFILL}2026-01-0{number}T00-00-00.000000__" for number in (1, 2))


def held(bench: Bench, command: str, days: tuple[str, ...], rows: tuple[int, ...]) -> list[str]:
    """Run the days in a backfill's runs; return those that are held."""
    found = []
    for day, count in zip(days, rows, strict=True):
        bench.deliver(day, count, first=int(day[-2:]))
        try:
            do_steps(bench.servers.work(bench.pipeline, day, f"{command}{day}"))
        except Implausible:
            found.append(day)
    return found


@pytest.fixture
def loaded(bench: Bench) -> Bench:
    """A bench whose ten days were loaded for the first time."""
    assert held(bench, FIRST, DAYS, ROWS) == list(DAYS[4:8])
    return bench


def test_a_first_load_holds_the_days_of_a_change_and_not_all_that_follow(loaded: Bench) -> None:
    query = "select day::text from daybook.published where pipeline = %s order by 1"
    assert [day for (day,) in loaded.rows(query, loaded.pipeline.name)] == [*DAYS[:4], *DAYS[8:]]
    loaded.check()


def test_a_later_backfill_compares_with_what_is_published_alone(loaded: Bench) -> None:
    later = ("2013-01-11", "2013-01-12")
    assert held(loaded, SECOND, later, (100, 100)) == list(later)
    assert held(loaded, "scheduled__", ("2013-01-13",), (100,)) == ["2013-01-13"]


def test_a_load_is_the_first_until_a_day_up_to_its_last_is_published(bench: Bench) -> None:
    name, connect = bench.pipeline.name, partial(bench.servers.connect_postgres, bench.pipeline.target.connection)
    bench.publish("2013-01-05", "run", 40)
    assert at_once(connect, lambda session: is_first_load(session, name, date(2013, 1, 4)))
    assert not at_once(connect, lambda session: is_first_load(session, name, date(2013, 1, 5)))
