"""How far a backfill is, and whether every day that was asked for is a success."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest

from daybook.spec import Schedule
from daybook_airflow.asked_runs import asked_runs
from daybook_airflow.backfill.plan import Dag, Plan
from daybook_airflow.backfill.progress import Run, Sight, bar, has_ended, missed, progress

# New York's midnight of 1 January 2013.
FIRST = datetime(2013, 1, 1, 5, tzinfo=UTC)


def plan(days: Sequence[int], left_out: Sequence[int] = (), cron: str | None = "0 0 * * *") -> Plan:
    asked, not_over = (tuple(date(2013, 1, day) for day in some) for some in (days, left_out))
    schedule = Schedule(time_zone="America/New_York", cron=cron, start=date(2013, 1, 1)) if cron else None
    return Plan(Dag("flights", schedule, 8), FIRST, FIRST, asked, not_over, ())


def sight(*states: str | None, tasks: int = 0, tasks_ended: int = 0) -> Sight:
    runs = (Run(FIRST + timedelta(days=n), state) for n, state in enumerate(states))
    return Sight(tuple(runs), tasks, tasks_ended)


@pytest.mark.parametrize(
    ("states", "ended"),
    [
        (["success", "failed"], True),
        (["success", "running"], False),
        (["queued"], False),
        ([None], True),
    ],
)
def test_a_backfill_has_ended_when_no_run_is_queued_or_running(states: list[str | None], ended: bool) -> None:
    assert has_ended(sight(*states)) is ended


@pytest.mark.parametrize(
    ("days", "left_out", "states", "not_done"),
    [
        ([1, 2], [], ["success", "success"], []),
        ([1, 2], [], ["success", "failed"], ["2013-01-02 (failed)"]),
        ([1, 2, 3], [], ["success", "success"], ["2013-01-03 (no run)"]),
        ([1, 2], [], ["success", None], ["2013-01-02 (no run)"]),
        ([1], [2], ["success"], ["2013-01-02 (not over yet, left out)"]),
        (
            [1, 2, 3],
            [4, 5],
            ["failed", "success", "failed"],
            ["2013-01-01, 2013-01-03 (failed)", "2013-01-04 to 2013-01-05 (not over yet, left out)"],
        ),
    ],
)
def test_every_day_that_is_no_success_is_named(
    days: list[int], left_out: list[int], states: list[str | None], not_done: list[str]
) -> None:
    assert list(missed(plan(days, left_out), sight(*states))) == not_done


def test_a_dag_that_is_no_pipeline_is_told_by_its_logical_dates() -> None:
    other = plan([], cron=None)
    assert missed(other, sight("failed")) == ("2013-01-01T05:00:00+00:00 (failed)",)
    assert "0 of 1 run done" in progress(other, sight("failed"))


def test_a_run_of_several_days_is_told_by_its_days() -> None:
    runs = asked_runs([(date(2013, 1, 1), date(2013, 1, 2)), (date(2013, 1, 3),)], FIRST, {}, "America/New_York")
    batches = plan([1, 2, 3], [4])._replace(runs=tuple(runs))
    seen = Sight((Run(None, "failed"), Run(None, "success")), 18, 18)
    assert "1 of 2 runs done, 1 failed" in progress(batches, seen)
    assert missed(batches, seen) == (
        "2013-01-01 to 2013-01-02 (failed, see the log of its deploy)",
        "2013-01-04 (not over yet, left out)",
    )


def test_progress_is_one_line_of_counts() -> None:
    seen = sight("success", "failed", "running", "queued", tasks=36, tasks_ended=20)
    assert progress(plan([1, 2, 3, 4]), seen) == ("flights: 1 of 4 days done, 1 failed, 1 running, 20 of 36 tasks")
    assert bar(seen) == "[#############...........]"


def test_the_bar_stands_when_there_are_no_tasks_yet() -> None:
    assert bar(sight()) == "[........................]"
