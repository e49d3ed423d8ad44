"""Tasks that a person clears in the UI, one by one, through the real scheduler."""

import pytest

from daybook.ledger.receipt import STEPS
from deployment.supervisor import Deployment

from .conftest import rows

DAY = "2013-06-03"


@pytest.fixture(scope="module")
def run(deployment: Deployment) -> str:
    """A run that has published its day."""
    run = deployment.api.trigger("flights", conf={"day": DAY})
    assert deployment.api.wait_for_run("flights", run)["state"] == "success"
    return run


@pytest.mark.parametrize("step", STEPS)
def test_R4_a_single_task_that_is_cleared_is_done_again_and_changes_nothing_for_readers(
    deployment: Deployment, run: str, step: str
) -> None:
    seen = f"select * from flights.by_airline where day = '{DAY}' order by carrier"
    published = f"select run_id from daybook.published where day = '{DAY}'"
    before = rows(deployment, seen), rows(deployment, published, role="warehouse_owner")
    body = {"dry_run": False, "dag_run_id": run, "task_ids": [step], "only_failed": False}
    cleared = deployment.api._ask("POST", "/dags/flights/clearTaskInstances", body)
    assert [task["task_id"] for task in cleared["task_instances"]] == [step]
    assert deployment.api.wait_for_run("flights", run)["state"] == "success"
    (task,) = (task for task in deployment.api.task_instances("flights", run) if task["task_id"] == step)
    assert task["try_number"] == 2
    assert (rows(deployment, seen), rows(deployment, published, role="warehouse_owner")) == before
