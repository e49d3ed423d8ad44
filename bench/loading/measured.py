"""One loader on one file, in a process of its own: `python -m loading.measured LOADER FILE [check]`.

Prints a line of JSON: the wall and CPU seconds, the peak memory in MiB and the rows; with `check` also the bad lines
that it found and the rows that it let in, compared with the truth; or why it refuses the file.
"""

import json
import resource
import sys
import time
from typing import Any

from loading import loaders


def main(loader: str, path: str, what: str = "time") -> None:
    """Measure or check, and print."""
    read = getattr(loaders, loader)()
    began, cpu = time.monotonic(), _cpu_s()
    try:
        reading = read(path)
        tables = list(reading.tables) if what == "check" else []
        rows = sum(map(_rows, tables or reading.tables))
        refused = None
    except Exception as error:
        rows, refused = 0, f"{type(error).__name__}: {error}"
    told = {"rows": rows, "refused": refused, "seconds": time.monotonic() - began, "cpu_s": _cpu_s() - cpu}
    if what == "check" and not refused:
        from loading.truth import held_against_truth

        told |= held_against_truth(tables, set(reading.bad_lines), path)
    print(json.dumps(told | {"peak_mib": _peak_mib()}))


def _rows(table: Any) -> int:
    return table.num_rows if hasattr(table, "num_rows") else len(table)


def _cpu_s() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 2**20 if sys.platform == "darwin" else peak / 2**10


if __name__ == "__main__":
    main(*sys.argv[1:])
