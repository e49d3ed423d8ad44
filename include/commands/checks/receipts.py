"""The receipts in the folders of the runs: each can be read, and is about the day and the step where it lies."""

from collections.abc import Iterator
from datetime import date

from commands.checks.finding import Finding
from commands.checks.place import Place
from daybook.errors import DaybookError
from daybook.ledger.receipt import Receipt
from daybook.storage.folder import Folder

CHECK = "receipts"


def receipts(place: Place) -> Iterator[Finding]:
    """Read every receipt."""
    count, is_well = 0, True
    for pipeline, day, step in place.data.steps_done():
        count += 1
        if wrong := _wrong(pipeline, day, step):
            is_well = False
            mend = "clear this task and all after it, or `./daybook day` runs the day again"
            yield Finding(CHECK, "mend", f"{step.path}/receipt.json: {wrong}", f"{mend}: {day} --pipeline {pipeline}")
    if is_well:
        yield Finding(CHECK, "well", f"{count} receipts can be read")


def _wrong(pipeline: str, day: date, step: Folder) -> str:
    try:
        with step.open("receipt.json") as file:
            receipt = Receipt.model_validate_json(file.read())
    except (ValueError, DaybookError, OSError):
        return "it is damaged"
    found = (receipt.pipeline, receipt.day, receipt.step)
    if found == (pipeline, day, step.path.name):
        return ""
    return f"it is about {receipt.pipeline} {receipt.day}, {receipt.step}"
