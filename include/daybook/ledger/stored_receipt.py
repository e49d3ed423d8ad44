"""A receipt read back from a run's folder: it may be damaged, or have come from elsewhere."""

from datetime import date

from daybook.errors import BadSpec, DaybookError
from daybook.ledger.receipt import Receipt


class UnreadableReceipt(BadSpec):
    """Clear the task: its receipt is damaged, or is that of another step, run, day or pipeline."""


def stored_receipt(content: bytes, pipeline: str, day: date, run: str, step: str) -> Receipt:
    """Return the receipt of a step of a run. Raises UnreadableReceipt if the bytes are not that."""
    what = f"{pipeline} {day}, run {run!r}: the receipt of {step}"
    receipt = parsed(content)
    if receipt is None:
        raise UnreadableReceipt(f"{what} is damaged; nothing was published; clear {step} and the tasks after it")
    wanted, found = (pipeline, day, run, step), (receipt.pipeline, receipt.day, receipt.run, receipt.step)
    if found != wanted:
        said = f"{receipt.pipeline} {receipt.day}, run {receipt.run!r}, {receipt.step}"
        raise UnreadableReceipt(
            f"{what} is another's, of {said}; nothing was published; clear {step} and the tasks after it"
        )
    return receipt


def parsed(content: bytes) -> Receipt | None:
    """Return the receipt in some bytes, or None if there is none in them."""
    try:
        return Receipt.model_validate_json(content)
    except (ValueError, TypeError, LookupError, AttributeError, DaybookError):
        # Bytes of any kind may lie there: cut, empty, not UTF-8, or other JSON.
        return None
