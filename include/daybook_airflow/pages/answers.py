"""What the plugin's routes answer: pages with their headers, and messages where there is none.

Only the API server imports it, when it is asked.
"""

from collections.abc import Callable
from datetime import date
from typing import NamedTuple

from daybook.days import as_day
from daybook.errors import BadSpec, DaybookError
from daybook.pages.days_page import days_page
from daybook.pages.run_page import message_page
from daybook.pages.run_state import day_without_run, read_day
from daybook.pages.run_state import days_of as days_with_files
from daybook.pipelines import pipelines_now
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook_airflow.data import data_folder
from daybook_airflow.pages.counts import counts_answer
from daybook_airflow.pages.days import day_answer, days_answer, days_of
from daybook_airflow.pages.rollback_form import Stale, asked, is_ours, roll_back_asked

# The pages hold text from outside, and share their origin with Airflow's UI: nothing in them may run or load.
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'; style-src 'unsafe-inline'"
RUN_PAGE_POLICY = f"{NOTHING}; frame-src 'self'"
# Of whoever may roll a day back: the form is sent to where the page is from.
FORM_POLICY = RUN_PAGE_POLICY.replace("form-action 'none'", "form-action 'self'")
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
NOT_OUR_FORM = (
    "This form was not sent from the day's own page, or you have logged in again since: look at the day again."
)


class Answer(NamedTuple):
    """A page, as a response takes it."""

    content: bytes
    headers: dict[str, str]
    status_code: int = 200


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
        return Answer(answer(data_folder(), pipeline, day), headers_of(policy))
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


def day_page(data: DataFolder, pipeline: Pipeline, day: date, *, token: str) -> bytes:
    """Return the page of a day. token: as of a DayView."""
    return day_answer(pipeline, day, data, token)


def of_run(dag_id: str, run_id: str, day: str | None, token: str) -> Answer:
    """Return the page of a run: of its day, or of the days that it has; of the one that is asked for."""
    pipeline = pipelines_now().good.get(dag_id)
    if pipeline is None:
        return Answer(message_page("No report", NOT_OURS), headers_of(RUN_PAGE_POLICY), 404)
    days = days_of(pipeline, data_folder(), run_id)
    asked = [one for one in days if day in (None, str(one))]
    if day is not None and not asked:
        return Answer(message_page("No report", NOT_ITS_DAY), headers_of(RUN_PAGE_POLICY), 404)
    if len(asked) == 1:
        page = day_answer(pipeline, asked[0], data_folder(), token, run_id, is_one_of_several=len(days) > 1)
        return Answer(page, headers_of(FORM_POLICY if token else RUN_PAGE_POLICY))
    states = [read_day(data_folder(), pipeline, run_id, one) for one in asked]
    if not any(state.is_begun for state in states):
        gone = [FILES_GO.format(pipeline.keep_files_days)] if pipeline.keep_files_days else []
        return Answer(message_page(dag_id, *NOT_BEGUN, *gone), headers_of(RUN_PAGE_POLICY))
    return Answer(days_page(pipeline.name, states), headers_of(RUN_PAGE_POLICY))


def report_of_run(dag_id: str, run_id: str, day: str | None) -> Answer:
    """Return the report that readers see of a run's only day, or of the one that is asked for."""
    pipeline = pipelines_now().good.get(dag_id)
    days = _days(pipeline, run_id, day) if pipeline else []
    state = read_day(data_folder(), pipeline, run_id, days[0]) if pipeline and len(days) == 1 else None
    content = state.report if state and state.is_begun else None
    if content:
        return Answer(content, headers_of(REPORT_POLICY))
    return Answer(message_page("No report", NOT_PUBLISHED), headers_of(REPORT_POLICY), 404)


def roll_back(dag_id: str, day: str, who: str, tokens: tuple[str, str], words: tuple[str, str, str]) -> Answer | None:
    """Show readers another run of a day; return why not, or None if it is done.

    tokens: the one that was sent, and the expected one. words: the form's `to`, `why` and `seen`.
    """

    def refused(why: str, status: int) -> Answer:
        return Answer(message_page("Not rolled back", why), headers_of(NOTHING), status)

    pipeline = pipelines_now().good.get(dag_id)
    if pipeline is None:
        return refused(NO_DAYS, 404)
    if not is_ours(*tokens):
        return refused(NOT_OUR_FORM, 403)
    try:
        roll_back_asked(pipeline, as_day(day), data_folder(), who, asked(*words))
    except ValueError as error:
        return refused(str(error), 422)
    except (Stale, BadSpec) as error:
        return refused(str(error), 409)
    except DaybookError as error:
        return refused(str(error), 503)
    return None


def report_of_day(dag_id: str, day: str) -> Answer:
    """Return the report that readers see of a day."""
    pipeline = pipelines_now().good.get(dag_id)
    try:
        content = day_without_run(data_folder(), pipeline, as_day(day)).report if pipeline else None
    except ValueError:
        content = None
    if content:
        return Answer(content, headers_of(REPORT_POLICY))
    return Answer(message_page("No report", NOT_PUBLISHED), headers_of(REPORT_POLICY), 404)


def _days(pipeline: Pipeline, run_id: str, day: str | None) -> list[date]:
    """Return the days of a run: all, or the one that a request names, if the run has it."""
    return [one for one in days_with_files(data_folder(), pipeline, run_id) if day in (None, str(one))]


def headers_of(policy: str) -> dict[str, str]:
    """Return the headers of a page with a content security policy."""
    return {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
