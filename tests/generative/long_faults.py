"""What soak.py runs: too long for `make test`, which does not find this file by its name."""

import itertools
import os
import random
import shutil
import time

import pytest

from tests.support.bench import DAY, Bench
from tests.support.recovery import SEED, crash_rounds, operations, simulated_days, strike_and_recover

EACH = int(os.environ.get("DAYBOOK_FAULT_EACH", "1"))
DAYS = [f"2013-02-{number:02}" for number in range(1, 29)] + ["2013-03-01", "2013-03-02"]


@pytest.mark.parametrize("how", ["kill", "fail", "full"])
def test_every_operation_may_be_the_last(published: Bench, how: str, capfd: pytest.CaptureFixture[str]) -> None:
    names, began = operations(published), time.monotonic()
    struck = 0
    for at in itertools.count(1 + SEED % EACH, EACH):
        name = names[at - 1] if at <= len(names) else "after the last"
        # A disk is full for files only.
        if how != "full" or not name.startswith("sql"):
            if not strike_and_recover(published, f"run_{at}", at, how):
                break
            struck += 1
            forget(published, f"run_{at}")
        with capfd.disabled():
            print(f"{how} {at} of {len(names)}, {time.monotonic() - began:.0f} s: {name}", flush=True)
    with capfd.disabled():
        print(f"{how}: struck at {struck} operations, until a run passed untouched", flush=True)


def forget(bench: Bench, run: str) -> None:
    """Remove the folder of a run, as the janitor does after some days: each check reads all that there are."""
    shutil.rmtree(bench.servers.data / "days" / bench.pipeline.name / DAY / run)


def test_crash_fifty_times(published: Bench) -> None:
    crash_rounds(published, 50, random.Random(SEED))


def test_thirty_days_each_with_a_fault(published: Bench) -> None:
    simulated_days(published, DAYS, random.Random(SEED))
