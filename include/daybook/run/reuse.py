"""Reuse: a step is not done again if an earlier run of the day did it with the same inputs, spec, code and libraries.

A small file for each fingerprint says which run did the step; that run's receipt and files must exist, unchanged.
"""

from typing import NamedTuple

from daybook.ledger.receipt import Fingerprint, Receipt
from daybook.ledger.stored_receipt import parsed
from daybook.run.day_run import DayRun
from daybook.storage.folder import Folder


class Earlier(NamedTuple):
    """The same step of an earlier run of the day: its folder and its receipt."""

    folder: Folder
    receipt: Receipt


def earlier(day_run: DayRun, step: str, wanted: Fingerprint) -> Earlier | None:
    """Return an earlier run's step with this fingerprint, or None if there is none or its files are not whole."""
    days, run = day_run.data.day(day_run.pipeline.name, day_run.day), _known(day_run).content(_name(step, wanted))
    # Only a name that is there: a damaged hint could name any place.
    folder = next((days / name / step for name in days.names() if run == name.encode()), None)
    receipt = _whole_receipt(folder) if folder else None
    if folder is None or receipt is None or receipt.fingerprint != wanted:
        return None
    # A renamed pipeline's receipts have the name that it had then.
    is_same = (receipt.day, receipt.step) == (day_run.day, step)
    return Earlier(folder, receipt) if is_same else None


def remember(day_run: DayRun, step: str, done: Fingerprint) -> None:
    """Note that this run did a step with this fingerprint. It may be lost: the step is then done again."""
    _known(day_run).write_hint(_name(step, done), day_run.folder.path.name)


def _known(day_run: DayRun) -> Folder:
    return day_run.data.by_fingerprint(day_run.pipeline.name, day_run.day)


def _name(step: str, fingerprint: Fingerprint) -> str:
    return f"{step}-{fingerprint.key}"


def _whole_receipt(folder: Folder) -> Receipt | None:
    receipt = parsed(folder.content("receipt.json") or b"")
    if receipt is None:
        return None
    outputs = receipt.outputs.items()
    is_whole = all(folder.has(name) and folder.written(name).sha256 == output.sha256 for name, output in outputs)
    return receipt if is_whole else None
