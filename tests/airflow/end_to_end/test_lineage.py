"""What OpenLineage is told of the days of two pipelines, by its own setting: the events in a file."""

import json
from typing import Any

import pytest

from daybook.ledger.receipt import STEPS
from daybook_airflow.waiting import wait_until
from deployment.supervisor import Deployment

from .conftest import CANARY, YESTERDAY, due_run


@pytest.mark.parametrize(
    ("pipeline", "path", "delivered"),
    [
        ("weather", "weather/{day}.csv", [f"weather/{YESTERDAY}.csv"]),
        ("tides", "tides/{day}_{part}of{parts}.csv", [f"tides/{YESTERDAY}_{part}of2.csv" for part in (1, 2)]),
    ],
)
def test_the_events_of_a_day_name_its_files_and_its_views_and_no_file_that_steps_hand_on(
    deployment: Deployment, pipeline: str, path: str, delivered: list[str]
) -> None:
    run = due_run(deployment, pipeline)
    assert deployment.api.wait_for_run(pipeline, run)["state"] == "success"
    # The scheduler sends the run's own last event a moment later.
    assert wait_until(lambda: completed(deployment, pipeline).keys() == {"", *STEPS}, 60)
    done = completed(deployment, pipeline)
    file = (f"ftp://127.0.0.1:{deployment.ftp.port}", path)
    server = f"postgres://127.0.0.1:{deployment.postgres.port}"
    assert {task: names(event["inputs"]) for task, event in done.items() if event["inputs"]} == {
        "extract_files": [file],
        "save": [file],
        "deploy": [file],
    }
    assert {task: names(event["outputs"]) for task, event in done.items() if event["outputs"]} == {
        "save": [(server, f"warehouse.{pipeline}_store.by_day")],
        "deploy": [(server, f"warehouse.{pipeline}.by_day")],
    }
    (read,) = done["deploy"]["inputs"]
    assert read["inputFacets"]["subset"]["inputCondition"]["locations"] == delivered
    rain = done["deploy"]["outputs"][0]["facets"]["columnLineage"]["fields"]["mean_rain_mm"]["inputFields"]
    assert [(one["namespace"], one["name"], one["field"]) for one in rain] == [(*file, "rain")]


def test_no_event_holds_a_secret(deployment: Deployment) -> None:
    text = (deployment.home.path / "lineage.jsonl").read_text()
    assert [secret for secret in (CANARY, deployment.ftp.password) if secret in text] == []


def completed(deployment: Deployment, pipeline: str) -> dict[str, Any]:
    """Return the last event of each task that has ended well; "" is the run itself."""
    done = [event for event in events(deployment) if event["eventType"] == "COMPLETE"]
    jobs = [(*event["job"]["name"].partition("."), event) for event in done]
    return {task: event for name, _, task, event in jobs if name == pipeline}


def events(deployment: Deployment) -> list[dict[str, Any]]:
    file = deployment.home.path / "lineage.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def names(datasets: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(dataset["namespace"], dataset["name"]) for dataset in datasets]
