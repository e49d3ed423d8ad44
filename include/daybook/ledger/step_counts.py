"""How many days of a pipeline each step has brought to which state, by its last try of the day. Reads only."""

from datetime import date
from typing import NamedTuple

from daybook.postgres.session import Connection

HELD = "held"


class StepCount(NamedTuple):
    """The days on which the last try of a step came to a state: done, reused, waiting, held or failed."""

    step: str
    state: str
    days: int


def step_counts(connection: Connection, pipeline: str, days: list[date]) -> list[StepCount]:
    """Return the counts of some days, by step and state; none for days of which the step was not tried."""
    rows = connection.execute(
        "with last as (select distinct on (day, step) step, "
        "case when state = 'failed' and error_kind = 'Implausible' then %(held)s else state end state "
        "from step where pipeline = %(pipeline)s and day = any(%(days)s) order by day, step, ended_at desc) "
        "select step, state, count(*) from last group by step, state order by step, state",
        {"pipeline": pipeline, "days": days, "held": HELD},
    )
    return [StepCount(*words) for words in rows]
