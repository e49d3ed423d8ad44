"""Dates to instants: both ends included, local days, both changes of the clock."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from daybook.spec import Schedule
from daybook.text import spell
from daybook_airflow.backfill.options import BadBackfill, Request
from daybook_airflow.backfill.plan import Dag, Plan, plan

LONG_AFTER = datetime(2020, 1, 1, tzinfo=UTC)


def dag(time_zone: str, cron: str | None = "0 0 * * *") -> Dag:
    schedule = Schedule(time_zone=time_zone, cron=cron, start=date(2000, 1, 1)) if cron else None
    return Dag("flights", schedule, max_active_runs=8)


def planned(
    start: str | None,
    end: str | None,
    time_zone: str,
    now: datetime = LONG_AFTER,
    cron: str | None = "0 0 * * *",
    **asked: Any,
) -> Plan:
    return plan(Request("flights", start=start, end=end, **asked), dag(time_zone, cron), now)


def option(plan: Plan, name: str) -> str:
    return plan.words[plan.words.index(name) + 1]


@pytest.mark.parametrize(
    ("time_zone", "start", "end", "from_date", "to_date"),
    [
        ("UTC", "2013-01-01", "2013-01-07", "2013-01-01T00:00:00+00:00", "2013-01-07T23:59:59+00:00"),
        # The clock goes forward on 31 March and back on 27 October.
        ("Europe/Madrid", "2013-03-30", "2013-04-01", "2013-03-30T00:00:00+01:00", "2013-04-01T23:59:59+02:00"),
        ("Europe/Madrid", "2013-03-31", "2013-03-31", "2013-03-31T00:00:00+01:00", "2013-03-31T23:59:59+02:00"),
        ("Europe/Madrid", "2013-10-27", "2013-10-27", "2013-10-27T00:00:00+02:00", "2013-10-27T23:59:59+01:00"),
        # Forward on 10 March, back on 3 November.
        ("America/New_York", "2013-03-10", "2013-03-10", "2013-03-10T00:00:00-05:00", "2013-03-10T23:59:59-04:00"),
        ("America/New_York", "2013-11-03", "2013-11-03", "2013-11-03T00:00:00-04:00", "2013-11-03T23:59:59-05:00"),
        # No midnight on 20 October: it and the day before need a second more, see _first_instant.
        ("America/Sao_Paulo", "2013-10-19", "2013-10-19", "2013-10-18T23:59:59-03:00", "2013-10-19T23:59:59-03:00"),
        ("America/Sao_Paulo", "2013-10-20", "2013-10-20", "2013-10-19T23:59:59-03:00", "2013-10-20T23:59:59-02:00"),
    ],
)
def test_a_day_is_all_of_the_local_day(
    time_zone: str, start: str | None, end: str | None, from_date: str, to_date: str
) -> None:
    made = planned(start, end, time_zone)
    assert (option(made, "--from-date"), option(made, "--to-date")) == (from_date, to_date)


@pytest.mark.parametrize("time_zone", ["UTC", "Europe/Madrid", "America/New_York", "Asia/Kolkata", "Asia/Beirut"])
def test_T1_a_year_of_single_days_is_the_year_once(time_zone: str) -> None:
    year = [date(2013, 1, 1) + timedelta(n) for n in range(365)]
    plans = [planned(str(day), str(day), time_zone) for day in year]
    assert [made.days for made in plans] == [(day,) for day in year]
    # Each window opens as the one before it closes, to the second: no minute is in two days, none in no day.
    gaps = [b.first.astimezone(UTC) - a.last.astimezone(UTC) for a, b in pairwise(plans)]
    assert set(gaps) <= {timedelta(0), timedelta(seconds=1)}


@pytest.mark.parametrize(("start", "end"), [("2013-01-05", None), (None, "2013-01-05")])
def test_one_end_alone_is_that_day(start: str | None, end: str | None) -> None:
    assert planned(start, end, "UTC").days == (date(2013, 1, 5),)


@pytest.mark.parametrize(
    ("start", "end", "days"),
    [
        ("2013-01-05T05:00Z", "2013-01-06T05:00Z", [5, 6]),  # both are midnight in New York
        ("2013-01-05T05:01Z", "2013-01-06T05:00Z", [6]),
        ("2013-01-05T00:00-05:00", None, [5]),
        ("2013-01-05 00:00", "2013-01-05 23:00", [5]),  # no offset: the clock in New York
        ("2013-01-05", "2013-01-06T04:59Z", [5]),
    ],
)
def test_a_date_time_is_an_instant(start: str | None, end: str | None, days: list[int]) -> None:
    assert [day.day for day in planned(start, end, "America/New_York").days] == days


def test_a_cron_later_in_the_day_keeps_its_days() -> None:
    assert planned("2013-03-30", "2013-04-01", "Europe/Madrid", cron="30 6 * * *").days == (
        date(2013, 3, 30),
        date(2013, 3, 31),
        date(2013, 4, 1),
    )


def test_days_that_are_not_over_are_left_out() -> None:
    now = datetime(2013, 1, 5, 22, 59, tzinfo=UTC)  # 23:59 on 5 January in Madrid
    made = planned("2013-01-03", "2013-01-07", "Europe/Madrid", now)
    assert spell(made.days) == "2013-01-03 to 2013-01-04"
    assert spell(made.left_out) == "2013-01-05 to 2013-01-07"


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        (None, None, "no day given"),
        ("2013-13-01", None, "-s 2013-13-01: no such date; expected YYYY-MM-DD"),
        ("2013-02-29", None, "-s 2013-02-29: no such date"),
        ("2013-01-01", "soon", "-e soon: no such date"),
        ("2013-01-01", "9999-12-31", "-e 9999-12-31: no such date"),
        ("2013-01-07", "2013-01-01", "-e 2013-01-01 is before -s 2013-01-07"),
        ("2030-01-01", "2030-01-03", "2030-01-01 to 2030-01-03: not over yet in UTC"),
        ("2013-01-01T06:00Z", "2013-01-01T07:00Z", "no day starts from 2013-01-01T06:00:00"),
    ],
)
def test_wrong_days_are_one_line(start: str | None, end: str | None, says: str) -> None:
    with pytest.raises(BadBackfill, match=says) as wrong:
        planned(start, end, "UTC")
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize(
    ("conf", "says"),
    [
        ("{force: 1}", "not JSON"),
        ("[1]", "expected a JSON object"),
        ('{"day": "2013-01-01"}', "--conf sets day to 2013-01-01: every run would do the same"),
        ('{"days": ["2013-01-01"]}', "--conf sets days to"),
    ],
)
def test_a_wrong_conf_is_refused(conf: str, says: str) -> None:
    with pytest.raises(BadBackfill, match=says):
        planned("2013-01-01", None, "UTC", conf=conf)


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({}, "--reprocess-behavior none --max-active-runs 8"),
        ({"reprocess": "failed"}, "--reprocess-behavior failed --max-active-runs 8"),
        ({"max_active_runs": 1}, "--reprocess-behavior none --max-active-runs 1"),
        ({"conf": '{"force":true}'}, '--reprocess-behavior none --max-active-runs 8 --dag-run-conf {"force":true}'),
        (
            {"is_backwards": True, "is_dry_run": True},
            "--reprocess-behavior none --max-active-runs 8 --run-backwards --dry-run",
        ),
    ],
)
def test_what_is_asked_is_said_in_the_words_of_airflow_3(asked: dict[str, Any], words: str) -> None:
    made = planned("2013-01-01", None, "UTC", **asked)
    assert made.words[:4] == ("backfill", "create", "--dag-id", "flights")
    assert list(made.words[8:]) == words.split()


def test_the_same_is_asked_of_the_rest_api() -> None:
    made = planned("2013-01-01", None, "America/New_York", conf='{"force":true}', is_backwards=True, reprocess="failed")
    assert made.body == {
        "dag_id": "flights",
        "from_date": option(made, "--from-date"),
        "to_date": option(made, "--to-date"),
        "reprocess_behavior": "failed",
        "max_active_runs": 8,
        "dag_run_conf": {"force": True},
        "run_backwards": True,
    }


@pytest.mark.parametrize(
    ("asked", "days"),
    [
        ({"batch": 2}, [["2013-01-01", "2013-01-02"], ["2013-01-03"]]),
        ({"batch": 2, "is_backwards": True}, [["2013-01-03", "2013-01-02"], ["2013-01-01"]]),
        ({"batch": 30}, [["2013-01-01", "2013-01-02", "2013-01-03"]]),
        ({"batch": None}, []),
    ],
)
def test_in_batches_one_run_carries_several_days(asked: dict[str, Any], days: list[list[str]]) -> None:
    made = planned("2013-01-01", "2013-01-03", "America/New_York", conf='{"force": true}', **asked)
    assert [[str(day) for day in run.days] for run in made.runs] == days
    for run in made.runs:
        of_days = {"days": [str(day) for day in run.days]} if len(run.days) > 1 else {"day": str(run.days[0])}
        assert run.conf == {"force": True, **of_days}
    assert len({run.run_id for run in made.runs}) == len(days)


def test_days_that_are_not_over_are_in_no_batch() -> None:
    now = datetime(2013, 1, 5, 22, 59, tzinfo=UTC)
    made = planned("2013-01-03", "2013-01-07", "Europe/Madrid", now, batch=10)
    assert [len(run.days) for run in made.runs] == [2]


def test_what_does_not_go_with_batches_is_refused() -> None:
    with pytest.raises(BadBackfill, match="the pipeline's own limit holds, 8; leave one of them out"):
        planned("2013-01-01", None, "UTC", batch=2, max_active_runs=1)
    with pytest.raises(BadBackfill, match="other: --batch is for pipelines of Daybook, and this DAG is none"):
        plan(Request("other", "2013-01-01", batch=2), Dag("other", None, 16), LONG_AFTER)


def test_a_dag_that_is_no_pipeline_gets_its_utc_days_whole() -> None:
    made = plan(Request("other", "2013-01-01", "2013-01-02"), Dag("other", None, 16), LONG_AFTER)
    assert (option(made, "--from-date"), option(made, "--to-date")) == (
        "2013-01-01T00:00:00+00:00",
        "2013-01-02T23:59:59+00:00",
    )
    assert made.days == ()
    assert option(made, "--max-active-runs") == "16"


@pytest.mark.parametrize(
    ("days", "spelled"),
    [
        ([1], "2013-01-01"),
        ([1, 2, 3], "2013-01-01 to 2013-01-03"),
        ([1, 3, 4], "2013-01-01, 2013-01-03 to 2013-01-04"),
    ],
)
def test_days_are_spelled_as_a_person_does(days: list[int], spelled: str) -> None:
    assert spell(tuple(date(2013, 1, day) for day in days)) == spelled


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        (
            "2012-12-31",
            "2013-01-02",
            "2012-12-31 is before the schedule's first day, 2013-01-01; nothing was made",
        ),
        (
            "2013-12-30",
            "2014-01-01",
            "2014-01-01 is after the schedule's last day, 2013-12-31; nothing was made",
        ),
        ("2030-01-01", None, "flights: 2030-01-01 is not over yet in UTC; expected 2013-12-31 or before"),
    ],
)
def test_days_outside_of_the_schedule_are_refused(start: str, end: str | None, says: str) -> None:
    ended = Dag("flights", Schedule(start=date(2013, 1, 1), end=date(2013, 12, 31)), 8)
    with pytest.raises(BadBackfill, match=says):
        plan(Request("flights", start=start, end=end), ended, LONG_AFTER)


def test_a_range_takes_in_only_the_days_that_the_cron_means() -> None:
    # 2013-01-05 is a Saturday.
    made = planned("2013-01-03", "2013-01-08", "Europe/Madrid", cron="30 6 * * 1-5")
    assert [day.day for day in made.days] == [3, 4, 7, 8]


def test_a_day_is_begun_at_the_next_time_that_the_cron_means() -> None:
    friday = "2013-01-04"
    sunday, monday = (datetime(2013, 1, day, 12, tzinfo=UTC) for day in (6, 7))
    assert planned(friday, None, "UTC", monday, cron="30 6 * * 1-5").days == (date(2013, 1, 4),)
    with pytest.raises(BadBackfill, match="not over yet"):
        planned(friday, None, "UTC", sunday, cron="30 6 * * 1-5")


def test_a_holiday_is_left_out_and_the_day_before_it_is_begun_on_it() -> None:
    # The sixth of January is a holiday in Spain, on which Airflow makes a run as on any day.
    on_the_sixth = datetime(2015, 1, 6, 12, tzinfo=UTC)
    ended = Dag("flights", Schedule(start=date(2013, 1, 1), holidays="ES"), 8)
    assert plan(Request("flights", start="2015-01-05", end="2015-01-05"), ended, on_the_sixth).days == (
        date(2015, 1, 5),
    )
    made = plan(Request("flights", start="2015-01-05", end="2015-01-07"), ended, LONG_AFTER)
    assert made.days == (date(2015, 1, 5), date(2015, 1, 7))


def test_a_word_of_the_conf_that_is_not_the_forms_is_refused() -> None:
    with pytest.raises(BadBackfill, match="--conf: Conf, forse: Conf has no word 'forse'; did you mean 'force'"):
        planned("2013-01-01", None, "UTC", conf='{"forse": true}')
