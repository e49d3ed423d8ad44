"""A person's answer about held days, as Airflow's Required Actions and `./daybook release` give it."""

from typing import NamedTuple

from daybook.ledger.decisions import Release

PUBLISH, LEAVE = OPTIONS = ("Publish", "Leave it unpublished")


class Decided(NamedTuple):
    """A person's answer: who and why, and the held days to publish; the others stay as they are. None is all.

    by: a text if nobody answered: how long they were asked.
    """

    by: Release | str
    days: frozenset[str] | None

    @property
    def left(self) -> str:
        """Return the end of a message about a day that stays as it is."""
        if isinstance(self.by, str):
            return f"nobody decided within {self.by}, so it stays held"
        return f"{self.by.who} left it unpublished: {self.by.why}"
