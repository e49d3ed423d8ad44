"""Links from a task to the pages of its day, beside its logs in Airflow's UI."""

from datetime import date
from typing import Any
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink


class DayLink(BaseOperatorLink):
    """To the page of the run's day; of a run of several days, to the list of them."""

    name = "Day"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address, relative to the UI's: so it also works if Airflow is served below a path."""
        days: list[date] = getattr(operator, "days", [])
        dag_id = quote(ti_key.dag_id, safe="")
        return f"daybook/{dag_id}/day/{days[0]}" if len(days) == 1 else f"daybook/{dag_id}/{_run(ti_key)}/run"


class ReportLink(BaseOperatorLink):
    """To the report that readers of the run's day see; of a run of several days, to the list of them."""

    name = "Report"

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """Return the address, relative to the UI's."""
        days: list[date] = getattr(operator, "days", [])
        return f"daybook/{quote(ti_key.dag_id, safe='')}/{_run(ti_key)}/{'report' if len(days) == 1 else 'run'}"


def _run(ti_key: Any) -> str:
    return quote(ti_key.run_id, safe="")
