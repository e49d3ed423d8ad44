"""`airflow dags backfill` in terms of Airflow 3: a request in, days and exact instants out.

    words --options.parse--> Request --plan--> Plan: the body of POST /backfills, and its days

Airflow 3 compares bounds with a run's logical date, which is the start of its data interval. So bare dates lose the
last day in most time zones; and ten days run at once whatever the DAG says. This module prevents both. It imports no
Airflow, reads no clock and writes nothing; command.py does that.
"""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from daybook.days import days_between, is_meant, next_tick, start_of, why_not
from daybook.errors import BadSpec
from daybook.spec import Schedule
from daybook.spec.cron import time_of_day
from daybook.text import spell
from daybook_airflow.asked_runs import AskedRun, asked_runs, in_batches
from daybook_airflow.backfill.options import BadBackfill, Request
from daybook_airflow.conf import conf_of

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)
# An open end such as 9999-12-31 has no next day, and nobody's data are older than the clock of computers.
_YEARS = range(1970, 2200)


class Dag(NamedTuple):
    """The facts that a plan needs about a DAG. `schedule` is None if it is not a Daybook pipeline: its days are
    unknown."""

    dag_id: str
    schedule: Schedule | None
    max_active_runs: int

    @property
    def time_zone(self) -> str:
        """Return the time zone of its days."""
        return self.schedule.time_zone if self.schedule else "UTC"


class Plan(NamedTuple):
    """A backfill in Airflow 3's terms: its first and last instant, both included.

    `days`: the local days that will get a run; `left_out`: those asked for that are not over yet. Both are empty if the
    DAG is not a pipeline. `words`: the same as arguments of `airflow backfill create`. `body`: the same for POST
    /backfills. `runs`: those to trigger instead, if one run is to do several days.
    """

    dag: Dag
    first: datetime
    last: datetime
    days: tuple[date, ...]
    left_out: tuple[date, ...]
    words: tuple[str, ...]
    runs: tuple[AskedRun, ...] = ()
    body: Mapping[str, Any] = MappingProxyType({})


def plan(request: Request, dag: Dag, now: datetime) -> Plan:
    """Return the days that a request asks for, in Airflow 3's terms.

    now: an instant with a time zone; a day is over when its data interval has ended before it. Raises BadBackfill for
    dates that are missing, unreadable, in the wrong order or not over yet, and for a conf that is not a JSON object.
    """
    start, end = request.start or request.end, request.end or request.start
    if start is None or end is None:
        raise BadBackfill(f"{dag.dag_id}: no day given; add -s YYYY-MM-DD, -e YYYY-MM-DD or both")
    first, last = _first_instant("-s", start, dag), _last_instant("-e", end, dag)
    if last < first:
        raise BadBackfill(f"{dag.dag_id}: -e {end} is before -s {start}; expected the first day first: exchange them")
    asked = _days_between(first, last, dag)
    _check_schedule(dag, asked, now)
    days = tuple(day for day in asked if _is_due(day, dag, now))
    _check_days(dag, first, last, asked, days)
    _check_conf(request.conf, dag)
    words, body = _words(request, dag, first, last), _body(request, dag, first, last)
    return Plan(dag, first, last, days, asked[len(days) :], words, _runs(request, dag, days, now), body)


def _first_instant(flag: str, typed: str, dag: Dag) -> datetime:
    bound = _read(flag, typed)
    if isinstance(bound, datetime):
        return _placed(bound, dag, fold=0)
    # Airflow's cron arithmetic skips a day that starts or ends at a midnight that the clock skips or shows twice
    # (Sao Paulo, Havana, Beirut, Cairo) if the window opens exactly on it. A second earlier it finds the day.
    is_torn = dag.schedule is not None and any(_is_torn_midnight(day, dag) for day in (bound, bound + _DAY))
    start = start_of(bound, dag.time_zone) - _SECOND if is_torn else start_of(bound, dag.time_zone)
    return start.astimezone(ZoneInfo(dag.time_zone))


def _last_instant(flag: str, typed: str, dag: Dag) -> datetime:
    bound = _read(flag, typed)
    if isinstance(bound, datetime):
        return _placed(bound, dag, fold=1)
    # The day's logical date lies anywhere in it, as the cron says: the window closes with the day.
    return (start_of(bound + _DAY, dag.time_zone) - _SECOND).astimezone(ZoneInfo(dag.time_zone))


def _read(flag: str, typed: str) -> date | datetime:
    for read in (date.fromisoformat, datetime.fromisoformat):
        try:
            found = read(typed)
        except ValueError:
            continue
        if found.year in _YEARS:
            return found
    raise BadBackfill(f"{flag} {typed}: no such date; expected YYYY-MM-DD, or 2013-01-05T06:00+01:00 for an instant")


def _placed(moment: datetime, dag: Dag, fold: int) -> datetime:
    # Without an offset it is local time of the pipeline's zone. If the clock shows it twice, the window includes both.
    return moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(dag.time_zone), fold=fold)


