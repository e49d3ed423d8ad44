"""The long fuzz run: `python -m tests.generative.fuzz [cases] [first seed]`. Prints the seed of a case that fails."""

import sys
import time
from random import Random

from tests.generative.mutations import body, contract, mutated
from tests.generative.test_agreement import assert_agreement, outcome

SLOW_S = 5


def main(cases: int = 100_000, first: int = 0) -> None:
    """Load so many damaged files, and blocks of them by both ways."""
    began = time.monotonic()
    for seed in range(first, first + cases):
        try:
            _case(Random(seed))
        except BaseException:
            print(f"failed with seed {seed}", flush=True)
            raise
    print(
        f"{cases:,} cases in {time.monotonic() - began:.0f} s, from seed {first} on: no crash, no hang, no difference"
    )


def _case(random: Random) -> None:
    header, source = contract(random)
    began = time.monotonic()
    block = mutated(random, body(random, header, source), random.randrange(8))
    assert_agreement(block, header, source, is_last=not block.endswith(b"\n") or random.random() < 0.5)
    file = mutated(random, f"{header}\n".encode() + block, random.choice([0, 1]))
    assert outcome(file, source, block_bytes=random.choice([1, 9, 100])) == outcome(file, source)
    assert time.monotonic() - began < SLOW_S


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
