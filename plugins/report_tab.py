"""A Days tab on every DAG, a Report tab on every run, with the report that readers see, and metrics for Prometheus.

Airflow imports this file in every process, each task's too. So the modules that only the API server needs are imported
when it asks for the app.
"""

import os
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from airflow.plugins_manager import AirflowPlugin

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from fastapi import FastAPI

    from daybook.spec import Pipeline

# Both pages hold text from outside, and share their origin with Airflow's UI: nothing in them may run or load.
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; style-src 'unsafe-inline'"
RUN_PAGE_POLICY = f"{NOTHING}; frame-src 'self'"
REPORT_POLICY = f"{NOTHING}; img-src data:; sandbox"

NOT_OURS = "This DAG is no pipeline of Daybook, so there is no report of its runs."
NO_DAYS = "This DAG is no pipeline of Daybook, so it has no days."
NOT_PUBLISHED = "Nothing is published of this day."
NOT_BEGUN = (
    "This run has not finished a step yet. As soon as the first one is done, its counts are here.",
    "The Days tab of the DAG has what is known of each day: a day that failed says there what to do.",
)
FILES_GO = (
    "The files of a run go after {} days (`keep_files_days` of the spec); then `./daybook why DAY` has the counts of "
    "what readers see."
)
NOT_ITS_DAY = "This run has no such day."


class ReportTab(AirflowPlugin):
    """The plugin as Airflow reads it: the tab, and the app that serves it."""

    name = "daybook_report"
    external_views = [
        # Without a route of its own Airflow opens it beside itself: inside of its frames no link leads out again.
        {"name": "Daybook counts", "href": "daybook/", "destination": "nav", "category": "browse"},
        {"name": "Days", "href": "daybook/{DAG_ID}/days", "destination": "dag", "url_route": "days"},
        {
            "name": "Report",
            # Relative to the UI's base, so it also works if Airflow is served below a path.
            "href": "daybook/{DAG_ID}/{RUN_ID}/run",
            "destination": "dag_run",
            "url_route": "report",
        },
    ]

    @property
    def fastapi_apps(self) -> list[Any]:  # type: ignore[override]
        """Return the app. Only the API server, and commands about plugins, ask for it."""
        return [{"app": app(), "url_prefix": "/daybook", "name": "Daybook's reports"}]


@cache
def app() -> "FastAPI":
    """Return the app. Airflow mounts it as it is, so every route asks for the permission on the run's DAG by itself."""
    from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
    from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
    from fastapi import Depends, FastAPI, Request
    from fastapi.responses import HTMLResponse, Response

    # It takes the DAG from the path parameter of exactly this name: dag_id.
    permission = Depends(requires_access_dag("GET", DagAccessEntity.RUN))
    served = FastAPI(title="Daybook's reports", openapi_url=None, dependencies=[permission])

    # What is in a row is for those who may read the logs of the DAG's tasks.
    may_see_text = requires_access_dag("GET", DagAccessEntity.TASK_LOGS)

    @served.get("/")
    def counts(request: Request, user: GetUserDep, state: str | None = None) -> HTMLResponse:
        def may_see(dag_id: str) -> bool:
            return _is_allowed(requires_access_dag("GET", DagAccessEntity.RUN, dag_id), request, user)

        return HTMLResponse(**_counts_page(may_see, state)._asdict())

    @served.get("/{dag_id}/days")
    def days(dag_id: str, year: str | None = None, state: str | None = None) -> HTMLResponse:
        return HTMLResponse(**_days_page(dag_id, year, state)._asdict())

    # It embeds the published report from the address `report` beside its own.
    @served.get("/{dag_id}/day/{day}/charts")
    def charts(dag_id: str, day: str) -> HTMLResponse:
        return HTMLResponse(**_of_day(dag_id, day, RUN_PAGE_POLICY, _charts_page)._asdict())

    @served.get("/{dag_id}/day/{day}/refused")
    def refused(dag_id: str, day: str, request: Request, user: GetUserDep) -> HTMLResponse:
        page = partial(_refused_page, shows_text=_is_allowed(may_see_text, request, user))
        return HTMLResponse(**_of_day(dag_id, day, NOTHING, page)._asdict())

    @served.get("/{dag_id}/day/{day}/refused.csv", dependencies=[Depends(may_see_text)])
    def refused_file(dag_id: str, day: str) -> HTMLResponse:
        return HTMLResponse(**_as_file(_of_day(dag_id, day, NOTHING, _refused_file), f"{dag_id}_{day}")._asdict())

    # No one DAG's: whoever may see the runs of all of them.
    @served.get("/metrics")
    def metrics() -> Response:
        from daybook.pages.metrics import CONTENT_TYPE
        from daybook_airflow.metrics_answer import metrics_answer

        return Response(metrics_answer(), headers={**_headers(NOTHING), "Content-Type": CONTENT_TYPE})

    # day: which day of a run of several; without it, the page of all of them.
    @served.get("/{dag_id}/{run_id}/run")
    def run(dag_id: str, run_id: str, day: str | None = None) -> HTMLResponse:
        return HTMLResponse(**_run_page(dag_id, run_id, day)._asdict())

    @served.get("/{dag_id}/{run_id}/report")
    def report(dag_id: str, run_id: str, day: str | None = None) -> HTMLResponse:
        return HTMLResponse(**_report(dag_id, run_id, day)._asdict())

    # After a run's own pages: a run may be called "day".
    @served.get("/{dag_id}/day/{day}")
    def day(dag_id: str, day: str) -> HTMLResponse:
        return HTMLResponse(**_of_day(dag_id, day, RUN_PAGE_POLICY, _day_page)._asdict())

    @served.get("/{dag_id}/day/{day}/report")
    def report_of_day(dag_id: str, day: str) -> HTMLResponse:
        return HTMLResponse(**_report_of_day(dag_id, day)._asdict())

    return served


