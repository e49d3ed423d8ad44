"""The Report tab behind the real API server: who may look, and what each is told."""

import csv
import json
import re
from datetime import date
from urllib.parse import quote

import pytest
from prometheus_client.parser import text_string_to_metric_families

from daybook.ledger.receipt import STEPS
from daybook.refused.file import COLUMNS
from tests.support.files import data_folder, leave_canary, leave_receipt, leave_wait, publish
from tests.support.html_page import read_page

from .conftest import DAY, Site, python

ROUTES = """
import json
from datetime import date
from airflow.plugins_manager import get_fastapi_plugins, get_import_errors
assert not get_import_errors(), get_import_errors()
[mounted] = [one for one in get_fastapi_plugins()[0] if one["url_prefix"] == "/daybook"]
routes = mounted["app"].routes
print(json.dumps([[type(route).__name__, route.path, sorted(route.methods)] for route in routes]))
"""

# What a task's process imports because of the plugin, beyond what it has imported anyway.
IMPORTED_BY_TASKS = """
import json, sys
import airflow.sdk.execution_time.task_runner
before = set(sys.modules)
from airflow.sdk.plugins_manager import _get_plugins
plugins, errors = _get_plugins()
assert not errors and "daybook_report" in {plugin.name for plugin in plugins}, (plugins, errors)
print(json.dumps(sorted(set(sys.modules) - before)))
"""

OF_DAYS = ("charts", "refused", "refused.csv")
ROLLBACK = "/{dag_id}/day/{day}/rollback"

ANSWERS = {"anonymous": 401, "forger": 403, "nobody": 403, "viewer": 200, "admin": 200}

# Each would lead out of its folder if it were taken for a path, as far as a folder of that name is looked for.
TRAVERSALS = ("..", ".", "%2e%2e", "%2e", "..%2f..", "%2e%2e%2f%2e%2e", "..%5c..", "%252e%252e", "%2fetc")


def test_S2_G6_every_route_asks_for_the_permission_on_its_dag(site: Site) -> None:
    routes = json.loads(python(site.deployment, ROUTES))
    assert routes
    # What changes something asks for the right to edit, below.
    assert [path for _, path, methods in routes if methods != ["GET"]] == [ROLLBACK]
    for kind, path, methods in routes:
        # Anything else that can be mounted would not take the app's dependencies on.
        assert kind == "APIRoute", path
        if methods != ["GET"]:
            continue
        # Those of all pipelines have no DAG in their address: they show those that a user may see.
        assert path.startswith("/{dag_id}/") or path in ("/", "/metrics"), path
        filled = f"/daybook{path}".format(dag_id="flights", run_id=quote(site.run_id, safe=""), day=DAY)
        assert {user: site.get(filled, user).status_code for user in ANSWERS} == ANSWERS, path


@pytest.mark.parametrize("page", ["run", "report"])
def test_the_cookie_of_the_ui_is_enough_and_a_forged_one_is_not(site: Site, page: str) -> None:
    assert site.get_with_cookie(site.path(page), "viewer").status_code == 200
    assert site.get_with_cookie(site.path(page), "nobody").status_code == 403
    assert site.get_with_cookie(site.path(page), "forger").status_code in (401, 403)


@pytest.mark.parametrize("path", ["", "/docs", "/redoc", "/openapi.json", "/flights", "/flights/run_1"])
def test_G6_nothing_else_is_served(site: Site, path: str) -> None:
    # Where no route of ours fits, Airflow's UI answers with its own page, the same for every address.
    answer = site.get(f"/daybook{path}", "anonymous")
    assert answer.status_code == 404 or 'id="root"' in answer.text
    assert "FastAPI" not in answer.text


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("page", ["run", "report"])
def test_G6_nothing_can_be_changed(site: Site, page: str, method: str) -> None:
    assert site.get(site.path(page), "admin", method).status_code == 405


def test_G16_no_page_may_run_load_or_be_framed_by_others(site: Site) -> None:
    for page, own in (("run", "frame-src 'self'"), ("report", "sandbox")):
        headers = site.get(site.path(page)).headers
        policy = headers["Content-Security-Policy"].split("; ")
        assert {"default-src 'none'", "frame-ancestors 'self'", "base-uri 'none'", "form-action 'none'", own} <= {
            *policy
        }
        assert not any(word.startswith("script-src") for word in policy)
        assert (headers["X-Content-Type-Options"], headers["Cache-Control"]) == ("nosniff", "no-store")


