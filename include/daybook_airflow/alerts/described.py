"""What was noticed, in the words of a person: which days, which step, the error's line, what to do, where to look."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple
from urllib.parse import quote

from daybook.alerts.alert import Alert
from daybook.alerts.mends import OTHER_MEND, mend_of, run_again
from daybook.alerts.message import cause
from daybook.alerts.outbox import Outbox, Words
from daybook.days import day_of_run
from daybook.errors import BadSpec
from daybook.ledger.left_out import LeftOut, left_out_of
from daybook.pipelines import Pipelines
from daybook.spec import Pipeline
from daybook_airflow.asked_runs import PREFIX
from daybook_airflow.conf import conf_of
from daybook_airflow.data import data_for_now

# The DAG that keeps house (dags/tidy.py). Its runs are of no pipeline: the deployment's places are told.
TIDY = "daybook_tidy"
TIDY_MEND = (
    "nothing is lost, and what is too old stays until it goes well: mend what the error names, and clear the run"
)
NEWS = ("held", "late", "published", "behind", "followed", "dead", "alive", "mended")


def alerts_of(event: Words, outbox: Outbox, pipelines: Pipelines, failed_in_a_row: int = 0) -> list[Alert]:
    """Return what an event has to tell; nothing of a DAG that is no pipeline. failed_in_a_row: this run included."""
    if event["kind"] == "import_error":
        return [_broken_file(event)]
    if event["kind"] in NEWS:
        return [_noticed(event)]
    if event["dag_id"] == TIDY:
        return [_of_tidying(event, outbox)]
    pipeline = pipelines.good.get(event["dag_id"])
    if pipeline is None:
        # It may be one whose module is broken by now.
        return [bare(event)] if pipelines.broken and event["kind"] == "run_failed" else []
    days = _days(event, pipeline)
    if event["kind"] == "run_done":
        return list(_recovered(event, pipeline, days))
    return _failed(event, outbox, pipeline, days, failed_in_a_row)


def bare(event: Words) -> Alert:
    """Return an alert with what an event says itself, if no more can be found out."""
    subject = str(event.get("dag_id") or event.get("file") or event.get("subject"))
    at = str(event.get("at") or "1970-01-01T00:00:00+00:00")
    return Alert(
        kind="failed",
        subject=subject,
        at=at,
        identity=str(event.get("identity") or f"bare {subject} {at}"),
        group=f"bare {subject}",
        about=(f"bare {subject}",),
        error=str(event.get("why") or ""),
        mend=OTHER_MEND,
        run=str(event.get("run_id") or ""),
        links=_links(event, "", "", ()) if event.get("run_id") else {},
    )


def _noticed(event: Words) -> Alert:
    """Return what `./daybook watch` has found: it says all of it itself."""
    about = tuple(event["about"])
    kind = event["kind"]
    return Alert(
        kind=kind,
        subject=event["subject"],
        at=event["at"],
        identity=f"{kind} {event['at']} {' '.join(about)}",
        group=f"{kind} {event['subject']}",
        about=about,
        days=tuple(event.get("days", ())),
        notes=tuple(event.get("notes", ())),
        error=event.get("error", ""),
        mend=event.get("mend", ""),
        again=event.get("again", ""),
        run=event.get("run_id", ""),
        links=_links(event, "", "", event.get("days", ())) if event.get("run_id") else _link_of_days(event),
    )


def _link_of_days(event: Words) -> dict[str, str]:
    """Return the links of days of which no run is known, such as late ones."""
    name, days = event["subject"], event.get("days", ())
    dag = _address("run", f"/dags/{quote(name, safe='')}") if days else {}
    return {**dag, **(_day_page(name, days[0]) if len(days) == 1 else {})}


def _day_page(name: str, day: object) -> dict[str, str]:
    return _address("day", f"/daybook/{quote(name, safe='')}/day/{quote(str(day), safe='')}")


class _Failure(NamedTuple):
    """What is known of a task that failed, "" for what is not. kinds: of its error's classes, the nearest first."""

    step: str
    kinds: list[str]
    error: str
    log: str


def _failure(event: Words, noted: Words) -> _Failure:
    """Return a failure as the outbox has noted it; without a note, what the event of the run says."""
    kinds = noted.get("error_kinds") or [""]
    words = (str(noted.get("task_id") or ""), [*map(str, kinds)], str(noted.get("error") or event["why"]))
    return _Failure(*words, log=str(noted.get("log") or ""))


def _error_line(kind: str, error: str) -> str:
    return f"{kind}: {error}" if kind else error


def _failed(event: Words, outbox: Outbox, pipeline: Pipeline, days: list[date], failed_in_a_row: int) -> list[Alert]:
    left_out = _left_out(event, pipeline, days)
    failures = outbox.failures(event["dag_id"], event["run_id"]) or [{}]
    step, kinds, error, log = _failure(event, failures[0])
    failed = sorted(left_out) if left_out else days
    if left_out and {one.kind for one in left_out.values()} == {"Implausible"}:
        # To run them again would hold them again.
        kinds = ["Implausible"]
    kind = kinds[0]
    others = [f"{one['task_id']}: {one['error']}" for one in failures[1:]]
    alert = Alert(
        kind="failed",
        subject=pipeline.name,
        at=event["at"],
        identity=event["identity"],
        group=_group(event, pipeline.name, step, kind, error),
        about=tuple(f"day {pipeline.name} {day}" for day in failed),
        days=tuple(map(str, failed)),
        step=step,
        error=_error_line(kind, error),
        mend=mend_of(kinds),
        again=run_again(pipeline.name, failed, kind),
        run=event["run_id"],
        notes=(*others, *_paused(pipeline, failed_in_a_row)),
        links=_links(event, step, log, failed),
    )
    published = [day for day in days if day not in failed]
    return [alert, *_recovered(event, pipeline, published)]


