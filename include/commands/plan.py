"""`./daybook plan`: for each day run, skip or blocked, the reason, and the cost in seconds; newest first.

It asks the ledger and the sources, and changes nothing.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import partial

from commands import catching_up, connections, exit_codes
from commands.arguments import First, Force, Json, Last, Limit, PipelineName, Quiet, asked_days, pipeline_named
from commands.output import say, tell_json, tell_table
from commands.overrides import Set, overrides_of
from commands.renamed import as_known
from commands.servers import servers_of
from daybook.ledger.queries import is_begun
from daybook.planning.catch_up import CatchUp, next_catch_up
from daybook.planning.observe import observe
from daybook.planning.plan import Limited, Planned, limited
from daybook.planning.plan import plan as decided
from daybook.postgres.session import at_once
from daybook.publish import rename
from daybook.publish.definitions import changes
from daybook.spec import Pipeline
from daybook.text import one_line, spell


def plan(
    first: First = None,
    last: Last = None,
    limit: Limit = None,
    force: Force = False,
    set_: Set = None,
    pipeline: PipelineName = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Say which days would be run, and why; with --set, by a spec with these values.

    The exit code is 1 if a day is blocked.

    Example: ./daybook plan --from 2013-01-01 --to 2013-01-10
    """
    chosen = pipeline_named(pipeline)
    now = datetime.now(UTC)
    overrides = overrides_of(chosen, set_)
    days = asked_days(chosen, first, last, now)
    with servers_of(chosen, "plan"):
        known = as_known(chosen)
        made = made_plan(known, days, limit, is_forced=force, overrides=overrides)
        to_readers = [*_changes_by_name(chosen), *changes_for_readers(known)]
        coming = _next_catch_up(known, now)
    if json:
        of_catch_up = {"catch_up": catching_up.in_json(chosen, coming)}
        words = {"totals": totals(made), "changes_for_readers": to_readers, **of_catch_up}
        tell_json({"pipeline": chosen.name, **made._asdict(), **words})
    else:
        tell(made)
        for change in to_readers:
            say(f"the next run changes {change}")
        say(catching_up.in_words(chosen, coming))
    is_blocked = any(day.action == "blocked" for day in made.planned)
    return exit_codes.NOT_AS_ASKED if is_blocked else exit_codes.DONE


def made_plan(
    pipeline: Pipeline,
    days: list[date],
    limit: int | None = None,
    *,
    is_forced: bool = False,
    overrides: Mapping[str, object] | None = None,
) -> Limited:
    """Return the plan of some days by the present ledger and sources; the connections are the environment's.

    overrides: values of the spec that the runs will set otherwise, by their paths.
    """
    seen = observe(pipeline, days, connections.postgres, connections.files, connections.data())
    made = limited(decided(pipeline, seen.standings, seen.tables, is_forced=is_forced, overrides=overrides), limit)
    return made._replace(remarks=seen.remarks)


def changes_for_readers(pipeline: Pipeline) -> list[str]:
    """Return what the spec changes in the views that readers have, a sentence each. Raises BadSpec if it cannot be."""
    connect = partial(connections.postgres, pipeline.target.connection)
    found = at_once(connect, lambda session: changes(session, pipeline) if is_begun(session) else [])
    return [change.meaning for change in found if change.meaning]


def _changes_by_name(pipeline: Pipeline) -> list[str]:
    connect = partial(connections.postgres, pipeline.target.connection)
    return at_once(connect, lambda session: rename.meanings(session, pipeline, connections.data()))


def _next_catch_up(pipeline: Pipeline, now: datetime) -> CatchUp:
    connect = partial(connections.postgres, pipeline.target.connection)
    return at_once(connect, lambda session: next_catch_up(session, pipeline, now))


def totals(made: Limited) -> dict[str, int | float | None]:
    """Count the days by action, and the seconds of those to run; None if the ledger knows no such day."""
    counts = Counter(day.action for day in made.planned)
    seconds = [day.seconds for day in made.planned if day.action == "run"]
    known = None if None in seconds else round(sum(one for one in seconds if one is not None), 1)
    return {"run": counts["run"], "skip": counts["skip"], "blocked": counts["blocked"], "seconds": known}


def tell(made: Limited) -> None:
    """Print a plan as a table, with a last line of totals, and the days that a limit left out."""
    tell_table(("day", "action", "reason", "steps", "seconds"), [_row(day) for day in made.planned], cut="reason")
    counts = totals(made)
    cost = "an unknown time" if counts["seconds"] is None else f"about {counts['seconds']} s"
    say(f"{counts['run']} to run, {counts['skip']} to skip, {counts['blocked']} blocked; {cost} of work")
    if made.left_out:
        days = spell(tuple(sorted(day.day for day in made.left_out)))
        say(f"left out by the limit: {len(made.left_out)} to run: {days}")
    for remark in made.remarks:
        say(one_line(remark))


def _row(day: Planned) -> tuple[str, ...]:
    seconds = "?" if day.seconds is None else f"{day.seconds:.2f}"
    return str(day.day), day.action, day.reason, str(len(day.steps)), seconds if day.action == "run" else ""
