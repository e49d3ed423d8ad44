"""The days that are run are the days that were planned: over time zones, changes of the clock, batches and limits."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.arguments import asked_days
from commands.planned_backfill import Known, outcomes, tell
from daybook.ledger.receipt import Receipt
from daybook.planning.plan import Action, Planned, limited, plan
from daybook.planning.standing import Failure, FileState, Standing
from daybook_airflow.backfill.runs import PREFIX, in_batches
from daybook_airflow.conf import conf_of
from deployment.control.runs import start

from .test_asked import CHANGES, pipeline

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Triggered:
    """Stands for Airflow's REST API: keeps what it is asked to start."""

    def __init__(self) -> None:
        self.runs: dict[str, Mapping[str, Any]] = {}

    def trigger(self, _dag_id: str, conf: Mapping[str, Any], run_id: str) -> str:
        """Keep a run."""
        self.runs[run_id] = conf
        return run_id


def days_of(conf: Mapping[str, Any]) -> list[date]:
    """Return the days that a run works on, as the DAG takes them from its conf."""
    checked = conf_of(conf)
    return sorted([*checked.days, *filter(None, [checked.day])])


@settings(max_examples=60, deadline=None)
@given(
    change=st.sampled_from(CHANGES),
    before=st.integers(0, 20),
    count=st.integers(1, 40),
    batch=st.integers(1, 12),
    limit=st.one_of(st.none(), st.integers(1, 50)),
    gone=st.sets(st.integers(0, 40)),
)
def test_the_days_that_are_run_are_the_days_that_were_planned(
    change: tuple[str, date], before: int, count: int, batch: int, limit: int | None, gone: set[int]
) -> None:
    zone, first = change[0], change[1] - timedelta(days=before)
    asked = asked_days(pipeline(zone, first), first, first + timedelta(days=count - 1), NOW)
    file = FileState(10, "20260101")
    known = [Standing(day, False, {}, None, {"sales": None if n in gone else file}) for n, day in enumerate(asked)]
    made = limited(plan(pipeline(zone, first), known, {}), limit)
    planned = [day.day for day in made.planned if day.action == "run"]

    api = Triggered()
    start(api, "shop", in_batches(planned, batch), is_forced=False)  # type: ignore[arg-type]

    executed = [day for conf in api.runs.values() for day in days_of(conf)]
    assert sorted(executed) == sorted(planned)
    assert len(planned) == min(limit or count, count - len(gone & set(range(count))))
    assert all(run.startswith(PREFIX) for run in api.runs)
    assert all(len(days_of(conf)) <= batch for conf in api.runs.values())


def test_a_backfill_is_well_only_where_readers_see_the_day_and_the_planned_run_came_to_its_end() -> None:
    days = [date(2026, 1, number) for number in range(1, 6)]
    actions: tuple[Action, ...] = ("run", "run", "run", "skip", "blocked")
    plans = [Planned(day, action, "why", (), None) for day, action in zip(days, actions, strict=True)]
    ended = {days[0]: deployed("ours"), days[1]: deployed("another")}
    known = Known(published={days[0], days[1], days[3]}, ended=ended, failures={})
    done = outcomes(limited(plans, None), known, dict.fromkeys(days[:3], "ours"))
    assert {one.day.day: (one.result, one.is_well) for one in done} == {
        1: ("published", True),
        2: ("not run: it was cancelled", False),
        3: ("not run: it was cancelled", False),
        4: ("why", True),
        5: ("why", False),
    }


def test_days_that_a_limit_leaves_for_later_are_as_asked_and_a_blocked_day_is_not() -> None:
    days = [date(2026, 1, number) for number in range(1, 4)]
    plans = [Planned(day, "run", "never done", (), None) for day in reversed(days)]
    known = Known(published={days[2]}, ended={days[2]: deployed("ours")}, failures={})
    done = outcomes(limited(plans, 1), known, {days[2]: "ours"})
    assert [(one.result, one.is_well) for one in done] == [
        ("published", True),
        ("left out by the limit", True),
        ("left out by the limit", True),
    ]
    blocked = [*plans[:1], plans[1]._replace(action="blocked", reason="held"), plans[2]]
    assert [one.is_well for one in outcomes(limited(blocked, 1), known, {days[2]: "ours"})] == [True, False, True]


def test_a_backfill_ends_with_the_days_that_are_held_and_how_to_release_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    days = [date(2026, 1, number) for number in range(1, 5)]
    actions: tuple[Action, ...] = ("run", "blocked", "run", "run")
    plans = [Planned(day, action, "why", (), None) for day, action in zip(days, actions, strict=True)]
    held = Failure("summarize", "Implausible", "12 rows, 900 expected; the day is held, look", NOW)
    failures = {days[0]: held, days[1]: held, days[2]: held._replace(kind="BadData")}
    known = Known(published={days[3]}, ended={days[3]: deployed("ours")}, failures=failures)
    done = outcomes(limited(plans, None), known, dict.fromkeys(days, "ours"))
    assert [one.day.day for one in done if one.is_held] == [2, 1]
    tell(done)
    assert capsys.readouterr().out.splitlines()[-5:] == [
        "2 days are held: 2026-01-01 to 2026-01-02",
        "held day    found and expected",
        "2026-01-01  12 rows, 900 expected",
        "2026-01-02  12 rows, 900 expected",
        "If these numbers are right, publish them: `./daybook release --from 2026-01-01 --to 2026-01-02 --why REASON`; "
        "`./daybook why DAY` says more about a day",
    ]
    tell([one for one in done if not one.is_held])
    assert "are held" not in capsys.readouterr().out


def deployed(run: str) -> dict[str, Receipt]:
    """Return the receipt of a run that published the first day."""
    day = date(2026, 1, 1)
    made = Receipt(
        pipeline="shop", day=day, run=run, step="deploy", outcome="published", seconds=1.0, peak_memory_mib=1
    )
    return {"deploy": made}
