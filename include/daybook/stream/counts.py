"""The counts of a step's rows, as its receipt has them."""

import pyarrow as pa

from daybook.ledger.receipt import Rows, by_reason


def rows_of(read: int, kept: int, refused: pa.Table, dropped: dict[str, int]) -> Rows:
    """Return the counts of a source's rows. refused: with `column` and `reason`."""
    reasons = by_reason(refused.select(["column", "reason"]).to_pylist())
    return Rows(read=read, kept=kept, refused=reasons, dropped=dropped)