def _recovered(event: Words, pipeline: Pipeline, days: list[date]) -> Iterator[Alert]:
    for day in days:
        yield Alert(
            kind="recovered",
            subject=pipeline.name,
            at=event["at"],
            identity=f"recovered {day} {event['identity']}",
            group=f"recovered {pipeline.name}",
            about=(f"day {pipeline.name} {day}", f"late {pipeline.name} {day}"),
            days=(str(day),),
            run=event["run_id"],
            links=_links(event, "", "", [day]),
        )


def _of_tidying(event: Words, outbox: Outbox) -> Alert:
    is_good, failures = event["kind"] == "run_done", outbox.failures(TIDY, event["run_id"]) or [{}]
    step, kinds, error, log = _failure(event, failures[0])
    alert = Alert(
        kind="recovered" if is_good else "failed",
        subject=TIDY,
        at=event["at"],
        identity=event["identity"],
        group=f"{event['kind']} {TIDY}",
        about=(f"run {TIDY}",),
        run=event["run_id"],
        links=_run_links(event, "" if is_good else step, log),
    )
    if is_good:
        return alert
    return replace(
        alert, step=step, error=_error_line(kinds[0], error), mend=TIDY_MEND, again="./daybook tidy --dry-run"
    )


def _broken_file(event: Words) -> Alert:
    file = event["file"]
    line, *others = _reason(event["why"])
    return Alert(
        kind="broken",
        subject=os.path.basename(file),
        at=event["at"],
        identity=f"import {file} {event['at']}",
        group=f"import {file}",
        about=(f"import {os.path.basename(file)}",),
        error=line,
        notes=tuple(others),
        mend="mend the file; until then its pipelines go on as Airflow last read them, or do not run",
        again="./daybook doctor",
        links=_address("day", "/dags"),
    )


def _reason(trace: str) -> list[str]:
    """Return the lines after a trace's stack, whose own lines are indented."""
    lines = [line for line in trace.splitlines() if line.strip()]
    inner = [number for number, line in enumerate(lines) if line[0].isspace()]
    return lines[inner[-1] + 1 if inner else 0 :] or ["no reason is known"]


def _days(event: Words, pipeline: Pipeline) -> list[date]:
    if kept := data_for_now().days_of_run(pipeline.name, event["run_id"]):
        return sorted(kept)
    try:
        conf = conf_of(event["conf"])
    except BadSpec:
        return []
    asked = sorted({*conf.days, *filter(None, [conf.day])})
    return asked or [_own_day(event, pipeline)]


def _own_day(event: Words, pipeline: Pipeline) -> date:
    is_dated = event["run_type"] in ("scheduled", "backfill") and event["interval_start"]
    start = datetime.fromisoformat(event["interval_start"]) if is_dated else None
    return day_of_run(pipeline.schedule, start, datetime.fromisoformat(event["seen_from"]))


def _left_out(event: Words, pipeline: Pipeline, days: list[date]) -> dict[date, LeftOut]:
    if len(days) < 2:
        return {}
    found = {day: left_out_of(data_for_now().run(pipeline.name, day, event["run_id"])) for day in days}
    return {day: left_out for day, left_out in found.items() if left_out}


def _group(event: Words, name: str, step: str, kind: str, error: str) -> str:
    """Return what the alert is told together with: its backfill, else other failures of the same cause."""
    if event["run_id"].startswith(PREFIX):
        return f"backfill {name} {event['run_id'].rpartition('__')[0]}"
    if event["run_type"] == "backfill":
        return f"backfill {name}"
    return f"failed {name} {step} {kind} {cause(error)}"


def _paused(pipeline: Pipeline, failed_in_a_row: int) -> tuple[str, ...]:
    most = pipeline.max_failed_runs
    if not most or failed_in_a_row < most:
        return ()
    return (
        f"{failed_in_a_row} runs have failed in a row, and with max_failed_runs={most} Airflow has paused the DAG: "
        f"nothing new begins; when the cause is mended, `./daybook resume --pipeline {pipeline.name}`",
    )


def _links(event: Words, step: str, log: str, days: Sequence[object]) -> dict[str, str]:
    """Return the links of a run: the page of its day; of several, the tab that lists them."""
    report = _address("day", f"{_run(event)}/plugin/report")
    page = _day_page(event["dag_id"], days[0]) if len(days) == 1 else report
    return {**_address("run", _run(event)), **page, **_run_links(event, step, log)}


def _run(event: Words) -> str:
    return f"/dags/{quote(event['dag_id'], safe='')}/runs/{quote(event['run_id'], safe='')}"


def _run_links(event: Words, step: str, log: str) -> dict[str, str]:
    found = _address("run", _run(event))
    # The task's own address for its log comes from Airflow, as far as it is one.
    if step and log.startswith(("http://", "https://")):
        return {**found, "log": log}
    return {**found, **(_address("log", f"{_run(event)}/tasks/{quote(step, safe='')}") if step else {})}


def _address(what: str, path: str, variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    base = variables.get("AIRFLOW__API__BASE_URL") or _configured()
    return {what: f"{base.rstrip('/')}{path}"} if base else {}


def _configured() -> str:
    # Only if the environment does not say it: Airflow takes a second to be imported.
    from airflow.configuration import conf

    return str(conf.get("api", "base_url", fallback="") or "")
