"""The table of published days: what readers see of them, and how long their runs took."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row
from rich.table import Table

from deployment.control.api import AirflowApi, Json
from deployment.errors import DeploymentError

PUBLISHED = """
    SELECT by_day.day, flights, cancelled, mean_dep_delay_min, rows_refused
    FROM flights.by_day
    JOIN daybook.published ON published.pipeline = 'flights' AND published.day = by_day.day
    JOIN daybook.ledger USING (run_id)
    WHERE by_day.day = ANY(%s)
    ORDER BY by_day.day
"""


def day_table(warehouse: str, seconds: Mapping[date, float]) -> Table:
    """Return the table of some days.

    warehouse: the connection string of a role that may read the ledger. seconds: of each day's run; its keys are the
    days. Raises DeploymentError if one of them is not published.
    """
    rows = _published(warehouse, list(seconds))
    if missing := [str(day) for day in seconds if day not in {row["day"] for row in rows}]:
        raise DeploymentError(f"The runs ended well, but readers see no flights of {', '.join(missing)}.")
    return _drawn(rows, seconds)


def run_seconds(api: AirflowApi, run: Json) -> float:
    """Return how long a finished run of Airflow took, from its first task's start to its last one's end.

    Airflow's own duration of a run counts the time for which it was queued.
    """
    tasks = [task for task in api.task_instances(run["dag_id"], run["dag_run_id"]) if task["end_date"]]
    began = min(datetime.fromisoformat(task["start_date"]) for task in tasks)
    ended = max(datetime.fromisoformat(task["end_date"]) for task in tasks)
    return (ended - began).total_seconds()


def _published(warehouse: str, days: Sequence[date]) -> list[dict[str, Any]]:
    with psycopg.connect(warehouse, row_factory=dict_row) as connection:
        return connection.execute(PUBLISHED, [list(days)]).fetchall()


def _drawn(rows: list[dict[str, Any]], seconds: Mapping[date, float]) -> Table:
    table = Table("day")
    for title in ("flights", "cancelled", "mean delay", "refused rows", "seconds"):
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(
            str(row["day"]),
            f"{row['flights']:,}",
            f"{row['cancelled']:,}",
            f"{row['mean_dep_delay_min']} min",
            f"{row['rows_refused']:,}",
            f"{seconds[row['day']]:.1f}",
        )
    return table
