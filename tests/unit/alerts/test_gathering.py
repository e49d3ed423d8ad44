"""What is told at once, counted, told together, and told when it is over."""

import json
from datetime import UTC, datetime, timedelta

from daybook.alerts.alert import Alert, Kind
from daybook.alerts.gathering import Told, close, count_run, tell

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
WINDOW = timedelta(minutes=15)


def alert(day: int, kind: Kind = "failed", pipeline: str = "flights", group: str = "") -> Alert:
    """Return an alert about a day of March."""
    on = f"2026-03-{day:02}"
    about = (f"day {pipeline} {on}",)
    identity = f"{kind} {pipeline} {on} {group}"
    return Alert(kind, pipeline, NOON.isoformat(), identity, group or f"{kind} {pipeline}", about, (on,))


def told_of(alerts: list[Alert], told: Told | None = None) -> tuple[Told, list[tuple[str, ...]]]:
    """Tell alerts, a minute apart; return what was told and the days of each message."""
    told, messages = told or Told(), []
    for number, one in enumerate(alerts):
        telling = tell(told, one, NOON + timedelta(seconds=number))
        # As the next process reads it.
        told = Told.of(json.loads(json.dumps(telling.told.words())))
        messages += [one.days for one in telling.now]
    return told, messages


def test_thirty_failures_of_one_cause_are_told_once_and_their_number_at_the_end() -> None:
    told, messages = told_of([alert(day) for day in range(1, 31)])
    assert messages == [("2026-03-01",)]
    assert close(told, NOON + timedelta(minutes=14))[1] == []
    told, gathered = close(told, NOON + timedelta(minutes=16))
    assert [[one.days[0][-2:] for one in alerts] for alerts in gathered] == [[f"{day:02}" for day in range(2, 31)]]
    assert close(told, NOON + timedelta(minutes=17)) == (told, [])


def test_other_causes_and_other_pipelines_are_told_at_once() -> None:
    alerts = [alert(1), alert(2, group="another cause"), alert(1, pipeline="sales"), alert(3)]
    assert told_of(alerts)[1] == [("2026-03-01",), ("2026-03-02",), ("2026-03-01",)]


def test_an_event_that_is_found_twice_is_told_once() -> None:
    assert told_of([alert(1), alert(1)])[1] == [("2026-03-01",)]
    told, _ = told_of([alert(1), alert(1)])
    assert close(told, NOON + WINDOW)[1] == []


def test_a_day_that_goes_well_is_news_only_if_it_had_failed_and_only_once() -> None:
    assert told_of([alert(1, "recovered")])[1] == []
    told, messages = told_of([alert(1), alert(1, "recovered"), alert(2, "recovered")])
    assert messages == [("2026-03-01",), ("2026-03-01",)]
    assert told.open == {}
    later = alert(1, "recovered", group="later")
    assert told_of([later], told)[1] == []


def test_a_late_day_and_a_dead_part_are_told_once_though_they_are_found_again_each_minute() -> None:
    found = [alert(1, "late", group=f"look {number}") for number in range(5)]
    assert told_of(found)[1] == [("2026-03-01",)]
    again = [*found, alert(1, "published"), alert(1, "late", group="the next time")]
    assert told_of(again)[1] == [("2026-03-01",)] * 3


def test_failed_runs_are_counted_in_a_row() -> None:
    told = Told()
    for has_failed in (True, True, False, True, True, True):
        told = count_run(told, "flights", has_failed=has_failed)
    told = count_run(told, "sales", has_failed=True)
    assert told.failed == {"flights": 3, "sales": 1}


def test_what_was_told_a_week_ago_is_forgotten() -> None:
    told, _ = told_of([alert(1)])
    assert close(told, NOON + timedelta(days=8))[0].seen == {}