class Answer(NamedTuple):
    """A page, as a response takes it."""

    content: bytes
    headers: dict[str, str]
    status_code: int = 200


def _is_allowed(permission: "Callable[[Any, Any], None]", request: Any, user: Any) -> bool:
    """Return whether a user has a permission of Airflow, which raises an error if not."""
    from fastapi import HTTPException

    try:
        permission(request, user)
    except HTTPException:
        return False
    return True


def _counts_page(may_see: "Callable[[str], bool]", state: str | None) -> Answer:
    from daybook.pages.run_page import message_page
    from daybook.pipelines import pipelines_now
    from daybook_airflow.counts_pages import counts_answer

    now = pipelines_now()
    seen = [pipeline for name, pipeline in now.good.items() if may_see(name)]
    try:
        return Answer(counts_answer(seen, sorted(now.broken), state), _headers(NOTHING))
    except ValueError as error:
        return Answer(message_page("No such tasks", str(error)), _headers(NOTHING), 404)


def _days_page(dag_id: str, year: str | None, state: str | None) -> Answer:
    from daybook.errors import DaybookError
    from daybook.pages.run_page import message_page
    from daybook.pipelines import pipelines_now
    from daybook_airflow.day_pages import days_answer

    pipeline = pipelines_now().good.get(dag_id)
    if pipeline is None:
        return Answer(message_page("No days", NO_DAYS), _headers(NOTHING), 404)
    try:
        return Answer(days_answer(pipeline, year, state), _headers(NOTHING))
    except ValueError as error:
        return Answer(message_page("No such days", str(error)), _headers(NOTHING), 404)
    except DaybookError as error:
        return Answer(message_page("The ledger did not answer", str(error)), _headers(NOTHING), 503)


def _of_day(dag_id: str, asked_day: str, policy: str, answer: "Callable[[Pipeline, date], bytes]") -> Answer:
    """Return a page of a day of a pipeline. answer: makes it."""
    from daybook.days import as_day
    from daybook.errors import BadSpec, DaybookError
    from daybook.pages.run_page import message_page
    from daybook.pipelines import pipelines_now

    pipeline = pipelines_now().good.get(dag_id)
    if pipeline is None:
        return Answer(message_page("No days", NO_DAYS), _headers(policy), 404)
    try:
        day = as_day(asked_day)
    except ValueError as error:
        return Answer(message_page("No such day", f"{asked_day}: {error}"), _headers(policy), 404)
    try:
        return Answer(answer(pipeline, day), _headers(policy))
    except BadSpec as error:
        return Answer(message_page("No page", str(error)), _headers(policy), 404)
    except DaybookError as error:
        return Answer(message_page("The ledger did not answer", str(error)), _headers(policy), 503)


