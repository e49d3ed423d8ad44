"""A fault, what the scheduler would do after it, and what must then hold: shared by the tests here and by the soak."""

import os
import random
import time

from daybook.ledger.receipt import STEPS

from .bench import DAY, NEW, OLD, Bench
from .crash import kill_server

# Every operation of a day is struck in the soak; here some, chosen by chance, and those around the pointer.
SEED = int(os.environ.get("DAYBOOK_FAULT_SEED", "0")) or random.randrange(1_000_000)
STRUCK = 5


def first_step_to_try_again(bench: Bench, run: str, day: str = DAY) -> str:
    """Return the step that the scheduler would try again: the first without a receipt."""
    folder = bench.servers.work(bench.pipeline, day, run).folder
    return next((step for step in STEPS if not (folder / step).has("receipt.json")), STEPS[-1])


def strike_and_recover(bench: Bench, run: str, at: int, how: str) -> bool:
    """Publish other rows than ever before with a fault on the way, let the scheduler try again, and check everything.

    Returns whether there was an `at`-th operation to strike.
    """
    before = bench.seen(DAY)
    # Rows that no run has read yet: what is taken over from an earlier run is not written, and cannot be struck.
    bench.deliver(DAY, OLD if before[0] == NEW else NEW, first=at)
    with bench.reader(DAY) as reader:
        struck = bench.do(DAY, run, at=at, how=how)
        assert how == "kill" or list(bench.servers.data.rglob("*.tmp")) == [], struck
        for _ in range(2):
            again = bench.do(DAY, run, first=first_step_to_try_again(bench, run))
    assert again["error"] == "", f"{struck} at {at}, seed {SEED}"
    after = bench.seen(DAY)
    assert after[0] == (OLD if before[0] == NEW else NEW), f"{struck} at {at}, seed {SEED}"
    assert before in reader.seen, f"readers saw {reader.seen}; {at}, seed {SEED}"
    assert reader.seen <= {before, after}, f"readers saw {reader.seen}; {at}, seed {SEED}"
    bench.check()
    return bool(struck["exit"] or len(struck["operations"]) >= at)


def operations(bench: Bench) -> list[str]:
    """Return the operations of a whole day that publishes something new."""
    bench.deliver(DAY, NEW)
    done = bench.do(DAY, "counted")
    assert done["error"] == ""
    return list(done["operations"])


def crash_rounds(bench: Bench, rounds: int, chance: random.Random) -> None:
    """Kill the warehouse's server at a random moment while a day is saved and deployed, round after round."""
    for number in range(rounds):
        run, rows = f"round_{number}", NEW if bench.seen(DAY)[0] == OLD else OLD
        bench.deliver(DAY, rows)
        assert bench.do(DAY, run, last="summarize")["error"] == ""
        with bench.reader(DAY) as reader:
            started = bench.start(bench.job(DAY, run, first="save"))
            time.sleep(chance.uniform(0, 0.4))
            kill_server(bench.servers.postgres)
            bench.servers.postgres.start()
            told = started.end()
            assert told["error"] == "" or "SourceUnavailable" in told["error"], told
            again = bench.do(DAY, run, first=first_step_to_try_again(bench, run))
        assert again["error"] == "", f"{again}, round {number}, seed {SEED}"
        assert bench.seen(DAY)[0] == rows, f"round {number}, seed {SEED}"
        assert {flights for flights, *_ in reader.seen} <= {OLD, NEW}
        bench.check()


def simulated_days(bench: Bench, days: list[str], chance: random.Random) -> None:
    """Publish days, each with a fault by chance, and let the scheduler try each again."""
    count = len(operations(bench))
    for day in days:
        rows = chance.randint(OLD, NEW)
        bench.deliver(day, rows)
        struck = bench.do(day, "run", at=chance.randrange(1, count), how=chance.choice(["kill", "fail", "full"]))
        for _ in range(2):
            told = bench.do(day, "run", first=first_step_to_try_again(bench, "run", day))
        assert told["error"] == "", f"{day}: {struck}, seed {SEED}"
        assert bench.seen(day)[0] == rows, f"{day}: {struck}, seed {SEED}"
        bench.check()
