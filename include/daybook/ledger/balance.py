"""Whether the nine steps of a day balance: no row is lost or added between two of them, or within one."""

from collections.abc import Iterator

from daybook.errors import DaybookError
from daybook.ledger.receipt import Receipt


class Unbalanced(DaybookError):
    """A bug or a damaged file: rows were lost or added between two steps. The day is not published."""


def check_balance(receipts: dict[str, Receipt], facts: str) -> None:
    """Check that no row was lost or added from `load` to `save`.

    receipts: by step. facts: the source whose rows are aggregated. Raises Unbalanced with every gap.
    """
    gaps = [*_within(receipts), *_between(receipts), *_over_groups(receipts, facts)]
    if gaps:
        raise Unbalanced(f"the rows do not balance; nothing was published: {'; '.join(gaps)}")


def _within(receipts: dict[str, Receipt]) -> Iterator[str]:
    for step, receipt in receipts.items():
        for name, rows in receipt.rows.items():
            if not rows.is_balanced:
                lines = f"; lines: {rows.lines.model_dump()}" if rows.lines else ""
                yield f"{step}, {name}: {rows.read} read, {rows.kept} kept, the rest is not all accounted for{lines}"


def _between(receipts: dict[str, Receipt]) -> Iterator[str]:
    followers = (("extract_tables", "load"), ("load", "clean"), ("clean", "index"))
    for before, after in followers:
        for name, rows in receipts[before].rows.items():
            given, taken = rows.kept, receipts[after].rows[name].read
            if given != taken:
                yield f"{name}: {before} gave {given} rows, {after} read {taken}"


def _over_groups(receipts: dict[str, Receipt], facts: str) -> Iterator[str]:
    indexed, aggregated = receipts["index"].rows[facts].kept, receipts["aggregate"].rows[facts]
    if indexed != aggregated.read:
        yield f"{facts}: index gave {indexed} rows, aggregate read {aggregated.read}"
    for name, rows in receipts["summarize"].rows.items():
        if (behind := rows.kept + rows.below_top) != aggregated.kept:
            yield f"summary {name}: {behind} rows stand behind it, {aggregated.kept} were aggregated"
    for name, rows in receipts["save"].rows.items():
        made = receipts["summarize"].outputs[f"{name}.parquet"].rows
        if rows.kept != made:
            yield f"summary {name}: summarize made {made} rows, the warehouse holds {rows.kept}"
