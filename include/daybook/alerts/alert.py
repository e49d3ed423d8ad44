"""One thing to tell: what happened to which days, what it means, what to do, and where to look."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

Kind = Literal[
    "failed", "held", "recovered", "late", "published", "behind", "followed", "broken", "mended", "dead", "alive"
]
GOOD = frozenset({"recovered", "published", "followed", "mended", "alive"})


@dataclass(frozen=True)
class Alert:
    """One thing to tell.

    subject: the pipeline, the file or the part of the deployment. days: as text. step: the task. error: its line, as it
    was raised. mend: what to do. again: the command to run again. links: addresses by what they show. about: what is
    wrong until good news names the same, such as "day flights 2013-01-05". group: alerts of one group are told
    together; the rest of those that follow soon are counted first.
    """

    kind: Kind
    subject: str
    at: str
    identity: str
    group: str
    about: tuple[str, ...]
    days: tuple[str, ...] = ()
    step: str = ""
    error: str = ""
    mend: str = ""
    again: str = ""
    run: str = ""
    notes: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_good(self) -> bool:
        """Return whether it is good news."""
        return self.kind in GOOD

    def words(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return asdict(self)

    @classmethod
    def of(cls, words: Mapping[str, Any]) -> Self:
        """Return the alert of such words."""
        tuples = {name: tuple(words[name]) for name in ("about", "days", "notes")}
        return cls(**{**words, **tuples})