def _charts_page(pipeline: "Pipeline", day: "date") -> bytes:
    from daybook_airflow.charts_pages import charts_answer

    return charts_answer(_data(), pipeline, day)


def _refused_page(pipeline: "Pipeline", day: "date", *, shows_text: bool) -> bytes:
    from daybook_airflow.refused_pages import refused_answer

    return refused_answer(_data(), pipeline, day, shows_text=shows_text)


def _refused_file(pipeline: "Pipeline", day: "date") -> bytes:
    from daybook_airflow.refused_pages import refused_file

    return refused_file(_data(), pipeline, day)


def _as_file(answer: Answer, name: str) -> Answer:
    """Return the answer as a CSV file to keep, if it is no message."""
    kept = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}_refused.csv"',
    }
    return answer if answer.status_code != 200 else answer._replace(headers={**answer.headers, **kept})


def _day_page(pipeline: "Pipeline", day: "date") -> bytes:
    from daybook_airflow.day_pages import day_answer

    return day_answer(pipeline, day, _data())


def _run_page(dag_id: str, run_id: str, day: str | None) -> Answer:
    from daybook.pages.days_page import days_page
    from daybook.pages.run_page import message_page
    from daybook.pages.run_state import read_day
    from daybook.pipelines import pipelines_now
    from daybook_airflow.day_pages import day_answer, days_of

    pipeline = pipelines_now().good.get(dag_id)
    if pipeline is None:
        return Answer(message_page("No report", NOT_OURS), _headers(RUN_PAGE_POLICY), 404)
    days = days_of(pipeline, _data(), run_id)
    asked = [one for one in days if day in (None, str(one))]
    if day is not None and not asked:
        return Answer(message_page("No report", NOT_ITS_DAY), _headers(RUN_PAGE_POLICY), 404)
    if len(asked) == 1:
        page = day_answer(pipeline, asked[0], _data(), run_id, is_one_of_several=len(days) > 1)
        return Answer(page, _headers(RUN_PAGE_POLICY))
    states = [read_day(_data(), pipeline, run_id, one) for one in asked]
    if not any(state.is_begun for state in states):
        gone = [FILES_GO.format(pipeline.keep_files_days)] if pipeline.keep_files_days else []
        return Answer(message_page(dag_id, *NOT_BEGUN, *gone), _headers(RUN_PAGE_POLICY))
    return Answer(days_page(pipeline.name, states), _headers(RUN_PAGE_POLICY))


def _report(dag_id: str, run_id: str, day: str | None) -> Answer:
    from daybook.pages.run_page import message_page
    from daybook.pages.run_state import read_day
    from daybook.pipelines import pipelines_now

    pipeline = pipelines_now().good.get(dag_id)
    days = _days(pipeline, run_id, day) if pipeline else []
    state = read_day(_data(), pipeline, run_id, days[0]) if pipeline and len(days) == 1 else None
    content = state.report if state and state.is_begun else None
    if content:
        return Answer(content, _headers(REPORT_POLICY))
    return Answer(message_page("No report", NOT_PUBLISHED), _headers(REPORT_POLICY), 404)


def _report_of_day(dag_id: str, day: str) -> Answer:
    from daybook.days import as_day
    from daybook.pages.run_page import message_page
    from daybook.pages.run_state import day_without_run
    from daybook.pipelines import pipelines_now

    pipeline = pipelines_now().good.get(dag_id)
    try:
        content = day_without_run(_data(), pipeline, as_day(day)).report if pipeline else None
    except ValueError:
        content = None
    if content:
        return Answer(content, _headers(REPORT_POLICY))
    return Answer(message_page("No report", NOT_PUBLISHED), _headers(REPORT_POLICY), 404)


def _days(pipeline: "Pipeline", run_id: str, day: str | None) -> "list[date]":
    """Return the days of a run: all, or the one that a request names, if the run has it."""
    from daybook.pages.run_state import days_of

    return [one for one in days_of(_data(), pipeline, run_id) if day in (None, str(one))]


def _data() -> Any:
    from airflow.sdk import ObjectStoragePath

    from daybook.storage.data_folder import DataFolder

    return DataFolder(ObjectStoragePath(os.environ["DAYBOOK_DATA"]))


def _headers(policy: str) -> dict[str, str]:
    return {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
