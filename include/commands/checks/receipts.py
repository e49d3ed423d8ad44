"""The receipts in the folders of the runs: each can be read, and is about the day and the step where it lies."""

from collections.abc import Iterator
from datetime import date

from commands.checks.finding import Finding
from commands.checks.place import Place
from daybook.ledger.stored_receipt import parsed
from daybook.storage.folder import Folder
from daybook.text import counted

CHECK = "receipts"


def receipts(place: Place) -> Iterator[Finding]:
    """Read every receipt."""
    count, is_well = 0, True
    for pipeline, day, step in place.data.steps_done():
        count += 1
        if wrong := _wrong(place, pipeline, day, step):
            is_well = False
            mend = "clear this task and all after it, or run the day again: `./daybook day"
            yield Finding(
                CHECK, "mend", f"{step.path}/receipt.json: {wrong}", f"{mend} {day} --force --pipeline {pipeline}`"
            )
    if is_well:
        yield Finding(CHECK, "well", f"{counted(count, 'receipt')} can be read")


def _wrong(place: Place, pipeline: str, day: date, step: Folder) -> str:
    receipt = parsed(step.content("receipt.json") or b"")
    if receipt is None:
        return "it is damaged"
    folder = place.data.run(pipeline, day, receipt.run).path
    if (receipt.pipeline, receipt.day, folder / receipt.step) == (pipeline, day, step.path):
        return ""
    return f"it is about {receipt.pipeline} {receipt.day}, {receipt.step} of run {receipt.run}"
