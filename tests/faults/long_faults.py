"""What soak.py runs: too long for `make test`, which does not find this file by its name."""

import random

import pytest

from .conftest import DAY
from .invariants import Bench
from .test_kills import NEW, OLD, SEED, crash_rounds, first_step_to_try_again, operations, strike_and_recover

DAYS = [f"2013-02-{number:02}" for number in range(1, 29)] + ["2013-03-01", "2013-03-02"]


@pytest.fixture
def published(bench: Bench) -> Bench:
    """A bench with a day published."""
    bench.publish(DAY, "before", OLD)
    return bench


@pytest.mark.parametrize("how", ["kill", "fail", "full"])
def test_every_operation_may_be_the_last(published: Bench, how: str) -> None:
    names = operations(published)
    for at, name in enumerate(names, 1):
        if how != "full" or not name.startswith("sql"):
            strike_and_recover(published, f"run_{at}", at, how)
    print(f"{how}: {len(names)} operations struck")


def test_crash_fifty_times(published: Bench) -> None:
    crash_rounds(published, 50, random.Random(SEED))


def test_thirty_days_each_with_a_fault(bench: Bench) -> None:
    chance = random.Random(SEED)
    bench.publish(DAY, "before", OLD)
    count = len(operations(bench))
    for day in DAYS:
        rows = chance.randint(OLD, NEW)
        bench.deliver(day, rows)
        struck = bench.do(day, "run", at=chance.randrange(1, count), how=chance.choice(["kill", "fail", "full"]))
        for _ in range(2):
            told = bench.do(day, "run", first=first_step_to_try_again(bench, "run", day))
        assert told["error"] == "", f"{day}: {struck}, seed {SEED}"
        assert bench.seen(day)[0] == rows, f"{day}: {struck}, seed {SEED}"
        bench.check()
    print(f"{len(DAYS)} days, seed {SEED}")
