"""A person's answer about held days, as Airflow's Required Actions and `./daybook release` give it."""

from typing import NamedTuple

from daybook.ledger.decisions import Release

PUBLISH, LEAVE = OPTIONS = ("Publish", "Leave it unpublished")


class Decided(NamedTuple):
    """A person's answer: who and why, and the held days to publish; the others stay as they are. None is all."""

    by: Release
    days: frozenset[str] | None