def test_the_page_of_a_published_run_tells_its_nine_steps(site: Site) -> None:
    page = site.get(site.path("run")).text
    flights = flights_of_the_day(site)
    assert page.count(">done</td>") == 9
    assert f"flights {flights:,}" in page
    assert "Readers see this run, number 1." in page
    assert 'src="report"' in page


def test_the_report_is_the_published_file_to_the_byte(site: Site) -> None:
    assert site.get(site.path("report")).content == (site.data / f"published/flights/{DAY}/report.html").read_bytes()


def test_a_day_has_charts_of_its_measures_over_its_report(site: Site) -> None:
    page = site.get(f"/daybook/flights/day/{DAY}/charts")
    assert 'src="report"' in page.text
    assert page.text.count("<svg") == page.text.count("<table") > 5
    assert site.get(f"/daybook/flights/day/{DAY}/report").content == site.get(site.path("report")).content
    assert "Readers see nothing of this day" in site.get("/daybook/flights/day/2013-06-06/charts").text


def test_the_refused_rows_of_a_day_are_shown_and_downloaded_and_a_day_without_a_run_says_so(site: Site) -> None:
    assert "No row was refused." in site.get(f"/daybook/flights/day/{DAY}/refused").text
    file = site.get(f"/daybook/flights/day/{DAY}/refused.csv")
    assert file.content.decode("utf-8-sig").splitlines() == [",".join(COLUMNS)]
    assert file.headers["Content-Disposition"] == f'attachment; filename="flights_{DAY}_refused.csv"'
    assert file.headers["Content-Type"] == "text/csv; charset=utf-8"
    never = site.get("/daybook/flights/day/2013-06-06/refused")
    assert (never.status_code, "no run has loaded this day" in never.text) == (404, True)


def test_the_tasks_of_all_pipelines_are_counted_and_a_word_that_is_none_is_refused(site: Site) -> None:
    page = read_page(site.get("/daybook/").content)
    rows = page.one("table").rows()
    assert [row[0] for row in rows] == list(STEPS)
    assert all(int(row[5]) + int(row[6]) >= 1 for row in rows)
    # Airflow's own pages of the tasks, and ours of the days.
    addresses = {link.attributes["href"] for link in page.all("a")}
    assert {"../dags/flights/tasks/load", "flights/days", "?state=failed"} <= addresses
    assert site.get("/daybook/?state=held").status_code == 200
    refused = site.get("/daybook/?state=<script>")
    assert (refused.status_code, "<script" in refused.text) == (404, False)


@pytest.mark.parametrize("day", ["2012-12-31", "2013-02-30", "0001-01-01", "9999-12-31", "<script>", "20130105", ".."])
@pytest.mark.parametrize("page", OF_DAYS)
def test_a_day_that_the_schedule_has_not_has_no_page(site: Site, page: str, day: str) -> None:
    status, body = site.get_raw(f"/daybook/flights/day/{quote(day, safe='')}/{page}")
    assert (status, b"<script" in body) == (404, False)


def test_a_run_without_receipts_is_told_kindly(site: Site) -> None:
    answer = site.get(site.path("run", "manual__2013-01-05"))
    assert answer.status_code == 200
    assert "This run has not finished a step yet." in answer.text
    assert site.get(site.path("report", "manual__2013-01-05")).status_code == 404


def test_a_run_that_failed_tells_what_is_done_so_far(site: Site) -> None:
    leave_receipt(site.data, "failed_run", "extract_tables")
    leave_receipt(site.data, "failed_run", "extract_files")
    page = site.get(site.path("run", "failed_run")).text
    assert page.count(">done</td>") == 2
    assert "next is load." in page
    assert "Readers see run 1; this one has saved nothing yet." in page


def test_a_run_that_waits_says_for_what(site: Site) -> None:
    leave_wait(site.data, "waiting_run")
    page = site.get(site.path("run", "waiting_run")).text
    assert "extract_files waits for flights since 2013-01-06 06:00:00, until 2013-01-06 12:00:00" in page
    assert "ftp: flights/a.csv is not there" in page


def test_a_run_of_several_days_shows_all_of_them_and_leads_to_each(site: Site) -> None:
    days = [date(2013, 3, 1), date(2013, 3, 2), date(2013, 3, 3)]
    data_folder(site.data).note_days_of_run("flights", "batch", days)
    leave_receipt(site.data, "batch", "extract_files", days[0])
    leave_wait(site.data, "batch", days[1])
    publish(site.data, 11, b"<p>the first day's</p>", days[0])
    page = site.get(site.path("run", "batch")).text
    assert [f'href="../day/{day}"' in page for day in days] == [True] * 3
    assert "ftp: flights/a.csv is not there" in page
    assert "Friday, 1 March 2013" in site.get(f"{site.path('run', 'batch')}?day={days[0]}").text
    assert site.get(f"{site.path('report', 'batch')}?day={days[0]}").text == "<p>the first day's</p>"
    assert site.get(site.path("report", "batch")).status_code == 404


