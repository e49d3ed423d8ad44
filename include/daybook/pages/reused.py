"""Which steps of a run took over an earlier result, and why; and for what the others were done anew. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from daybook.ledger.fingerprint import READS
from daybook.ledger.receipt import Receipt

PARTS = {"inputs": "its input", "spec": "its part of the spec", "code": "its code", "libraries": "the libraries"}


class Made(NamedTuple):
    """How a step came to its result, in words."""

    step: str
    is_reused: bool
    said: str


def how_made(receipts: Mapping[str, Receipt], before: Mapping[str, Receipt]) -> list[Made]:
    """Return how each step came to its result. before: the receipts of the run before, by step."""
    return [_made(receipt, before.get(step)) for step, receipt in receipts.items() if receipt.fingerprint]


def _made(receipt: Receipt, before: Receipt | None) -> Made:
    if receipt.reused_from:
        same = [what for part, what in PARTS.items() if part != "inputs" or READS[receipt.step]]
        return Made(receipt.step, True, f"reused from {receipt.reused_from}: {_listed(same)} are the same as there")
    if before is None or before.fingerprint is None or receipt.fingerprint is None:
        return Made(receipt.step, False, "done: no run before it did this step")
    old, new = before.fingerprint.model_dump(), receipt.fingerprint.model_dump()
    if changed := [what for part, what in PARTS.items() if old[part] != new[part]]:
        return Made(receipt.step, False, f"done anew: {_listed(changed)} changed since {before.run}")
    return Made(receipt.step, False, f"done anew: {_although(receipt, before)}")


def _although(receipt: Receipt, before: Receipt) -> str:
    if not READS[receipt.step]:
        return f"each run asks the source what is there; {_found(receipt, before)}"
    return f"nothing changed since {before.run}, but it was asked for, or the result of then is gone"


def _found(receipt: Receipt, before: Receipt) -> str:
    hashes = [{name: output.sha256 for name, output in one.outputs.items()} for one in (before, receipt)]
    return "it found the same" if hashes[0] == hashes[1] else "it found something else"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
