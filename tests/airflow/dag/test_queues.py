"""The queues of tasks, if pools have queues of their own."""

from datetime import timedelta

import pytest

from daybook import steps
from daybook_airflow.tasks import HoldingTask, StepTask


def test_the_tasks_of_a_pool_have_its_queue_if_it_was_asked_for_and_the_common_one_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DAYBOOK_QUEUES", "warehouse,source_db")
    extract = StepTask(step=steps.extract_tables, pool="source_db")
    load = StepTask(step=steps.load, pool="compute")
    deploy = HoldingTask(step=steps.deploy, pool="warehouse", execution_timeout=timedelta(hours=1))
    assert [task.queue for task in (extract, load, deploy)] == ["source_db", "default", "warehouse"]
