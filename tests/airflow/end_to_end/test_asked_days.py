"""What a trigger may ask for, through the real scheduler: a day that is over and in the schedule, in known words."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from daybook.storage.run_names import folder_name
from deployment.supervisor import Deployment

from .conftest import YESTERDAY, ZONE

TODAY = YESTERDAY + timedelta(days=1)


def states(deployment: Deployment, dag: str, run: str) -> dict[str, tuple[str, int]]:
    """Return the state of each task of a run, and its number of tries."""
    return {t["task_id"]: (t["state"], t["try_number"]) for t in deployment.api.task_instances(dag, run)}


def logs(deployment: Deployment, run: str, task: str) -> str:
    """Return the log of a task."""
    (log,) = (deployment.home.logs / "tasks").glob(f"**/run_id={run}/task_id={task}/*.log")
    return Path(log).read_text()


@pytest.mark.parametrize(
    ("dag", "conf", "says"),
    [
        ("weather", {"day": "2030-01-01"}, f"2030-01-01 is not over yet in {ZONE}"),
        ("weather", {"days": [str(YESTERDAY), str(TODAY)]}, f"{TODAY} is not over yet in {ZONE}; expected {YESTERDAY}"),
        ("weather", {"day": "2020-01-01"}, "2020-01-01 is before the schedule's first day"),
        ("flights", {"day": "2026-11-25"}, "2026-11-25 is after the schedule's last day, 2013-12-31"),
        ("flights", {}, "is after the schedule's last day, 2013-12-31"),
        ("weather", {"day": str(YESTERDAY), "forse": True}, "has no word 'forse'; did you mean 'force'?"),
        ("weather", {"Day": str(YESTERDAY)}, "has no word 'Day'; did you mean 'day'?"),
    ],
)
def test_a_wrong_day_or_word_fails_at_once_with_one_message_and_publishes_nothing(
    deployment: Deployment, dag: str, conf: dict[str, Any], says: str
) -> None:
    run = deployment.api.trigger(dag, conf=conf)
    assert deployment.api.wait_for_run(dag, run)["state"] == "failed"
    seen = states(deployment, dag, run)
    assert seen["extract_tables"] == seen["extract_files"] == ("failed", 1)
    assert {seen[step] for step in seen if not step.startswith("extract")} == {("upstream_failed", 0)}
    assert says in logs(deployment, run, "extract_files")
    assert "nothing was done" in logs(deployment, run, "extract_files")
    assert not list(Path(deployment.data.removeprefix("file://")).glob(f"days/{dag}/*/{folder_name(run)}"))


@pytest.mark.parametrize("name", ["by_fingerprint", "of_runs", ".hidden"])
def test_a_run_whose_name_is_that_of_other_files_is_refused(deployment: Deployment, name: str) -> None:
    run = deployment.api.trigger("weather", conf={"day": str(YESTERDAY)}, run_id=name)
    assert deployment.api.wait_for_run("weather", run)["state"] == "failed"
    assert {state for state in states(deployment, "weather", run).values()} == {("failed", 1), ("upstream_failed", 0)}


def test_runs_whose_names_differ_in_a_sign_share_no_folder(deployment: Deployment) -> None:
    runs = [
        deployment.api.trigger("weather", conf={"day": str(YESTERDAY)}, run_id=name) for name in ("c:1", "c+1", "c~1")
    ]
    assert [deployment.api.wait_for_run("weather", run)["state"] for run in runs] == ["success"] * 3
    day = Path(deployment.data.removeprefix("file://")) / "days" / "weather" / str(YESTERDAY)
    assert [json.loads((day / folder_name(run) / "load" / "receipt.json").read_text())["run"] for run in runs] == runs


def test_a_run_without_a_day_takes_yesterday(deployment: Deployment) -> None:
    run = deployment.api.trigger("weather")
    assert deployment.api.wait_for_run("weather", run)["state"] == "success"
    assert list(deployment.api.xcom("weather", run, "deploy")) == [str(YESTERDAY)]  # type: ignore[call-overload]
