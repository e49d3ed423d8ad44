"""The name of a run's folder: the scheduler's own if it is plain, else one that no other run can have.

Two names never share a folder, also on a disk that takes small and capital letters for the same.
"""

import hashlib
import re

from daybook.errors import BadSpec

BY_FINGERPRINT = "by_fingerprint"
OF_RUNS = "of_runs"
# Names that lead out of a day's folder, or that other files of it have.
TAKEN = ("", ".", "..", BY_FINGERPRINT, OF_RUNS)
LONGEST_PLAIN = 150
# Small letters are plain, and so is the T of an instant, as in 2013-01-05T05; there a small t is then not.
NOT_PLAIN = re.compile(r"[^a-z0-9_.T-]|(?<![0-9])T|T(?![0-9])|(?<=[0-9])t(?=[0-9])|^\.")
HASH_SIGNS = 24


def check_run_name(run: str) -> None:
    """Raise BadSpec if a run cannot have a name: it is that of other files in the data folder."""
    if run in TAKEN or run.startswith("."):
        raise BadSpec(
            f"{run!r} is not a name for a run: the data folder has other files of that name, or names with a dot first "
            "are for files half written; nothing was done; trigger the day again under another name, or under none"
        )


def folder_name(run: str) -> str:
    """Return the name of a run's folder; if the run's own is not plain, it ends in `~` and a hash of it."""
    if run not in TAKEN and len(run) <= LONGEST_PLAIN and not NOT_PLAIN.search(run):
        return run
    readable = former_folder_name(run)[: LONGEST_PLAIN - HASH_SIGNS].strip(".") or "run"
    return f"{readable}~{hashlib.sha256(run.encode()).hexdigest()[:HASH_SIGNS]}"


def former_folder_name(run: str) -> str:
    """Return the name that version 0.1.0 gave the folder of a run: several runs could share it."""
    return re.sub(r"[^A-Za-z0-9_.-]", "_", run)
