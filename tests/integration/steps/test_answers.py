"""Held days of a run of several: what becomes of them by silence, and by a person's answer after it."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from daybook import steps
from daybook.alerts.outbox import Outbox
from daybook.ledger import step_log
from daybook.ledger.decisions import Release
from daybook.ledger.receipt import STEPS
from daybook.pipelines import Pipelines
from daybook.postgres.session import at_once
from daybook.run.several_days import DaysLeftOut, over_days
from daybook.spec import Pipeline
from daybook_airflow.alerts.described import alerts_of
from daybook_airflow.alerts.listener import _of_run
from daybook_airflow.answers import held_days, settle
from daybook_airflow.decision import Decided
from tests.support.servers import Servers, run_steps

BEFORE, HELD = [f"2013-01-0{number}" for number in range(1, 5)], ["2013-01-05", "2013-01-06"]
MANY, FEW = 50, 3
LAST_STEPS = (steps.summarize, steps.save, steps.deploy)


@pytest.fixture
def own(pipeline: Pipeline, servers: Servers) -> Pipeline:
    """The pipeline over files of the test's own: four days published, and two with few flights."""
    folder = servers.ftp.root / pipeline.name
    folder.mkdir()
    for day in [*BEFORE, *HELD]:
        lines = (servers.ftp.root / "flights" / f"flights_{day}.csv").read_bytes().splitlines(keepends=True)
        (folder / f"{day}.csv").write_bytes(b"".join(lines[: 1 + (FEW if day in HELD else MANY)]))
    file = pipeline.files[0].model_copy(update={"path": pipeline.name + "/{day}.csv"})
    found = pipeline.model_copy(update={"files": (file,)})
    for day in BEFORE:
        run_steps(servers.work(found, day, "before"), servers)
    return found


def test_days_that_nobody_decided_stay_held_are_asked_again_and_the_alert_names_what_publishes_them(
    own: Pipeline, servers: Servers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = [servers.work(own, day, "batch") for day in HELD]
    for step in STEPS[:-1]:
        over_days(getattr(steps, step), works, is_last_try=True)
    with pytest.raises(DaysLeftOut):
        over_days(steps.deploy, works, is_last_try=True)
    with pytest.raises(DaysLeftOut, match=r"2013-01-06.*; nobody decided within 22 hours, so it stays held"):
        settle(LAST_STEPS, works, Decided("22 hours", frozenset()))
    connect = partial(servers.connect_postgres, "warehouse")
    days = [work.day for work in works]
    failures = at_once(connect, lambda session: step_log.failures(session, own.name, days[0], days[1]))
    assert [str(failures[day][2]).endswith("nobody decided within 22 hours, so it stays held") for day in days] == [
        True,
        True,
    ]
    monkeypatch.setenv("DAYBOOK_DATA", str(servers.data))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    words = {"dag_id": own.name, "run_id": "batch", "run_type": "manual", "conf": {}, "end_date": now}
    run = SimpleNamespace(**words, data_interval_start=None, logical_date=None, run_after=now)
    (alert,) = alerts_of(_of_run("run_failed", run, ""), Outbox(tmp_path), Pipelines({own.name: own}, {}))
    assert alert.again == f'./daybook release --from {HELD[0]} --to {HELD[1]} --pipeline {own.name} --why "REASON"'

    assert held_days(works) == works
    with pytest.raises(DaysLeftOut, match=r"1 of 2 days was left out.*ann left it unpublished: a storm"):
        settle(LAST_STEPS, works, Decided(Release("ann", "a storm"), frozenset({HELD[0]})))
    assert held_days(works) == []
    seen = servers.rows("select day from daybook.published where pipeline = %s", own.name, role="warehouse_owner")
    assert sorted(str(day) for (day,) in seen) == [*BEFORE, HELD[0]]