def _is_torn_midnight(day: date, dag: Dag) -> bool:
    midnight = datetime.combine(day, time.min, ZoneInfo(dag.time_zone))
    return midnight.utcoffset() != midnight.replace(fold=1).utcoffset()


def _days_between(first: datetime, last: datetime, dag: Dag) -> tuple[date, ...]:
    schedule, zone = dag.schedule, ZoneInfo(dag.time_zone)
    if schedule is None:
        return ()
    near = days_between(first.astimezone(zone).date(), last.astimezone(zone).date())
    return tuple(day for day in near if is_meant(schedule, day) and first <= _logical_date(day, schedule) <= last)


def _logical_date(day: date, schedule: Schedule) -> datetime:
    at = datetime.combine(day, time_of_day(schedule.cron), ZoneInfo(schedule.time_zone))
    return at.astimezone(UTC)


def _is_due(day: date, dag: Dag, now: datetime) -> bool:
    """Return whether a day is over and Airflow would begin its run: at the next time that the cron means."""
    schedule = dag.schedule
    if schedule is None or why_not(schedule, day, now):
        return False
    # Airflow makes a run on a holiday too, which skips its tasks.
    return _logical_date(next_tick(schedule, day), schedule) < now


def _check_schedule(dag: Dag, asked: tuple[date, ...], now: datetime) -> None:
    """Raise BadBackfill for a day before or after the schedule; those that are not over yet are left out and said."""
    schedule = dag.schedule
    for day in asked:
        if schedule and not schedule.start <= day <= (schedule.end or day):
            why = why_not(schedule, day, now)
            raise BadBackfill(f"{dag.dag_id}: {why}; nothing was made; give days of the schedule that are over")


def _check_days(dag: Dag, first: datetime, last: datetime, asked: tuple[date, ...], days: tuple[date, ...]) -> None:
    if dag.schedule is None or days:
        return
    if asked:
        raise BadBackfill(
            f"{dag.dag_id}: {spell(asked)}: not over yet in {dag.time_zone}; expected days that have ended; wait for it"
        )
    raise BadBackfill(
        f"{dag.dag_id}: no day starts from {first.isoformat()} to {last.isoformat()}; expected bounds that take in the "
        f"start of a day by {dag.schedule.cron!r} in {dag.time_zone}; give dates without a time"
    )


def _check_conf(conf: str | None, dag: Dag) -> None:
    if conf is None:
        return
    try:
        found = json.loads(conf)
    except json.JSONDecodeError as error:
        raise BadBackfill(
            f"--conf {conf}: not JSON ({error}); expected an object such as '{{\"force\": true}}'"
        ) from None
    if not isinstance(found, dict):
        raise BadBackfill(f"--conf {conf}: expected a JSON object such as '{{\"force\": true}}'")
    if dag.schedule is not None:
        _check_words(found)
    for word in ("day", "days"):
        if dag.schedule is not None and found.get(word):
            raise BadBackfill(
                f"--conf sets {word} to {found[word]}: every run would do the same; give days by -s and -e"
            )


def _check_words(found: dict[str, Any]) -> None:
    try:
        conf_of(found)
    except BadSpec as error:
        raise BadBackfill(f"--conf: {error}; nothing was made") from None


def _runs(request: Request, dag: Dag, days: tuple[date, ...], now: datetime) -> tuple[AskedRun, ...]:
    if request.batch is None:
        return ()
    if dag.schedule is None:
        raise BadBackfill(f"{dag.dag_id}: --batch is for pipelines of Daybook, and this DAG is none; leave it out")
    if request.max_active_runs is not None:
        raise BadBackfill(
            f"{dag.dag_id}: --max-active-runs goes with one day a run; with --batch the pipeline's own limit holds, "
            f"{dag.max_active_runs}; leave one of them out"
        )
    ordered = days[::-1] if request.is_backwards else days
    return tuple(asked_runs(in_batches(ordered, request.batch), now, json.loads(request.conf or "{}"), dag.time_zone))


def _body(request: Request, dag: Dag, first: datetime, last: datetime) -> dict[str, Any]:
    return {
        "dag_id": dag.dag_id,
        "from_date": first.isoformat(),
        "to_date": last.isoformat(),
        "reprocess_behavior": request.reprocess,
        "max_active_runs": _limit(request, dag),
        "dag_run_conf": None if request.conf is None else json.loads(request.conf),
        "run_backwards": request.is_backwards,
    }


def _limit(request: Request, dag: Dag) -> int:
    # Without it Airflow runs ten days at a time, over the DAG's own limit.
    return request.max_active_runs or dag.max_active_runs


def _words(request: Request, dag: Dag, first: datetime, last: datetime) -> tuple[str, ...]:
    words = ["backfill", "create", "--dag-id", dag.dag_id]
    words += ["--from-date", first.isoformat(), "--to-date", last.isoformat()]
    words += ["--reprocess-behavior", request.reprocess]
    words += ["--max-active-runs", str(_limit(request, dag))]
    words += ["--dag-run-conf", request.conf] if request.conf is not None else []
    words += ["--run-backwards"] if request.is_backwards else []
    words += ["--dry-run"] if request.is_dry_run else []
    return tuple(words)
