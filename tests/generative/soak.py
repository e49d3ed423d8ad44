"""The long faults: `python tests/generative/soak.py every|crash|days [--seed N] [--each N]`, from the root folder.

every: a kill, a failure and a full disk at every operation of a day, an hour's work; --each 10 takes every tenth.
crash: the server killed 50 times. days: 30 simulated days, each with a fault by chance. The seed is printed first; the
same seed gives the same faults.
"""

import argparse
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CASES = {"every": "every_operation", "crash": "crash_fifty", "days": "thirty_days"}


def main() -> int:
    """Run what was asked for under pytest, which brings the servers."""
    import pytest

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("case", choices=CASES)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big") + 1)
    parser.add_argument("--each", type=int, default=1)
    asked = parser.parse_args()
    print(f"seed {asked.seed}", flush=True)
    os.environ |= {"DAYBOOK_FAULT_SEED": str(asked.seed), "DAYBOOK_FAULT_EACH": str(asked.each)}
    words = ["-q", "-p", "no:cacheprovider", "--timeout=0", "-k", CASES[asked.case]]
    return int(pytest.main([*words, str(ROOT / "tests" / "generative" / "long_faults.py")]))


if __name__ == "__main__":
    sys.exit(main())
