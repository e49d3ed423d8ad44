"""The flow of a day's rows through its steps, as bars: how many each step kept, and which left it, and why. Pure."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from daybook.ledger.receipt import Receipt, Rows
from daybook.spec import Pipeline
from daybook.text import counted

# Of the picture of a bar; a count that is not zero is seen.
WIDTH = 300
PLAIN = {
    "twin": "exact twins of a row that is kept",
    "other_day": "of another day",
    "empty_row": "empty",
    "transform": "taken out by the pipeline's transform",
}
DID = {"load": "loaded", "clean": "cleaned", "index": "indexed", "aggregate": "aggregated"}


class Left(NamedTuple):
    """Rows that left the flow in a step: what became of them ("refused", "dropped", …), why, and how many."""

    what: str
    why: str
    rows: int


class Stage(NamedTuple):
    """A stage of the flow: the step, what it did, how many rows are in the flow after it, those that left it there, and
    what else is to be said. bar, lost: the lengths of its bar, of WIDTH; the second is of those that left."""

    step: str
    did: str
    rows: int
    left: tuple[Left, ...]
    said: str
    bar: int
    lost: int


class Flow(NamedTuple):
    """The flow of a source. balance: in a sentence; is_balanced: whether every row is accounted for."""

    source: str
    stages: list[Stage]
    balance: str
    is_balanced: bool


def flows(pipeline: Pipeline, receipts: Mapping[str, Receipt]) -> list[Flow]:
    """Return the flow of each source that a run has read, the facts first. receipts: by step."""
    loaded = receipts["load"].rows if "load" in receipts else {}
    names = [pipeline.facts, *sorted(set(loaded) - {pipeline.facts})]
    return [_flow(pipeline, name, receipts) for name in names if name in loaded]


def _flow(pipeline: Pipeline, source: str, receipts: Mapping[str, Receipt]) -> Flow:
    read = receipts["load"].rows[source].read
    found = [_source(source, receipts), *_steps(source, receipts)]
    found += [*_published(receipts)] if source == pipeline.facts else []
    most = max((stage.rows for stage in found), default=0)
    stages = [_drawn(stage, most) for stage in found]
    return Flow(source, stages, *_balance(pipeline, source, read, receipts))


def _source(source: str, receipts: Mapping[str, Receipt]) -> Stage:
    step = "extract_tables" if source in _rows(receipts, "extract_tables") else "extract_files"
    return Stage(step, "in the source", receipts["load"].rows[source].read, (), "", 0, 0)


def _steps(source: str, receipts: Mapping[str, Receipt]) -> Iterator[Stage]:
    for step, did in DID.items():
        if found := _rows(receipts, step).get(source):
            yield Stage(step, did, found.kept, tuple(_left(found)), _said(step, receipts, source), 0, 0)


def _rows(receipts: Mapping[str, Receipt], step: str) -> Mapping[str, Rows]:
    return receipts[step].rows if step in receipts else {}


def _left(rows: Rows) -> Iterator[Left]:
    for what, reasons in (("refused", rows.refused), ("dropped", rows.dropped)):
        for reason, count in sorted(reasons.items()):
            yield Left(what, PLAIN.get(reason, reason), count)


def _said(step: str, receipts: Mapping[str, Receipt], source: str) -> str:
    receipt = receipts[step]
    if step == "index":
        unknown = [f"{count:,} unknown in {lookup}" for lookup, count in receipt.unknown.items() if count]
        # A lookup is matched with the facts, and its own rows have none.
        is_of_facts = "aggregate" not in receipts or source in receipts["aggregate"].rows
        return f"kept: {', '.join(unknown)}" if unknown and is_of_facts else ""
    made = receipt.outputs.get("aggregates.parquet") if step == "aggregate" else None
    return f"into {counted(made.rows, 'group')}" if made and made.rows is not None else ""


def _published(receipts: Mapping[str, Receipt]) -> Iterator[Stage]:
    """Yield a stage for each summary: the rows behind it, and how many rows readers find in it."""
    is_deployed = "deploy" in receipts
    for name, rows in sorted(_rows(receipts, "summarize").items()):
        made = receipts["summarize"].outputs.get(f"{name}.parquet")
        left = (Left("not shown", "below the first ones of the summary", rows.below_top),) if rows.below_top else ()
        saved = _rows(receipts, "save").get(name)
        did = "published in" if is_deployed else "saved for" if saved else "summed up for"
        said = f"as {counted(made.rows, 'row')}" if made and made.rows is not None else ""
        yield Stage("deploy" if is_deployed else "summarize", f"{did} {name}", rows.kept, left, said, 0, 0)


def _drawn(stage: Stage, most: int) -> Stage:
    lost = sum(left.rows for left in stage.left)
    return stage._replace(bar=_length(stage.rows, most), lost=_length(lost, most))


def _length(rows: int, most: int) -> int:
    return max(1, rows * WIDTH // most) if rows and most else 0


def _balance(pipeline: Pipeline, source: str, read: int, receipts: Mapping[str, Receipt]) -> tuple[str, bool]:
    """Return in a sentence what became of all rows that were read, and whether it is all of them."""
    found = [rows for step in DID if (rows := _rows(receipts, step).get(source))]
    refused = sum(rows.refused_rows for rows in found)
    dropped = sum(sum(rows.dropped.values()) for rows in found)
    kept = found[-1].kept
    fate = "are published" if source == pipeline.facts and "deploy" in receipts else "are kept"
    missing = read - kept - refused - dropped
    said = f"{read:,} read = {kept:,} that {fate} + {refused:,} refused + {dropped:,} dropped"
    if missing or not all(rows.is_balanced for rows in found):
        return f"{said}: {abs(missing):,} are {'missing' if missing > 0 else 'too many'}", False
    return f"{said}: every row is accounted for", True
