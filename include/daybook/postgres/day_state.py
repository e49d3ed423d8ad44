"""What a day's rows in a table are, as the ledger keeps it and a plan compares it."""

from typing import NamedTuple


class DayState(NamedTuple):
    """A day's rows: their number, and a hash of all of them or the latest change; equal if the rows are."""

    rows: int
    content: str
