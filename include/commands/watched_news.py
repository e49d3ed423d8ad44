"""What `watch` has to tell: of parts, days, places that follow, and files of DAGs, against what was told before."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import partial
from os.path import basename
from typing import Any, NamedTuple

from commands import connections
from commands.checks.place import place
from commands.watched_parts import Part
from daybook.alerts.gathering import Told, open_of
from daybook.alerts.late import due_days, late_days, why_late
from daybook.errors import DaybookError
from daybook.ledger import step_log
from daybook.ledger.exports import Owed, owed_of
from daybook.ledger.queries import is_begun
from daybook.pipelines import load_pipelines
from daybook.postgres.session import Connection, at_once
from daybook.spec import Pipeline
from daybook_airflow.alerts.listener import mended
from daybook_airflow.errors import ApiError, DeploymentError

MEND = "see whether its process lives: `kill -CONT` lets a stopped one go on; one that has ended, start again"
BEHIND = "the next run sends what is owed, and so does the command; the reason is above"
# `deploy` pays a day's debts at once; files may take it so long (publish/exports.py).
PATIENCE = timedelta(hours=2)
# Airflow shows a new error a moment after its hook has told it.
SETTLED = timedelta(minutes=1)


class Days(NamedTuple):
    """Of a pipeline: the days that are late, and what exports and further targets owe for longer than it takes."""

    late: list[date]
    behind: list[Owed]


def watched_days(pipeline: Pipeline, now: datetime) -> Days | None:
    """Return what is wrong with the days of a pipeline; None if its warehouse cannot be asked, which its part says."""
    days = due_days(pipeline, now)

    def ask(session: Connection) -> Days:
        if not is_begun(session):
            return Days(late_days(pipeline, now, ()), [])
        seen = step_log.published_days(session, pipeline.name, days[0], days[-1]) if days else set()
        behind = [debt for debt in owed_of(session, pipeline) if debt.tries or debt.owed_since + PATIENCE < now]
        return Days(late_days(pipeline, now, seen), behind)

    try:
        return at_once(partial(connections.postgres, pipeline.target.connection), ask)
    except DaybookError:
        return None


def of_parts(parts: list[Part], told: Told) -> list[dict[str, Any]]:
    """Return that parts are dead, or live again."""
    events = []
    for part in parts:
        about = f"part {part.name}"
        if part.is_well is (about in told.open):
            words = {"error": part.found} | ({} if part.is_well else {"mend": MEND, "again": "./daybook doctor"})
            events.append(
                {"kind": "alive" if part.is_well else "dead", "subject": part.name, "about": [about], **words}
            )
    return events


def of_days(found: Mapping[str, Days | None], told: Told) -> list[dict[str, Any]]:
    """Return that days are late, or a place is behind; and that it is over. found: by pipeline."""
    good, events = load_pipelines().good, []
    for name, days in ((name, days) for name, days in found.items() if days):
        late = {f"late {name} {day}": day for day in days.late}
        words = _of_late(good[name], days.late[0]) if days.late else {}
        events += _changes(name, ("late", "published"), late, told, **words)
        behind = {f"behind {name} {debt.export} {debt.day}": debt.day for debt in days.behind}
        error = str(days.behind[0]) if days.behind else ""
        again = f"./daybook export --pipeline {name}"
        events += _changes(name, ("behind", "followed"), behind, told, error=error, mend=BEHIND, again=again)
    return events


def _of_late(pipeline: Pipeline, first: date) -> dict[str, str]:
    return {"error": why_late(pipeline), "again": f"./daybook why {first} --pipeline {pipeline.name}"}


def _changes(
    name: str, kinds: tuple[str, str], wrong: Mapping[str, date], told: Told, **words: str
) -> list[dict[str, Any]]:
    """Return that something is wrong that was not, and right again that was not. wrong: days by what they are about."""
    bad, good = kinds
    was = {f"{bad} {name} {key}": key for key in open_of(told, f"{bad} {name}")}
    new, over = sorted(wrong.keys() - was), sorted(was.keys() - wrong)
    began = {"kind": bad, "subject": name, "about": new, "days": sorted({str(wrong[key]) for key in new}), **words}
    ended = {"kind": good, "subject": name, "about": over, "days": sorted({was[key][-10:] for key in over})}
    return [event for event in (began, ended) if event["about"]]


def of_files(parts: list[Part], told: Told, now: datetime) -> list[dict[str, Any]]:
    """Return that files of DAGs have no error any more, or are gone; nothing if Airflow cannot be asked for them."""
    broken = [
        name for name in open_of(told, "import") if datetime.fromisoformat(told.open[f"import {name}"]) < now - SETTLED
    ]
    if not broken or not all(part.is_well for part in parts if part.name == "api-server"):
        return []
    try:
        left = {basename(error["filename"]) for error in place().api().import_errors()}
    except (ApiError, DeploymentError):
        # Such as no login: then it stays told as it was.
        return []
    return [mended(name) for name in broken if name not in left]
