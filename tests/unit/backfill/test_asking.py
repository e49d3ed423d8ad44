"""What is told of Airflow's answers: its refusals, with what to do about them, and how its scheduler is."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn

import pytest

import daybook_airflow
from daybook_airflow.api import AirflowApi
from daybook_airflow.backfill.ask import NotReady, create, would_run
from daybook_airflow.backfill.look import concern
from daybook_airflow.backfill.options import Request
from daybook_airflow.backfill.plan import Dag, plan
from daybook_airflow.errors import ApiError

PLAN = plan(Request("flights", "2013-01-01"), Dag("flights", None, 2), datetime(2020, 1, 1, tzinfo=UTC))


class Refusing(AirflowApi):
    """An API that answers every backfill with one refusal."""

    def __init__(self, status: int | None, detail: str) -> None:
        self.error = ApiError(f"Airflow refused: {detail}", status, detail)

    def create_backfill(self, asked: Mapping[str, Any]) -> NoReturn:
        raise self.error

    dry_run_of_backfill = create_backfill


# In Airflow 3.3.2's words (airflow/models/backfill.py).
@pytest.mark.parametrize(
    ("status", "detail", "advice"),
    [
        (409, "There is already a running backfill for dag flights", "wait for it, or cancel it in the UI"),
        (422, "Backfill cannot be executed for future dates.", "ask for days that are over"),
        (
            422,
            "Backfill cannot be run in reverse when the Dag has tasks where depends_on_past=True.",
            "leave --run-backwards out",
        ),
        (
            422,
            "Dag has tasks for which depends_on_past=True. You must set reprocess behavior to reprocess completed or "
            "reprocess failed.",
            "add --rerun-failed-tasks or --reset-dagruns",
        ),
        (400, "Dag with dag_id: 'flights' does not allow backfill runs", "allowed_run_types leave backfills out"),
        (404, "Could not find dag flights", "`airflow dags reserialize` reads them again"),
        (422, "Invalid input for param n: 99 is greater than the maximum of 10", "mend --conf"),
    ],
)
def test_a_refusal_says_what_to_do(status: int | None, detail: str, advice: str) -> None:
    for ask in (create, would_run):
        with pytest.raises(NotReady) as refused:
            ask(Refusing(status, detail), PLAN)
        assert str(refused.value).startswith(f"{detail}; ")
        assert advice in str(refused.value)


def test_a_refusal_in_words_that_are_not_known_is_told_as_it_is() -> None:
    with pytest.raises(NotReady, match=r"^something new$"):
        create(Refusing(422, "something new"), PLAN)


@pytest.mark.parametrize("status", [None, 401, 403])
def test_no_answer_and_a_missing_right_are_no_refusals_of_the_backfill(status: int | None) -> None:
    with pytest.raises(ApiError):
        create(Refusing(status, "Forbidden"), PLAN)


def scheduler(status: str, heard_s_ago: float | None = None) -> dict[str, Any]:
    heard = None if heard_s_ago is None else (datetime.now(UTC) - timedelta(seconds=heard_s_ago)).isoformat()
    return {"scheduler": {"status": status, "latest_scheduler_heartbeat": heard}}


@pytest.mark.parametrize(
    ("health", "says"),
    [
        (lambda: scheduler("healthy", 2), ""),
        (lambda: scheduler("unhealthy"), "no scheduler is running: nothing will move until one is"),
        (
            lambda: scheduler("unhealthy", 90.2),
            "the scheduler has been silent for 90 s: nothing will move until one runs",
        ),
        # The API server does not answer just now: nothing is known of the scheduler.
        (lambda: {}, ""),
    ],
)
def test_a_scheduler_that_is_not_there_is_told(health: Callable[[], dict[str, Any]], says: str) -> None:
    assert concern(health()) == says


def test_what_knows_airflow_knows_no_database() -> None:
    modules = list(Path(daybook_airflow.__file__).parent.rglob("*.py"))
    assert len(modules) > 10
    # preload.py only names modules that tasks import.
    asking = [module for module in modules if module.name != "preload.py"]
    databases = ("sqlalchemy", "psycopg", "airflow.models", "airflow.settings")
    assert [module.name for module in asking if any(name in module.read_text() for name in databases)] == []
