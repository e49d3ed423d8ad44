"""Does one step of a day: it holds the day, reuses an earlier result if there is one, and writes the receipt.

The receipt lies beside the step's files; the outcome goes to log and ledger, whatever it is.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from daybook.ledger import fingerprint
from daybook.ledger.chain import check_chain, files_read
from daybook.ledger.fingerprint import check_one_version
from daybook.ledger.receipt import STEPS, Done, Receipt
from daybook.ledger.step_rows import Trying, done, failed
from daybook.ledger.turns import Turns
from daybook.run import reuse
from daybook.run.away import waiting_for_servers
from daybook.run.day_run import DayRun
from daybook.run.step_run import StepRun
from daybook.spec import Pipeline
from daybook.storage.progress import forget as forget_progress
from daybook.storage.shortage import shortage_errors

log = logging.getLogger(__name__)


def run_step(step: Callable[[StepRun], Done], day_run: DayRun) -> dict[str, object]:
    """Do a step of a day, or reuse the same step of an earlier run; return names, counts and hashes.

    Errors of the step pass through; raises BrokenChain if an earlier step of this run was not done, or rests on an
    older result; BadSpec if another version did it. The receipt is written, and its line logged, only if the step is
    done.
    """
    with _only_writer(day_run, step.__name__) as work:
        # It holds raw and refused rows, which may be about people.
        day_run.folder.make_private()
        _check_steps_before(work)
        receipt = _taken_over(work) or _receipt(work, step(work))
        _close(work, receipt)
    return receipt.counts()


@contextmanager
def _only_writer(day_run: DayRun, name: str) -> Iterator[StepRun]:
    """Work on a step as the day's only writer, and write its outcome to the ledger."""
    work, pipeline = StepRun(day_run, name), day_run.pipeline
    trying = Trying(pipeline.name, day_run.day, day_run.run, name, day_run.started_by, work.meter.started_at)
    turns = day_run.turns or Turns(partial(day_run.postgres, pipeline.target.connection))
    shortage = partial(shortage_errors, f"{pipeline.name} {day_run.day}, {name}", lambda: work.meter.peak_memory_mib)
    waiting = partial(waiting_for_servers, day_run, work.folder)
    with waiting("the warehouse"), shortage(), turns.of(trying):
        try:
            with waiting(_servers(pipeline, name)), shortage(), work.opened:
                yield work
            forget_progress(work.folder)
        except Exception as error:
            forget_progress(work.folder)
            turns.note(failed(trying, error, work.fingerprint))
            raise
        turns.note(done(trying, work.receipt(name)))


def _servers(pipeline: Pipeline, step: str) -> str:
    """Return which servers a step asks, in words."""
    by_step = {"extract_tables": pipeline.tables, "extract_files": pipeline.files}
    if step not in by_step:
        return "the warehouse"
    return f"the servers of {', '.join(source.name for source in by_step[step])}"


def _check_steps_before(work: StepRun) -> None:
    # The two extracts run side by side, and read nothing from each other.
    if work.name in STEPS[:2]:
        return
    day_run = work.day_run
    found = {step: day_run.receipt_if_done(step) for step in STEPS[: STEPS.index(work.name)]}
    receipts = {step: receipt for step, receipt in found.items() if receipt}
    check_chain(receipts, work.name, f"{day_run.pipeline.name} {day_run.day}")
    work.keep(receipts)
    check_one_version(work.version, receipts, work.name)


def _taken_over(work: StepRun) -> Receipt | None:
    """Reuse the result of an earlier run with the same fingerprint; return this run's receipt of it, or None."""
    if work.name not in fingerprint.FINGERPRINTED_STEPS:
        return None
    work.fingerprint = work.version(work.name).with_inputs(_what_it_reads(work))
    # Only asking a source shows what it holds now: the extracts are done each time.
    is_asked_anew = work.day_run.is_forced or not fingerprint.READS[work.name]
    earlier = None if is_asked_anew else reuse.earlier(work.day_run, work.name, work.fingerprint)
    if earlier is None:
        return None
    for name in earlier.receipt.outputs:
        work.folder.take(name, earlier.folder)
    now: dict[str, Any] = {"pipeline": work.pipeline.name, "run": work.day_run.run, "reused_from": earlier.receipt.run}
    now["overrides"] = dict(work.day_run.overrides)
    return earlier.receipt.model_copy(update=now | _cost(work))


def _what_it_reads(work: StepRun) -> dict[str, str]:
    if work.name in STEPS[:2]:
        return {}
    files = files_read(work.name, work.receipts_before())
    return files | work.mends.inputs if work.name == "load" else files


def _receipt(work: StepRun, did: Done) -> Receipt:
    day_run = work.day_run
    return Receipt(
        **dict(did),
        **_cost(work),
        pipeline=day_run.pipeline.name,
        day=day_run.day,
        run=day_run.run,
        step=work.name,
        inputs=work.inputs,
        outputs=work.outputs,
        fingerprint=work.fingerprint,
        overrides=dict(day_run.overrides),
    )


def _cost(work: StepRun) -> dict[str, Any]:
    meter = work.meter
    return {"started_at": meter.started_at, "seconds": meter.seconds, "peak_memory_mib": meter.peak_memory_mib}


def _close(work: StepRun, receipt: Receipt) -> None:
    """Write the receipt, remember the run for reuse, and log the receipt's line."""
    with work.folder.new_file("receipt.json") as file:
        file.write(receipt.model_dump_json(indent=1).encode())
    if work.fingerprint:
        reuse.remember(work.day_run, work.name, work.fingerprint)
    work.keep({work.name: receipt})
    log.info("%s", receipt.line())
