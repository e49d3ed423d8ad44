"""A run is done by one version: no step goes on from what other code, another spec or other libraries made in it.

Where a pipeline was changed while a run of it was under way, a part of the day would rest on the old and a part on the
new, and nobody could say later which number came from where. Each receipt names what its step was done by.
"""

from daybook import fingerprint
from daybook.errors import BadSpec
from daybook.receipt import Receipt
from daybook.spec import Pipeline

WORDS = {"spec": "another spec", "code": "other code", "libraries": "other libraries"}


def check_one_version(pipeline: Pipeline, receipts: dict[str, Receipt], next_step: str) -> None:
    """Check that a run's earlier steps would be done now as they were done then.

    receipts: of this run, by step. Raises BadSpec, naming the first step that has to be done again.
    """
    for step, receipt in receipts.items():
        if step in fingerprint.STEPS and (part := fingerprint.changed_part(step, receipt.fingerprint, pipeline)):
            raise BadSpec(
                f"{pipeline.name} {receipt.day}: `{step}` of this run was done with {WORDS[part]} than there is now"
                f" ({_difference(step, part, receipt, pipeline)}); `{next_step}` was not done, nothing was published;"
                f" clear `{step}` and all after it in this run, or trigger the day again"
            )


def _difference(step: str, part: str, receipt: Receipt, pipeline: Pipeline) -> str:
    was, now = receipt.fingerprint, fingerprint.fingerprint(step, pipeline, {})
    then, today = (getattr(known, part, "unknown") for known in (was, now))
    return f"{then} then, {today} now" if part == "libraries" else f"{part} {then[:8]} then, {today[:8]} now"
