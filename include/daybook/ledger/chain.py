"""The chain of a run's receipts: each step must rest on what the steps before it hold now. Pure.

Whoever clears some tasks of a run, or marks one as success by hand, can leave a step whose input was made anew since,
or that was never done. The first such step is the broken link: it and all after it have to be done again. Each step
checks the links before it (run/run_step.py), and the plan of days all of them (planning/plan.py).
"""

import hashlib
from collections.abc import Mapping
from typing import NamedTuple

from daybook.errors import BrokenChain
from daybook.ledger.code import digest
from daybook.ledger.fingerprint import READS
from daybook.ledger.receipt import STEPS, Receipt
from daybook.spec import Pipeline

# The mended records of a run, among the files of `load`; only a run with mends has it.
MENDED = "mended.parquet"
SHOWN = 8  # of a hash


class Broken(NamedTuple):
    """The first step of a run that has no receipt, or rests on an older result. makers: the steps whose results are
    newer, none if it has no receipt. file: what the step read of them, if known."""

    step: str
    makers: tuple[str, ...] = ()
    file: str = ""

    @property
    def reason(self) -> str:
        """Return why a plan has the step done again: "input changed: load rests on an older extract_files"."""
        if not self.makers:
            return f"never done: {self.step}"
        return f"input changed: {self.step} rests on an older {' or '.join(self.makers)}"


def files_read(step: str, receipts: Mapping[str, Receipt]) -> dict[str, str]:
    """Return the hash of each file of the earlier steps that a step depends on, by "step/name".

    receipts: of the run, by step. Without mends it is the same as before there were mends.
    """
    before = {maker: receipts[maker] for maker in READS[step]}
    files = {f"{maker}/{name}": file.sha256 for maker, r in before.items() for name, file in r.outputs.items()}
    mended = receipts["load"].outputs.get(MENDED) if step == "index" else None
    return files | ({f"load/{MENDED}": mended.sha256} if mended else {})


def broken(receipts: Mapping[str, Receipt], steps: tuple[str, ...] = STEPS) -> Broken | None:
    """Return the first of some steps that does not rest on what the steps before it hold now, or None.

    receipts: of one run, by step. steps: from the first one on, in the order of the work.
    """
    return next(filter(None, (_broken(step, receipts) for step in steps)), None)


def check_chain(receipts: Mapping[str, Receipt], next_step: str, where: str) -> None:
    """Check the links of all steps before a step. Raises BrokenChain that says what to clear.

    receipts: of this run, by step. where: the pipeline and the day, for the message.
    """
    found = broken(receipts, STEPS[: STEPS.index(next_step)])
    if found:
        raise BrokenChain(
            f"{where}: `{found.step}` of this run {_in_words(found, receipts)}; `{next_step}` was not done, nothing "
            f"was published; clear `{found.step}` and everything downstream of it"
        )


def content_sha256(pipeline: Pipeline, summarized: Receipt) -> str:
    """Return the hash of a run's published content: of the files of its views, in the spec's order."""
    hashes = (summarized.outputs[f"{summary.name}.parquet"].sha256 for summary in pipeline.views)
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def _broken(step: str, receipts: Mapping[str, Receipt]) -> Broken | None:
    receipt = receipts.get(step)
    return Broken(step) if receipt is None else _older_file(receipt, receipts) or _older_ground(receipt, receipts)


def _older_file(receipt: Receipt, receipts: Mapping[str, Receipt]) -> Broken | None:
    for path, sha256 in receipt.inputs.items():
        maker, _, file = path.partition("/")
        if maker in STEPS and sha256 != _sha256(receipts[maker], file):
            return Broken(receipt.step, (maker,), file)
    return None


def _older_ground(receipt: Receipt, receipts: Mapping[str, Receipt]) -> Broken | None:
    """Compare all that a step depends on: also files that came since, or that only its fingerprint names."""
    ground, makers = receipt.fingerprint, READS.get(receipt.step)
    if ground is None or not makers:
        return None
    mends = {path: sha256 for path, sha256 in receipt.inputs.items() if path.partition("/")[0] not in STEPS}
    files = files_read(receipt.step, receipts)
    if ground.inputs == digest(files | mends):
        return None
    # The files that it read are as they were: it is one that came since, that is gone, or that only its ground names.
    others = {path.partition("/")[0] for path in files.keys() - receipt.inputs.keys()}
    return Broken(receipt.step, tuple(maker for maker in makers if maker in others) or makers)


def _sha256(maker: Receipt, file: str) -> str | None:
    made = maker.outputs.get(file)
    return made.sha256 if made else None


def _in_words(found: Broken, receipts: Mapping[str, Receipt]) -> str:
    if not found.makers:
        return "has no receipt: it was marked as success before it was done, or its receipt is damaged or gone"
    makers = " or ".join(f"`{maker}`" for maker in found.makers)
    if not found.file:
        return f"rests on an older result of {makers}"
    then = receipts[found.step].inputs[f"{found.makers[0]}/{found.file}"]
    now = _sha256(receipts[found.makers[0]], found.file)
    is_now = f"{now[:SHOWN]}… now" if now else "gone now"
    return f"rests on an older result of {makers} ({found.file}: sha256 {then[:SHOWN]}… then, {is_now})"
