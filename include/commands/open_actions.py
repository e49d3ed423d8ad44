"""Held days whose runs wait for an answer in Airflow's Required Actions: a command answers as a person does there.

So a day has one decision: the run that waits goes on with it, and no second run is started.
"""

from collections.abc import Sequence
from datetime import date

from daybook_airflow.api import AirflowApi
from daybook_airflow.api_requests import Json
from daybook_airflow.decision import PUBLISH


def release(api: AirflowApi, dag_id: str, days: Sequence[date], why: str) -> dict[date, str]:
    """Answer what is asked about some days, and return the run that goes on with each; days not asked about are left
    out. Other days of the same question stay held."""
    going_on: dict[date, str] = {}
    for action in api.open_actions(dag_id):
        asked = [day for day in days if str(day) in _days(action) and day not in going_on]
        if asked:
            given = {"why": why, "days": [str(day) for day in asked]}
            api.answer(action, PUBLISH, given)
            going_on |= dict.fromkeys(asked, str(action["task_instance"]["dag_run_id"]))
    return going_on


def _days(action: Json) -> list[str]:
    days = action["params"].get("days") or {}
    return list(days.get("value") or [])
