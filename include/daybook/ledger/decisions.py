"""People's decisions about days, in the warehouse's `daybook.decision`: written once, never changed.

Every function works in the transaction of the connection it gets.
"""

from datetime import date, datetime
from typing import NamedTuple

from daybook.postgres.session import Connection

# A rollback's row names in these words the run that readers saw before, and says if they see none from then on.
SAW = "readers saw run "
SAW_NONE = "readers saw no run, and before that run "
SEE_NONE = "; they see no run now"
LEFT = f"substring(found from '^(?:{SAW}|{SAW_NONE})([0-9]+)')::bigint"
IS_TO_NOTHING = f"(what = 'rollback' and right(found, {len(SEE_NONE)}) = '{SEE_NONE}')"


class Decision(NamedTuple):
    """A person's decision about a day ("release", "rollback", "mend"), why, and the finding that called for it."""

    what: str
    who: str
    why: str
    found: str


class Rollback(NamedTuple):
    """A person's decision that readers shall not see a run."""

    left_run_id: int
    who: str
    why: str
    decided_at: datetime
    is_to_nothing: bool

    def __str__(self) -> str:
        at = f"{self.decided_at:%Y-%m-%d %H:%M %Z}"
        how = "rolled back to nothing" if self.is_to_nothing else "rolled back"
        return f"run {self.left_run_id} was {how} by {self.who} at {at}: {self.why}"


def rolled_back(left_run_id: int, who: str, why: str) -> Decision:
    """Return the decision to show readers another run than this one."""
    return Decision("rollback", who, why, f"{SAW}{left_run_id}")


def taken_back(left_run_id: int, who: str, why: str) -> Decision:
    """Return the decision to show readers no run of a day that showed this one."""
    return Decision("rollback", who, why, f"{SAW}{left_run_id}{SEE_NONE}")


def shown_again(left_run_id: int, who: str, why: str) -> Decision:
    """Return the decision to show readers a run of a day that showed none since this one was taken back."""
    return Decision("rollback", who, why, f"{SAW_NONE}{left_run_id}")


def last_taken_back(connection: Connection, pipeline: str, day: date) -> int | None:
    """Return the run that was taken back last on a day, or None."""
    row = connection.execute(
        f"select {LEFT} from decision where pipeline = %s and day = %s and {IS_TO_NOTHING} "  # noqa: S608 - our own words
        "order by decided_at desc limit 1",
        [pipeline, day],
    ).fetchone()
    return row[0] if row else None


def days_taken_back(connection: Connection, pipeline: str) -> list[date]:
    """Return the days whose publications were taken back, and of which readers see none now."""
    rows = connection.execute(
        f"select distinct day from decision where pipeline = %s and {IS_TO_NOTHING} and not exists ("  # noqa: S608 - our own words
        "select from published where published.pipeline = decision.pipeline and published.day = decision.day) "
        "order by day",
        [pipeline],
    )
    return [day for (day,) in rows]


def decide(connection: Connection, pipeline: str, day: date, run_id: int, decision: Decision) -> None:
    """Store a person's decision about a day. run_id: of the run that readers see from then on, or of the one that was
    taken back."""
    connection.execute(
        "insert into decision (pipeline, day, run_id, what, who, why, found) values (%s, %s, %s, %s, %s, %s, %s)",
        [pipeline, day, run_id, *decision],
    )


def rollback_of(connection: Connection, pipeline: str, day: date, content_sha256: str) -> Rollback | None:
    """Return the rollback that hid this content of a day from readers, unless a later decision shows it again."""
    row = connection.execute(
        f"select {LEFT}, who, why, decided_at, {IS_TO_NOTHING}, "  # noqa: S608 - our own words
        f"seen.content_sha256 = %(content)s and not {IS_TO_NOTHING} "
        "from decision join ledger seen using (run_id) "
        f"left join ledger hidden on hidden.run_id = {LEFT} "
        "where decision.pipeline = %(pipeline)s and decision.day = %(day)s "
        "and %(content)s in (seen.content_sha256, hidden.content_sha256) order by decided_at desc limit 1",
        {"pipeline": pipeline, "day": day, "content": content_sha256},
    ).fetchone()
    if row is None:
        return None
    *words, is_seen = row
    return None if is_seen else Rollback(*words)


def rollbacks(connection: Connection, pipeline: str, first: date, last: date) -> dict[date, Rollback]:
    """Return, by day, each rollback that still stands: readers see its run, and no later run confirmed that run; or it
    was to nothing, and they see none."""
    rows = connection.execute(
        f"select distinct on (day) day, {LEFT}, who, why, decided_at, {IS_TO_NOTHING} "  # noqa: S608 - our own words
        "from decision left join published seen using (pipeline, day) "
        "where pipeline = %s and day between %s and %s and what = 'rollback' and case "
        f"when {IS_TO_NOTHING} then seen.run_id is null "
        f"else seen.run_id = decision.run_id and {LEFT} <> decision.run_id and not exists ("
        "select from step where step.pipeline = decision.pipeline and step.day = decision.day "
        "and step = 'deploy' and ended_at > decided_at "
        # Receipts of before 0.1.0 have it in `notes`.
        "and coalesce(receipt ->> 'outcome', receipt -> 'notes' ->> 'outcome') = 'unchanged') end "
        "order by day, decided_at desc",
        [pipeline, first, last],
    )
    return {day: Rollback(*words) for day, *words in rows}


class Release(NamedTuple):
    """A person's decision that a day may be published although its numbers are implausible."""

    who: str
    why: str
