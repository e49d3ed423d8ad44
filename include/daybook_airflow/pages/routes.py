"""The addresses of the pages, each behind Airflow's own permission. Of two that fit, the first one answers.

Only the API server imports it, when it asks the plugin for the app.
"""

from collections.abc import Callable
from functools import partial
from typing import Annotated

from airflow.api_fastapi.auth.managers.base_auth_manager import COOKIE_NAME_JWT_TOKEN
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from airflow.api_fastapi.logging.decorators import action_logging
from fastapi import Depends, FastAPI, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from daybook.pages.metrics import CONTENT_TYPE
from daybook_airflow.pages.answer import FORM_POLICY, NOTHING, RUN_PAGE_POLICY, headers_of
from daybook_airflow.pages.answers import all_counts, all_days, as_file, of_day, of_run, report_of_run
from daybook_airflow.pages.answers import report_of_day as published_report
from daybook_airflow.pages.charts import charts_answer
from daybook_airflow.pages.days import day_answer
from daybook_airflow.pages.metrics import metrics_answer
from daybook_airflow.pages.permissions import is_allowed
from daybook_airflow.pages.refused import refused_answer
from daybook_airflow.pages.refused import refused_file as refused_csv
from daybook_airflow.pages.rollback_form import credential_of, rollback_answer
from daybook_airflow.pages.rollback_form import token as form_token_of

# Airflow mounts the app as it is, so every route asks for the permission on the run's DAG by itself. It takes the DAG
# from the path parameter of exactly this name: dag_id.
permission = Depends(requires_access_dag("GET", DagAccessEntity.RUN))
may_edit = requires_access_dag("PUT")
app = FastAPI(title="Daybook's reports", openapi_url=None, dependencies=[permission])

# What is in a row is for those who may read the logs of the DAG's tasks.
may_see_text = requires_access_dag("GET", DagAccessEntity.TASK_LOGS)


def seen_pipelines(request: Request, user: GetUserDep) -> Callable[[str], bool]:
    """Return whether the user may see the runs of a pipeline."""
    # A route without a DAG lets in whoever may see a single one.
    return lambda dag_id: is_allowed(requires_access_dag("GET", DagAccessEntity.RUN, dag_id), request, user)


MaySee = Annotated[Callable[[str], bool], Depends(seen_pipelines)]


@app.get("/")
def counts(may_see: MaySee, state: str | None = None) -> HTMLResponse:
    """Serve the counts of the pipelines that a user may see."""
    return HTMLResponse(**all_counts(may_see, state)._asdict())


def form_token(request: Request, user: GetUserDep, dag_id: str) -> str:
    """Return the word for a form of the user; "" if the user may not edit the DAG."""
    if not is_allowed(may_edit, request, user):
        return ""
    return form_token_of(credential_of(request.headers, request.cookies, COOKIE_NAME_JWT_TOKEN), dag_id)


FormToken = Annotated[str, Depends(form_token)]


@app.get("/{dag_id}/days")
def days(dag_id: str, year: str | None = None, state: str | None = None) -> HTMLResponse:
    """Serve the calendar of a pipeline's days."""
    return HTMLResponse(**all_days(dag_id, year, state)._asdict())


# It embeds the published report from the address `report` beside its own.
@app.get("/{dag_id}/day/{day}/charts")
def charts(dag_id: str, day: str) -> HTMLResponse:
    """Serve the charts of a day."""
    return HTMLResponse(**of_day(dag_id, day, RUN_PAGE_POLICY, charts_answer)._asdict())


@app.get("/{dag_id}/day/{day}/refused")
def refused(dag_id: str, day: str, request: Request, user: GetUserDep) -> HTMLResponse:
    """Serve the refused rows of a day."""
    page = partial(refused_answer, shows_text=is_allowed(may_see_text, request, user))
    return HTMLResponse(**of_day(dag_id, day, NOTHING, page)._asdict())


@app.get("/{dag_id}/day/{day}/refused.csv", dependencies=[Depends(may_see_text)])
def refused_file(dag_id: str, day: str) -> HTMLResponse:
    """Serve them as a file to mend."""
    return HTMLResponse(**as_file(of_day(dag_id, day, NOTHING, refused_csv), f"{dag_id}_{day}")._asdict())


@app.get("/metrics")
def metrics(may_see: MaySee) -> Response:
    """Serve the metrics of the pipelines that a user may see to Prometheus."""
    return Response(metrics_answer(may_see), headers={**headers_of(NOTHING), "Content-Type": CONTENT_TYPE})


# day: which day of a run of several; without it, the page of all of them.
@app.get("/{dag_id}/{run_id}/run")
def run(token: FormToken, dag_id: str, run_id: str, day: str | None = None) -> HTMLResponse:
    """Serve the page of a run, or of one of its days."""
    return HTMLResponse(**of_run(dag_id, run_id, day, token)._asdict())


@app.get("/{dag_id}/{run_id}/report")
def report(dag_id: str, run_id: str, day: str | None = None) -> HTMLResponse:
    """Serve the report that readers see of a run's day."""
    return HTMLResponse(**report_of_run(dag_id, run_id, day)._asdict())


# After a run's own pages: a run may be called "day".
@app.get("/{dag_id}/day/{day}")
def day(token: FormToken, dag_id: str, day: str) -> HTMLResponse:
    """Serve the page of a day."""
    policy = FORM_POLICY if token else RUN_PAGE_POLICY
    return HTMLResponse(**of_day(dag_id, day, policy, partial(day_answer, rollback_token=token))._asdict())


@app.get("/{dag_id}/day/{day}/report")
def report_of_day(dag_id: str, day: str) -> HTMLResponse:
    """Serve the report that readers see of a day."""
    return HTMLResponse(**published_report(dag_id, day)._asdict())


# Airflow's audit log has every try; the ledger has each that was done.
@app.post("/{dag_id}/day/{day}/rollback", dependencies=[Depends(may_edit), Depends(action_logging())])
def daybook_rollback(
    expected: FormToken,
    user: GetUserDep,
    dag_id: str,
    day: str,
    token: Annotated[str, Form()] = "",
    to: Annotated[str, Form()] = "",
    why: Annotated[str, Form()] = "",
    seen: Annotated[str, Form()] = "",
) -> Response:
    """Roll a day back, and show its page again; or say why not."""
    refused = rollback_answer(dag_id, day, user.get_name(), (token, expected), (to, why, seen))
    if refused:
        return HTMLResponse(**refused._asdict())
    return RedirectResponse(f"../{day}", 303)
