"""What the plugin's routes answer: pages with their headers, and messages where there is none.

Only the API server imports it, when it is asked.
"""

from collections.abc import Callable
from datetime import date

from daybook.days import as_day
from daybook.errors import BadSpec, DaybookError
from daybook.pages.days_page import days_page
from daybook.pages.run_page import message_page
from daybook.pages.run_state import day_without_run, read_day
from daybook.pages.run_state import days_of as days_with_files
from daybook.pipelines import pipelines_now
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook_airflow.data import data_for_now
from daybook_airflow.pages.answer import (
    FORM_POLICY,
    NO_DAYS,
    NOTHING,
    REPORT_POLICY,
    RUN_PAGE_POLICY,
    Answer,
    headers_of,
)
from daybook_airflow.pages.counts import counts_answer
from daybook_airflow.pages.days import day_answer, days_answer, days_of

NOT_OURS = "This DAG is no pipeline of Daybook, so there is no report of its runs."
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


def all_counts(may_see: Callable[[str], bool], state: str | None) -> Answer:
    """Return the counts of the pipelines that a user may see. state: the word of the address."""
    now = pipelines_now()
    seen = [pipeline for name, pipeline in now.good.items() if may_see(name)]
    try:
        return Answer(counts_answer(seen, sorted(now.broken), state), headers_of(NOTHING))
    except ValueError as error:
        return Answer(message_page("No such tasks", str(error)), headers_of(NOTHING), 404)


def all_days(dag_id: str, year: str | None, state: str | None) -> Answer:
    """Return the page of a pipeline's days. year, state: the words of the address."""
    pipeline = pipelines_now().good.get(dag_id)
    if pipeline is None:
        return Answer(message_page("No days", NO_DAYS), headers_of(NOTHING), 404)
    try:
        return Answer(days_answer(pipeline, year, state), headers_of(NOTHING))
    except ValueError as error:
        return Answer(message_page("No such days", str(error)), headers_of(NOTHING), 404)
    except DaybookError as error:
        return Answer(message_page("The ledger did not answer", str(error)), headers_of(NOTHING), 503)


def of_day(dag_id: str, asked_day: str, policy: str, answer: Callable[[DataFolder, Pipeline, date], bytes]) -> Answer:
    """Return a page of a day of a pipeline. answer: makes it."""
    pipeline = pipelines_now().good.get(dag_id)
    if pipeline is None:
        return Answer(message_page("No days", NO_DAYS), headers_of(policy), 404)
    try:
        day = as_day(asked_day)
    except ValueError as error:
        return Answer(message_page("No such day", f"{asked_day}: {error}"), headers_of(policy), 404)
    try:
        return Answer(answer(data_for_now(), pipeline, day), headers_of(policy))
    except BadSpec as error:
        return Answer(message_page("No page", str(error)), headers_of(policy), 404)
    except DaybookError as error:
        return Answer(message_page("The ledger did not answer", str(error)), headers_of(policy), 503)


def as_file(answer: Answer, name: str) -> Answer:
    """Return the answer as a CSV file to keep, if it is no message."""
    kept = {
        "Content-Type": "text/csv; charset=utf-8",
        "Content-Disposition": f'attachment; filename="{name}_refused.csv"',
    }
    return answer if answer.status_code != 200 else answer._replace(headers={**answer.headers, **kept})


def of_run(dag_id: str, run_id: str, day: str | None, token: str) -> Answer:
    """Return the page of a run: of its day, or of the days that it has; of the one that is asked for."""
    return _answered(RUN_PAGE_POLICY, lambda: _of_run(dag_id, run_id, day, token))


def _answered(policy: str, make: Callable[[], Answer]) -> Answer:
    """Return a page that is made from files alone; what to do if they cannot be had."""
    try:
        return make()
    except DaybookError as error:
        return Answer(message_page("The data folder did not answer", str(error)), headers_of(policy), 503)


def _of_run(dag_id: str, run_id: str, day: str | None, token: str) -> Answer:
    pipeline = pipelines_now().good.get(dag_id)
    if pipeline is None:
        return Answer(message_page("No report", NOT_OURS), headers_of(RUN_PAGE_POLICY), 404)
    days = days_of(pipeline, data_for_now(), run_id)
    asked = [one for one in days if day in (None, str(one))]
    if day is not None and not asked:
        return Answer(message_page("No report", NOT_ITS_DAY), headers_of(RUN_PAGE_POLICY), 404)
    if len(asked) == 1:
        page = day_answer(
            data_for_now(), pipeline, asked[0], rollback_token=token, run=run_id, is_one_of_several=len(days) > 1
        )
        return Answer(page, headers_of(FORM_POLICY if token else RUN_PAGE_POLICY))
    states = [read_day(data_for_now(), pipeline, run_id, one) for one in asked]
    if not any(state.is_begun for state in states):
        gone = [FILES_GO.format(pipeline.keep_files_days)] if pipeline.keep_files_days else []
        return Answer(message_page(dag_id, *NOT_BEGUN, *gone), headers_of(RUN_PAGE_POLICY))
    return Answer(days_page(pipeline.name, states), headers_of(RUN_PAGE_POLICY))


def report_of_run(dag_id: str, run_id: str, day: str | None) -> Answer:
    """Return the report that readers see of a run's only day, or of the one that is asked for."""
    return _answered(REPORT_POLICY, lambda: _report_of_run(dag_id, run_id, day))


def _report_of_run(dag_id: str, run_id: str, day: str | None) -> Answer:
    pipeline = pipelines_now().good.get(dag_id)
    days = _days(pipeline, run_id, day) if pipeline else []
    state = read_day(data_for_now(), pipeline, run_id, days[0]) if pipeline and len(days) == 1 else None
    content = state.report if state and state.is_begun else None
    if content:
        return Answer(content, headers_of(REPORT_POLICY))
    return Answer(message_page("No report", NOT_PUBLISHED), headers_of(REPORT_POLICY), 404)


def report_of_day(dag_id: str, day: str) -> Answer:
    """Return the report that readers see of a day."""
    return _answered(REPORT_POLICY, lambda: _report_of_day(dag_id, day))


def _report_of_day(dag_id: str, day: str) -> Answer:
    pipeline = pipelines_now().good.get(dag_id)
    try:
        content = day_without_run(data_for_now(), pipeline, as_day(day)).report if pipeline else None
    except ValueError:
        content = None
    if content:
        return Answer(content, headers_of(REPORT_POLICY))
    return Answer(message_page("No report", NOT_PUBLISHED), headers_of(REPORT_POLICY), 404)


def _days(pipeline: Pipeline, run_id: str, day: str | None) -> list[date]:
    """Return the days of a run: all, or the one that a request names, if the run has it."""
    return [one for one in days_with_files(data_for_now(), pipeline, run_id) if day in (None, str(one))]
