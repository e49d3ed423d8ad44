"""`./daybook status`: which days are published, held, failed, waiting or missing, the lag, and the next daily run.

It asks the ledger only, and reads for what a day waits in its run's folder.
"""

from datetime import UTC, date, datetime
from functools import partial
from typing import NamedTuple

from commands import catching_up, connections, exit_codes
from commands.arguments import Json, PipelineName, Quiet, asked_days, pipeline_named
from commands.output import say, tell_json, tell_table
from commands.renamed import as_known
from commands.servers import servers_of
from commands.waiting_days import waiting_of
from daybook.environment import environment
from daybook.ledger import step_log
from daybook.ledger.decisions import rollbacks
from daybook.ledger.exports import Forgotten, Owed, forgotten, owed_of
from daybook.ledger.queries import is_begun, rows_not_published
from daybook.ledger.receipt import NotPublished
from daybook.pipelines import load_pipelines
from daybook.planning.catch_up import next_catch_up
from daybook.planning.standing import Failure
from daybook.planning.status import Status
from daybook.planning.status import status as sorted_days
from daybook.postgres.session import Connection, at_once
from daybook.publish.finished_periods import finished_of
from daybook.spec import Pipeline
from daybook.text import counted, one_line, spell

KINDS = ("expected", "published", "reused", "rolled_back", "held", "failed", "waiting", "missing")
# Of the days that wait; `why` says it of each.
SHOWN_DAYS = 5


def status(pipeline: PipelineName = None, json: Json = False, quiet: Quiet = False) -> int:
    """Say which days are published, held, failed, waiting or missing.

    Each day counts once: what readers see is published. The exit code is 1 if a day is held, failed, waiting or
    missing, if the last try of a published day was held or failed, or if an export is owed.

    Example: ./daybook status
    """
    chosen = pipeline_named(pipeline)
    now = datetime.now(UTC)
    days = asked_days(chosen, None, None, now)
    with servers_of(chosen, "status"):
        connect = partial(connections.postgres, chosen.target.connection)
        known = as_known(chosen)
        found, lost, waits = at_once(connect, lambda session: _asked(session, known, days))
        owed = at_once(connect, lambda session: owed_of(session, known))
        gone = at_once(connect, lambda session: forgotten(session, known))
        coming = at_once(connect, lambda session: next_catch_up(session, known, now))
        finished = at_once(connect, lambda session: finished_of(session, known))
    broken = load_pipelines().broken
    if json:
        of_all = _sum(lost, found.expected)
        rows = {"rows_refused": of_all.refused, "rows_dropped": of_all.dropped}
        words = {"waits": waits, "catch_up": catching_up.in_json(chosen, coming), "broken": broken}
        words |= {"finished": finished, "exports_owed": owed, "exports_forgotten": gone}
        tell_json({"pipeline": chosen.name, **found._asdict(), **rows, **words})
    else:
        tell(found, lost, waits, [*_finished(known, finished), catching_up.in_words(chosen, coming)], broken)
        _tell_owed(owed, gone)
    return exit_codes.DONE if found.is_well and not owed else exit_codes.NOT_AS_ASKED


class _Asked(NamedTuple):
    """The status of some days; by day, the rows that readers do not see, and what a waiting day waits for."""

    status: Status
    lost: dict[date, NotPublished]
    waits: dict[date, list[str]]


def _asked(connection: Connection, pipeline: Pipeline, days: list[date]) -> _Asked:
    if not is_begun(connection):
        return _Asked(sorted_days(days, set(), set(), (), {}), {}, {})
    asked = (connection, pipeline.name, days[0], days[-1])
    failures = {day: Failure(*words) for day, words in step_log.failures(*asked).items()}
    published, reused = step_log.published_days(*asked), step_log.reused_days(*asked)
    waits = waiting_of(connection, pipeline, days[0], days[-1])
    status = sorted_days(days, published, reused, rollbacks(*asked), failures, waits)
    return _Asked(status, rows_not_published(*asked), waits)


def tell(
    found: Status,
    lost: dict[date, NotPublished],
    waits: dict[date, list[str]],
    coming: list[str],
    broken: dict[str, str],
) -> None:
    """Print a line for each kind of days, the lag, and the modules of include/pipelines that do not load.

    lost: the rows of each published day that readers do not see. waits: what the days that wait wait for. coming:
    lines about finished periods and the next daily run.
    """
    if environment():
        say(f"environment: {environment()}")
    rows = [_cells(kind, getattr(found, kind), lost) for kind in KINDS]
    tell_table(("", "count", "refused", "dropped", "days"), rows)
    if found.lag_days is None:
        say(f"lag: nothing is published; the last expected day is {found.expected[-1]}")
    else:
        say(f"lag: {found.lag_days} days, from {found.published[-1]} to {found.expected[-1]}")
    if found.tried_since:
        count = len(found.tried_since)
        say(
            f"of the published days, {count} {'was' if count == 1 else 'were'} held or failed at the last try, and "
            f"readers see an earlier run: {spell(found.tried_since)}; `./daybook why DAY` says why"
        )
    _tell_waits(waits)
    for line in coming:
        say(line)
    for file, reason in broken.items():
        say(f"{file} is broken: {reason}")


def _finished(pipeline: Pipeline, finished: dict[str, list[date]]) -> list[str]:
    every = {summary.name: summary.every for summary in pipeline.summaries if summary.every}
    return [
        f"{name}: {counted(len(finished[name]), str(every[name]))} finished"
        + (f", the last one from {finished[name][-1]}" if finished[name] else "")
        for name in every
    ]


def _tell_owed(owed: list[Owed], gone: list[Forgotten]) -> None:
    for debt in owed[:SHOWN_DAYS]:
        say(one_line(f"{debt.day}: {debt}"))
    if owed:
        days = spell(tuple(sorted({debt.day for debt in owed})))
        are = "export is" if len(owed) == 1 else "exports are"
        say(f"{len(owed)} {are} owed, of {days}; the next run sends what is owed, and so does `./daybook export`")
    for one in gone:
        say(
            one_line(
                f"{one}; the next run lets that go, and so does `./daybook export`; declare it again to have it sent"
            )
        )


def _tell_waits(waits: dict[date, list[str]]) -> None:
    for day in list(waits)[-SHOWN_DAYS:]:
        say(one_line(f"{day}: {'; '.join(waits[day])}"))
    if len(waits) > SHOWN_DAYS:
        say(f"{len(waits) - SHOWN_DAYS} earlier days wait too; `./daybook why DAY` says for what")


def _cells(kind: str, days: tuple[date, ...], lost: dict[date, NotPublished]) -> tuple[str, ...]:
    rows = _sum(lost, days)
    return kind.replace("_", " "), str(len(days)), f"{rows.refused:,}", f"{rows.dropped:,}", spell(days)


def _sum(lost: dict[date, NotPublished], days: tuple[date, ...]) -> NotPublished:
    rows = [lost[day] for day in days if day in lost]
    return NotPublished(sum(one.refused for one in rows), sum(one.dropped for one in rows))
