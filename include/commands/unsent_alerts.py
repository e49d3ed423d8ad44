"""The alerts that no server has taken yet, for `./daybook status`: where they lie, and why."""

from typing import NamedTuple

from daybook.alerts import message
from daybook.alerts.alert import Alert
from daybook.alerts.outbox import Outbox, Words, outbox_folder
from daybook.text import one_line


class Unsent(NamedTuple):
    """A message that is not sent: what it says, where it is to go, how often it was tried, and the last answer."""

    subject: str
    place: str
    tries: int
    error: str


def unsent_alerts() -> list[Unsent]:
    """Return the messages of this deployment's outbox that are not sent; and what nobody has looked at yet."""
    outbox = Outbox(outbox_folder())
    new = sum(1 for _ in outbox.events())
    noticed = [Unsent(f"{new} events", "anybody", 0, "no sender has looked at them yet")] if new else []
    return [*noticed, *(_unsent(words) for _, words in outbox.unsent())]


def in_words(unsent: list[Unsent]) -> list[str]:
    """Return a line for each, and one that says what sends them."""
    lines = [one_line(f"{one.subject}: not sent by {one.place}, {one.tries} tries: {one.error}") for one in unsent]
    counted = f"{len(unsent)} alerts are not sent; the next alert and `./daybook watch` try them again"
    return [*lines, *([counted] if unsent else [])]


def _unsent(words: Words) -> Unsent:
    alerts = [Alert.of(one) for one in words["alerts"]]
    subject = message.subject(alerts, is_more=bool(words["is_more"]))
    return Unsent(subject, str(words["place"]["kind"]), int(words["tries"]), str(words.get("error") or "not tried yet"))
