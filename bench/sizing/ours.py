"""Daybook's steps from `load` to `summarize` on a generated day, each in a process forked for it, without servers.

    python -m sizing.ours ENGINE FOLDER       prints a line of JSON for each step: seconds, CPU seconds, peak MiB

As the scheduler does it, a step begins in a process that has imported the libraries, and leaves files and a receipt.
"""

import json
import os
import pickle
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from daybook.pipelines import load_pipelines
from sizing.flights import DAY
from tests.support.offline import OfflineDay

STEPS = ("load", "clean", "index", "aggregate")


def main(engine: str, folder: Path) -> None:
    """Do the steps, and print what each took."""
    pipeline = load_pipelines().good["flights"].model_copy(update={"engine": engine})
    extracted = {source.name: folder / f"{source.name}.csv" for source in pipeline.sources}
    with tempfile.TemporaryDirectory(dir=folder) as data:
        day = OfflineDay(pipeline, DAY, Path(data), extracted)
        for step in STEPS:
            told, day.receipts = forked(partial(done, day, step))
            print(json.dumps({"step": step, **told}), flush=True)
        told, flights = forked(lambda: sum(by_day(day)))
        print(json.dumps({"step": "summarize", **told, "flights": flights}), flush=True)


def done(day: OfflineDay, step: str) -> dict[str, Any]:
    """Do a step; return the receipts."""
    day.do(step)
    return day.receipts


def by_day(day: OfflineDay) -> list[int]:
    """Return the flights of the day, from its published summary."""
    header, row = day.published()["by_day.csv"].decode().splitlines()
    return [int(row.split(",")[header.split(",").index('"flights"')])]


def forked(do: Callable[[], Any]) -> tuple[dict[str, Any], Any]:
    """Return what a function took in a process of its own, and what it returned."""
    reading, writing = os.pipe()
    began = time.monotonic()
    pid = os.fork()
    if not pid:
        os.write(writing, pickle.dumps(do()))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        content = pipe.read()
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"a step ended with {status}")
    took = {"seconds": time.monotonic() - began, "cpu_s": usage.ru_utime + usage.ru_stime}
    return took | {"peak_mib": usage.ru_maxrss / 1024}, pickle.loads(content)  # noqa: S301 - of our own child


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
