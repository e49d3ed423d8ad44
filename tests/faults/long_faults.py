"""What soak.py runs: too long for `make test`, which does not find this file by its name."""

import random

import pytest

from .conftest import DAY
from .invariants import Bench
from .test_kills import OLD, SEED, crash_rounds, operations, simulated_days, strike_and_recover

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


def test_thirty_days_each_with_a_fault(published: Bench) -> None:
    simulated_days(published, DAYS, random.Random(SEED))
    print(f"{len(DAYS)} days, seed {SEED}")