def test_the_days_of_the_dag_have_a_page_and_words_that_are_none_are_refused(site: Site) -> None:
    answer = site.get("/daybook/flights/days")
    assert re.search(rf'class="is_(published|refused)" href="day/{DAY}" title="{DAY}: ', answer.text)
    assert {"default-src 'none'", "frame-ancestors 'self'"} <= {*answer.headers["Content-Security-Policy"].split("; ")}
    for words in ("year=1999", "year=<b>", "state=<script>", "state=seen"):
        refused = site.get(f"/daybook/flights/days?{words}")
        assert (refused.status_code, "expected one of" in refused.text, "<script" in refused.text) == (404, True, False)
    assert site.get("/daybook/no_pipeline/days").status_code == 404


def test_prometheus_reads_the_metrics_of_all_pipelines_with_a_token(site: Site) -> None:
    answer = site.get("/daybook/metrics", "viewer")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    values = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }
    assert values["daybook_ledger_up", "warehouse"] == 1
    # Those of other tests of this deployment count too.
    assert values["daybook_days", "flights", "published"] >= 1
    assert values["daybook_rows_published", "flights", "by_day"] == 1
    assert {step for name, *of in values if name == "daybook_step_seconds" for step in of[1:]} == {*STEPS}


@pytest.mark.parametrize("day", [DAY, "2013-01-06", "", "../..", "%2e%2e%2f", "<script>", "2013-13-45"])
@pytest.mark.parametrize("page", ["run", "report"])
def test_a_day_that_is_not_of_the_run_has_no_page(site: Site, page: str, day: str) -> None:
    leave_receipt(site.data, "other_day", "load", date(2013, 3, 9))
    answer = site.get(f"{site.path(page, 'other_day')}?day={day}")
    assert (answer.status_code, "<script" in answer.text) == (404, False)


@pytest.mark.parametrize("dag_id", ["not_a_dag", "~", "Flights", "flights%20", *TRAVERSALS])
@pytest.mark.parametrize("page", ["run", "report"])
def test_a_dag_that_is_no_pipeline_has_no_pages(site: Site, dag_id: str, page: str) -> None:
    for folder in ("not_a_dag", "~", "Flights", "flights ", ".."):
        lay_bait(site, f"days/{folder}/{DAY}/run_1")
    status, body = site.get_raw(f"/daybook/{dag_id}/run_1/{page}")
    assert status == 404
    assert len(body) < 1500


@pytest.mark.parametrize("run_id", [*TRAVERSALS, "a%00b"])
def test_G15_a_name_of_a_run_does_not_lead_out_of_its_folder(site: Site, run_id: str) -> None:
    for folder in (f"days/flights/{DAY}", "days/flights", "days", "."):
        lay_bait(site, folder)
    status, body = site.get_raw(f"/daybook/flights/{run_id}/run")
    assert status == 404 or b"has not finished a step yet" in body
    assert site.get_raw(f"/daybook/flights/{run_id}/report")[0] == 404


def test_nothing_in_a_receipt_becomes_markup(site: Site) -> None:
    leave_canary(site.data, "canary")
    page = site.get(site.path("run", "canary")).text
    assert page.count("&lt;script&gt;") >= 5
    assert "<script" not in page


def test_a_task_pays_nothing_for_the_tab(site: Site) -> None:
    imported = json.loads(python(site.deployment, IMPORTED_BY_TASKS))
    assert "report_tab" in imported
    assert not {"fastapi", "starlette", "jinja2", "pydantic", "pyarrow"} & {name.split(".")[0] for name in imported}
    # What notes that a task has failed, which reads nothing and writes a file.
    noting = {
        "daybook",
        "daybook.alerts",
        "daybook.alerts.outbox",
        "daybook.alerts.tries",
        "daybook.environment",
        "daybook.errors",
    }
    assert {name for name in imported if name.split(".")[0] == "daybook"} <= noting


def flights_of_the_day(site: Site) -> int:
    """Count the flights in the day's file as it lies on the FTP server."""
    with (site.deployment.ftp.root / f"flights/flights_{DAY}.csv").open(newline="") as file:
        return sum(1 for _ in csv.DictReader(file))


def lay_bait(site: Site, folder: str) -> None:
    """Lay a receipt and a report where only a name that leads astray finds them; if found, they make a page."""
    for name in ("receipt.json", "report.html", "load/receipt.json"):
        file = site.data / folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}")
