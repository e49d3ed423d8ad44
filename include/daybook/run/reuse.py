"""Reuse: a step is not done again if an earlier run of the day did it with the same inputs, spec, code and libraries.

A small file for each fingerprint says which run did the step; that run's receipt and files must exist, unchanged.
"""

from typing import NamedTuple

from daybook.ledger.receipt import Fingerprint, Receipt
from daybook.run.day_run import DayRun
from daybook.storage.folder import Folder


class Earlier(NamedTuple):
    """The same step of an earlier run of the day: its folder and its receipt."""

    folder: Folder
    receipt: Receipt


def earlier(day_run: DayRun, step: str, wanted: Fingerprint) -> Earlier | None:
    """Return an earlier run's step with this fingerprint, or None if there is none or its files are not whole."""
    known, name = _known(day_run), _name(step, wanted)
    if not known.has(name):
        return None
    folder = day_run.data.day(day_run.pipeline.name, day_run.day) / known.text(name) / step
    receipt = _whole_receipt(folder)
    return Earlier(folder, receipt) if receipt and receipt.fingerprint == wanted else None


def remember(day_run: DayRun, step: str, done: Fingerprint) -> None:
    """Note that this run did a step with this fingerprint. It may be lost: the step is then done again."""
    _known(day_run).write_hint(_name(step, done), day_run.folder.path.name)


def _known(day_run: DayRun) -> Folder:
    return day_run.data.by_fingerprint(day_run.pipeline.name, day_run.day)


def _name(step: str, fingerprint: Fingerprint) -> str:
    return f"{step}-{fingerprint.key}"


def _whole_receipt(folder: Folder) -> Receipt | None:
    if not folder.has("receipt.json"):
        return None
    receipt = Receipt.model_validate_json(folder.text("receipt.json"))
    outputs = receipt.outputs.items()
    is_whole = all(folder.has(name) and folder.written(name).sha256 == output.sha256 for name, output in outputs)
    return receipt if is_whole else None
