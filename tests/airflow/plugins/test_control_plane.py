"""Airflow's settings and doors, as the real deployment has them: what is open, to whom, what a form can reach."""

import json
from typing import Any

import httpx
import pytest
import yaml

from deployment.errors import DeploymentError
from deployment.home import HOST

from .conftest import Site, python

SETTINGS = """
import json
from airflow.configuration import conf
asked = json.loads('%s')
print(json.dumps({f"{section}.{option}": conf.get(section, option) for section, option in asked}))
"""
TASK_ROUTES = """
import json
from airflow.api_fastapi.execution_api.routes import execution_api_router
routes = [route for route in execution_api_router.routes if hasattr(route, "methods")]
print(json.dumps([[route.path, {way.lower(): {} for way in route.methods}] for route in routes]))
"""
UI_ROUTES = """
import json, pathlib
import airflow.api_fastapi.core_api.openapi as described
print(json.dumps(str(pathlib.Path(described.__file__).parent / "_private_ui.yaml")))
"""
WANTED = {
    "core.auth_manager": "airflow.api_fastapi.auth.managers.simple.simple_auth_manager.SimpleAuthManager",
    "core.simple_auth_manager_all_admins": "False",
    "core.load_examples": "False",
    "core.test_connection": "Disabled",
    "core.allowed_deserialization_classes": "airflow.*",
    "api.expose_config": "False",
    "api.expose_stacktrace": "False",
    "api.enable_swagger_ui": "False",
    "api.host": HOST,
}
# Who says what it is and whether it is well, and where one logs in and out: Airflow asks nobody who he is there.
OPEN = {
    ("get", "/api/v2/monitor/health"),
    ("get", "/api/v2/version"),
    ("get", "/api/v2/auth/login"),
    ("get", "/api/v2/auth/logout"),
    ("post", "/auth/token"),
    ("post", "/auth/token/cli"),
    ("get", "/auth/token"),
    ("get", "/auth/token/login"),
}
HOSTILE = ["2013-01-05'; drop table x; --", "../../etc/passwd", "$(touch x)", "{{ 7 * 7 }}", "2013-01-05\n", ""]


def test_G1_G5_the_settings_are_those_that_the_checklist_asks_for(site: Site) -> None:
    asked = json.dumps([name.split(".") for name in WANTED])
    assert json.loads(python(site.deployment, SETTINGS % asked)) == WANTED
    assert site.deployment.environment["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].startswith("postgresql")


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_G5_no_page_tries_calls_of_the_API(site: Site, path: str) -> None:
    answer = site.get(path, "admin")
    assert "swagger" not in answer.text.lower()
    assert "redoc" not in answer.text.lower()


@pytest.mark.parametrize("app", ["", "/auth"])
def test_G7_only_health_version_and_login_answer_somebody_without_a_token(site: Site, app: str) -> None:
    described = site.get(f"{app}/openapi.json", "anonymous").json()["paths"]
    assert len(described) >= 3
    check_closed(site, {f"{app}{path}": ways for path, ways in described.items()})


def test_G7_the_routes_of_the_UI_are_closed_too(site: Site) -> None:
    with open(json.loads(python(site.deployment, UI_ROUTES))) as file:
        described = yaml.safe_load(file)["paths"]
    assert len(described) > 20
    check_closed(site, {path: ways for path, ways in described.items() if path.startswith("/ui/")})


def test_G7_the_routes_of_the_tasks_are_closed_too(site: Site) -> None:
    routes = json.loads(python(site.deployment, TASK_ROUTES))
    assert len(routes) > 20
    check_closed(site, {f"/execution{path}": ways for path, ways in routes if not path.startswith("/health")})


def check_closed(site: Site, described: dict[str, dict[str, Any]]) -> None:
    """Ask for every route that is described as nobody; only those that are meant to may answer."""
    answered = {
        (way, path): answer.status_code
        for path, ways in described.items()
        for way in ways
        if (answer := ask(site, way, path)).status_code not in (401, 403) and (way, path) not in OPEN
    }
    assert answered == {}


def ask(site: Site, way: str, path: str) -> httpx.Response:
    """Ask for a route as nobody, with a word in place of each of its names."""
    filled = path.replace("{", "").replace("}", "")
    return httpx.request(way, site.url + filled, trust_env=False, timeout=120, json={} if way != "get" else None)


@pytest.mark.parametrize("typed", HOSTILE)
@pytest.mark.parametrize("field", ["day", "days"])
def test_G8_a_day_in_the_form_that_is_none_is_refused_before_anything_runs(site: Site, field: str, typed: str) -> None:
    with pytest.raises(DeploymentError, match="with 400"):
        site.deployment.api.trigger("flights", conf={field: typed if field == "day" else [typed]})


def test_G8_G25_what_is_typed_as_a_reason_is_kept_as_text_with_who_typed_it(site: Site) -> None:
    why = "'); drop table daybook.ledger; -- $(touch /tmp/x) {{ 7 * 7 }} <b>"
    run = site.deployment.api.trigger("flights", conf={"day": "2013-04-05", "force": True, "release": why})
    told = site.deployment.api.wait_for_run("flights", run)
    assert (told["state"], told["conf"]["release"], told["triggering_user_name"]) == ("success", why, "admin")
    ledger = site.warehouse("select started_by, count(*) from daybook.step where run = %s group by 1", run)
    assert ledger == [("manual by admin", 9)]
    receipts = site.warehouse(
        "select receipts from daybook.ledger join daybook.run using (run_id) where started_by = %s", run
    )
    assert all(receipt["fingerprint"]["code"] for receipt in receipts[0][0] if receipt["step"] == "clean")
