"""A Report tab on every DAG run: the run's work on its day, and the report that readers of that day see.

Airflow imports this file in every process, each task's too. So the modules that only the API server needs are imported
when it asks for the app.
"""

import os
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow.plugins_manager import AirflowPlugin

if TYPE_CHECKING:
    from fastapi import FastAPI

# Both pages hold text from outside, and share their origin with Airflow's UI: nothing in them may run or load.
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; style-src 'unsafe-inline'"
RUN_PAGE_POLICY = f"{NOTHING}; frame-src 'self'"
REPORT_POLICY = f"{NOTHING}; img-src data:; sandbox"

NOT_OURS = "This DAG is no pipeline of Daybook, so there is no report of its runs."
NOT_PUBLISHED = "Nothing is published of this run's day."
NOT_BEGUN = (
    "This run has not finished a step yet. As soon as the first one is done, its counts are here.",
    "Where a task is red, its log says what happened and what to do.",
)


class ReportTab(AirflowPlugin):
    """The plugin as Airflow reads it: the tab, and the app that serves it."""

    name = "daybook_report"
    external_views = [
        {
            "name": "Report",
            # Relative to the UI's base, so it also works if Airflow is served below a path.
            "href": "daybook/{DAG_ID}/{RUN_ID}/run",
            "destination": "dag_run",
            "url_route": "report",
        }
    ]

    @property
    def fastapi_apps(self) -> list[Any]:  # type: ignore[override]
        """Return the app. Only the API server, and commands about plugins, ask for it."""
        return [{"app": app(), "url_prefix": "/daybook", "name": "Daybook's reports"}]


@cache
def app() -> "FastAPI":
    """Return the app. Airflow mounts it as it is, so every route asks for the permission on the run's DAG by itself."""
    from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
    from airflow.api_fastapi.core_api.security import requires_access_dag
    from fastapi import Depends, FastAPI
    from fastapi.responses import HTMLResponse

    # It takes the DAG from the path parameter of exactly this name: dag_id.
    permission = Depends(requires_access_dag("GET", DagAccessEntity.RUN))
    served = FastAPI(title="Daybook's reports", openapi_url=None, dependencies=[permission])

    @served.get("/{dag_id}/{run_id}/run")
    def run(dag_id: str, run_id: str) -> HTMLResponse:
        return HTMLResponse(**_run_page(dag_id, run_id)._asdict())

    @served.get("/{dag_id}/{run_id}/report")
    def report(dag_id: str, run_id: str) -> HTMLResponse:
        return HTMLResponse(**_report(dag_id, run_id)._asdict())

    return served


class Answer(NamedTuple):
    """A page, as a response takes it."""

    content: bytes
    headers: dict[str, str]
    status_code: int = 200


def _run_page(dag_id: str, run_id: str) -> Answer:
    from daybook.pages.run_page import message_page, run_page
    from daybook.pages.run_state import read_run
    from daybook.pipelines import pipelines_now

    pipeline = pipelines_now().good.get(dag_id)
    if pipeline is None:
        return Answer(message_page("No report", NOT_OURS), _headers(RUN_PAGE_POLICY), 404)
    state = read_run(_data(), pipeline, run_id)
    page = run_page(state) if state else message_page(dag_id, *NOT_BEGUN)
    return Answer(page, _headers(RUN_PAGE_POLICY))


def _report(dag_id: str, run_id: str) -> Answer:
    from daybook.pages.run_page import message_page
    from daybook.pages.run_state import read_run
    from daybook.pipelines import pipelines_now

    pipeline = pipelines_now().good.get(dag_id)
    state = read_run(_data(), pipeline, run_id) if pipeline else None
    if state and state.report:
        return Answer(state.report, _headers(REPORT_POLICY))
    return Answer(message_page("No report", NOT_PUBLISHED), _headers(REPORT_POLICY), 404)


def _data() -> Any:
    from airflow.sdk import ObjectStoragePath

    from daybook.storage.data_folder import DataFolder

    return DataFolder(ObjectStoragePath(os.environ["DAYBOOK_DATA"]))


def _headers(policy: str) -> dict[str, str]:
    return {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
