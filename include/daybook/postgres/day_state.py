"""What the rows that a day reads of a table are, as the ledger keeps it and a plan compares it."""

from typing import NamedTuple


class DayState(NamedTuple):
    """The rows that a day reads: their number, and a hash of them or the latest change; equal if the rows are."""

    rows: int
    content: str
