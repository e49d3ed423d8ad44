"""What soak.py runs: too long for `make test`, which does not find this file by its name."""

import os
import random

import pytest

from .invariants import Bench
from .recovery import SEED, crash_rounds, operations, simulated_days, strike_and_recover

EACH = int(os.environ.get("DAYBOOK_FAULT_EACH", "1"))
DAYS = [f"2013-02-{number:02}" for number in range(1, 29)] + ["2013-03-01", "2013-03-02"]


@pytest.mark.parametrize("how", ["kill", "fail", "full"])
def test_every_operation_may_be_the_last(published: Bench, how: str) -> None:
    names = operations(published)
    struck = range(1 + SEED % EACH, len(names) + 1, EACH)
    for at in struck:
        if how != "full" or not names[at - 1].startswith("sql"):
            strike_and_recover(published, f"run_{at}", at, how)
    print(f"{how}: {len(struck)} of {len(names)} operations")


def test_crash_fifty_times(published: Bench) -> None:
    crash_rounds(published, 50, random.Random(SEED))


def test_thirty_days_each_with_a_fault(published: Bench) -> None:
    simulated_days(published, DAYS, random.Random(SEED))
    print(f"{len(DAYS)} days, seed {SEED}")
