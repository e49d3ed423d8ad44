"""A run is done by one version: no step goes on from what other code, another spec or other libraries made in it.

Where a pipeline was changed while a run of it was under way, a part of the day would rest on the old and a part on the
new, and nobody could say later which number came from where. Each receipt names what its step was done by.
"""

from collections.abc import Callable

from daybook import fingerprint
from daybook.errors import BadSpec
from daybook.fingerprint import Fingerprint
from daybook.receipt import Receipt

WORDS = {"spec": "another spec", "code": "other code", "libraries": "other libraries"}


def check_one_version(version: Callable[[str], Fingerprint], receipts: dict[str, Receipt], next_step: str) -> None:
    """Check that a run's earlier steps would be done now as they were done then.

    version: gives a step's fingerprint as it is now, its inputs apart. receipts: of this run, by step. Raises BadSpec,
    naming the first step that has to be done again.
    """
    for step, receipt in receipts.items():
        if step not in fingerprint.STEPS:
            continue
        was, now = receipt.fingerprint, version(step)
        if part := fingerprint.changed_part(step, was, now):
            raise BadSpec(
                f"{receipt.pipeline} {receipt.day}: `{step}` of this run was done with {WORDS[part]} than there is now"
                f" ({_difference(part, was, now)}); `{next_step}` was not done, nothing was published;"
                f" clear `{step}` and all after it in this run, or trigger the day again"
            )


def _difference(part: str, was: Fingerprint | None, now: Fingerprint) -> str:
    then, today = (getattr(known, part, "unknown") for known in (was, now))
    return f"{then} then, {today} now" if part == "libraries" else f"{part} {then[:8]} then, {today[:8]} now"
