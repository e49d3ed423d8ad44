"""What the steps rest on beside their inputs, as it is now: spec, code and libraries. Pure.

All days of a plan whose runs had the same values share it: to compute a fingerprint takes longer than all else that is
decided about a day.
"""

import json
from collections.abc import Iterable
from typing import Any

from daybook.ledger import fingerprint
from daybook.ledger.receipt import Fingerprint, Receipt
from daybook.planning.standing import Failure
from daybook.spec import Pipeline


class Ground:
    """A pipeline, and the present fingerprint of each of its steps, computed when it is first asked for."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Remember the pipeline; nothing is computed yet."""
        self.pipeline = pipeline
        self._now: dict[str, Fingerprint] = {}

    def changed(self, receipts: dict[str, Receipt], steps: Iterable[str]) -> tuple[str, str] | None:
        """Return the first of some steps whose spec, code or libraries are not those of its receipt, and which."""
        for step in steps:
            if step not in fingerprint.FINGERPRINTED_STEPS or step not in receipts:
                continue
            if part := fingerprint.changed_part(step, receipts[step].fingerprint, self._fingerprint(step)):
                return step, f"{part} changed: {step}"
        return None

    def changed_since(self, failure: Failure) -> tuple[str, str] | None:
        """Return what changed of a failed step itself; a part that is not known counts as unchanged."""
        if failure.step not in fingerprint.FINGERPRINTED_STEPS:
            return None
        now = self._fingerprint(failure.step)
        was = {"spec": failure.spec_sha256, "code": failure.code_sha256, "libraries": failure.libraries}
        known = now.model_copy(update={part: value for part, value in was.items() if value is not None})
        part = fingerprint.changed_part(failure.step, known, now)
        return (failure.step, f"{part} changed: {failure.step}") if part else None

    def _fingerprint(self, step: str) -> Fingerprint:
        if step not in self._now:
            self._now[step] = fingerprint.fingerprint(step, self.pipeline)
        return self._now[step]


class Grounds:
    """The ground of each day of a plan: the pipeline's, or that with the values that the day's last run had set."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Remember the pipeline."""
        self._pipeline = pipeline
        self._known: dict[str, Ground] = {}

    def of(self, receipts: dict[str, Receipt]) -> Ground:
        """Return the ground of a day whose last run left these receipts, by step.

        A value that the spec does not let a run set any more is the spec's.
        """
        had = next((receipt.overrides for receipt in receipts.values() if receipt.overrides), {})
        return self._with({path: value for path, value in had.items() if path in self._pipeline.may_override})

    def _with(self, values: dict[str, Any]) -> Ground:
        key = json.dumps(values, sort_keys=True)
        if key not in self._known:
            self._known[key] = Ground(self._pipeline.overridden(values))
        return self._known[key]
