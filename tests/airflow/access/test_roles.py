"""One deployment under the FAB auth manager, with a reader, an operator, an admin, and one who has a single pipeline.

Its connections are in no variable: two in a secrets backend, one in Airflow's database.
"""

import json
import os
import re
import secrets
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from daybook_airflow.api import AirflowApi
from daybook_airflow.decision import PUBLISH
from daybook_airflow.waiting import wait_until
from deployment.compose.env import variable
from deployment.environment import PROGRAMS, connections
from deployment.home import REPOSITORY, Home
from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres
from deployment.supervisor import Deployment
from deployment.users import USERS

DAY = "2013-01-05"
PAGE = f"/daybook/flights/day/{DAY}"
FAB = "airflow.providers.fab.auth_manager.fab_auth_manager.FabAuthManager"
BACKEND = "airflow.secrets.local_filesystem.LocalFilesystemBackend"
# The user of the document's commands, who may operate `flights` alone.
SOMEBODY = "kim"
# The same days, which are another team's.
OTHER = """
from daybook.spec import Target
from pipelines.flights import PIPELINE as FLIGHTS

PIPELINE = FLIGHTS.model_copy(update={"name": "arrivals", "target": Target(schema="arrivals")})
"""


class UnderFab(Deployment):
    """A deployment whose users are made as the compose stack makes them."""

    def _migrate(self) -> None:
        super()._migrate()
        passwords = {variable(user): getattr(self.postgres.secrets, user) for user in USERS}
        command: list[str | Path] = [PROGRAMS / "python", "-m", "deployment.users"]
        self._start_component("users", command, {**self.environment, **passwords}).finish(120)


class Site:
    """The real API server, as each user sees it."""

    def __init__(self, deployment: Deployment) -> None:
        self.deployment = deployment
        made = deployment.postgres.secrets
        self.passwords = {user: str(getattr(made, user)) for user in USERS}
        self.client = httpx.Client(base_url=deployment.ui_url, trust_env=False, timeout=120)
        self.tokens = {user: self.log_in(user) for user in self.passwords}

    def log_in(self, user: str) -> str:
        """Return a new token of a user."""
        answer = self.client.post("/auth/token", json={"username": user, "password": self.passwords[user]})
        return str(answer.json()["access_token"])

    def ask(self, user: str, path: str, method: str = "GET", **how: object) -> httpx.Response:
        """Send a request as a user; "anonymous" has no token."""
        headers = {"Authorization": f"Bearer {self.tokens[user]}"} if user in self.tokens else {}
        return self.client.request(method, path, headers=headers, **how)  # type: ignore[arg-type]

    def api(self, user: str) -> AirflowApi:
        """Return Airflow's API, as a user asks it."""
        return AirflowApi(self.deployment.ui_url, user, "", token=self.tokens[user])

    def status(self, path: str, method: str = "GET", **how: object) -> dict[str, int]:
        """Return the status of the answer to each user."""
        return {user: self.ask(user, path, method, **how).status_code for user in (*self.tokens, "anonymous")}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The deployment, with one day of `flights` that the operator has started, and a user for `flights` alone."""
    folder = tmp_path_factory.mktemp("fab")
    include = folder / "include"
    shutil.copytree(REPOSITORY / "include", include, ignore=shutil.ignore_patterns("__pycache__"))
    (include / "pipelines" / "arrivals.py").write_text(OTHER)
    kept = kept_connections(Home(folder / "home"))
    in_database = {"connection_id": "source_db", **kept.pop("source_db")}
    (folder / "connections.json").write_text(json.dumps(kept))
    with UnderFab(folder / "home", folder / "data", extra_environment=settings(folder, include)) as deployment:
        running = Site(deployment)
        added = running.ask("admin", "/api/v2/connections", "POST", json=in_database)
        assert added.status_code == 201, added.text
        for pipeline in ("flights", "arrivals"):
            deployment.api.wait_for_dag(pipeline)
        operator = running.api("operator")
        operator.unpause("flights")
        run = operator.trigger("flights", {"day": DAY})
        running.passwords[SOMEBODY] = add_somebody(deployment)
        running.tokens[SOMEBODY] = running.log_in(SOMEBODY)
        assert operator.wait_for_run("flights", run, seconds=300, check=deployment.keep_up)["state"] == "success"
        yield running


def kept_connections(home: Home) -> dict[str, dict[str, object]]:
    """Return the connections of a deployment that is not started yet, by id, without the variables' names."""
    home.make()
    home.port("postgres")
    postgres = LocalPostgres(home)
    named = connections(postgres, LocalFtp.of(home))
    return {name.removeprefix("AIRFLOW_CONN_").lower(): json.loads(words) for name, words in named.items()}


def settings(folder: Path, include: Path) -> dict[str, str]:
    """Return the settings of this deployment that differ: its auth manager, its secrets backend, and no connections."""
    return {
        "PYTHONPATH": os.pathsep.join([str(include), str(REPOSITORY / "config")]),
        "AIRFLOW__CORE__AUTH_MANAGER": FAB,
        "AIRFLOW__SECRETS__BACKEND": BACKEND,
        "AIRFLOW__SECRETS__BACKEND_KWARGS": json.dumps({"connections_file_path": str(folder / "connections.json")}),
        **dict.fromkeys(("AIRFLOW_CONN_SOURCE_DB", "AIRFLOW_CONN_WAREHOUSE", "AIRFLOW_CONN_FTP"), ""),
    }


def add_somebody(deployment: Deployment) -> str:
    """Type the commands of the document by which a person gets one pipeline; return the password that they end with."""
    text = (REPOSITORY / "docs" / "security.md").read_text()
    commands = re.findall(r"^\$ docker-compose exec api-server (airflow (?:roles|users) .*)$", text, re.MULTILINE)
    assert len(commands) == 4
    password = secrets.token_urlsafe(16)
    for command in commands:
        words = [str(PROGRAMS / "airflow"), *shlex.split(command)[1:]]
        words += ["--password", password] if "users create" in command else []
        done = subprocess.run(words, env=deployment.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return password


def warehouse(site: Site, query: str) -> list[tuple[object, ...]]:
    """Return rows of the warehouse, as the tasks see them."""
    with psycopg.connect(site.deployment.postgres.dsn("warehouse", "warehouse_owner")) as connection:
        return connection.execute(query.encode()).fetchall()


ALL_SEE = {"admin": 200, "operator": 200, "viewer": 200, SOMEBODY: 200, "anonymous": 401}


@pytest.mark.parametrize("page", ["days", f"day/{DAY}", f"day/{DAY}/charts", f"day/{DAY}/refused", f"day/{DAY}/report"])
def test_G1_each_page_of_a_pipeline_is_for_those_who_may_see_its_runs(site: Site, page: str) -> None:
    assert site.status(f"/daybook/flights/{page}") == ALL_SEE
    assert site.status(f"/daybook/arrivals/{page}")[SOMEBODY] == 403
    assert site.status(f"/daybook/arrivals/{page}")["anonymous"] == 401


def test_G1_the_pages_of_a_run_are_for_those_who_may_see_the_runs_of_its_pipeline(site: Site) -> None:
    [run] = site.api("operator").dag_runs("flights")
    for page in ("run", "report"):
        path = f"{quote(run['dag_run_id'], safe='')}/{page}"
        assert site.status(f"/daybook/flights/{path}") == ALL_SEE
        assert site.ask(SOMEBODY, f"/daybook/arrivals/{path}").status_code == 403


@pytest.mark.parametrize("page", ["/daybook/", "/daybook/metrics", "/daybook/metrics?dag_id=flights"])
def test_G1_what_is_about_all_pipelines_shows_those_alone_that_a_user_may_see(site: Site, page: str) -> None:
    assert site.status(page) == ALL_SEE
    shown = {user: site.ask(user, page).text for user in site.tokens}
    assert {user: "flights" in text for user, text in shown.items()} == dict.fromkeys(site.tokens, True)
    assert {user for user, text in shown.items() if "arrivals" in text} == set(USERS)


def test_G1_what_is_in_a_row_is_for_those_who_may_read_logs(site: Site) -> None:
    assert site.status(f"{PAGE}/refused.csv") == ALL_SEE | {"viewer": 403}


def test_G1_a_day_is_rolled_back_run_and_released_by_those_who_may_edit_its_pipeline(site: Site) -> None:
    fields = {"to": "nothing", "why": "the file was wrong", "seen": "1"}
    tokens = {user: form_token(site, user) for user in site.tokens}
    assert {user for user, token in tokens.items() if token} == {"admin", "operator", SOMEBODY}
    refused = site.ask("viewer", f"{PAGE}/rollback", "POST", data={**fields, "token": tokens["operator"]})
    assert refused.status_code == 403
    other = PAGE.replace("flights", "arrivals")
    assert site.ask(SOMEBODY, f"{other}/rollback", "POST", data={**fields, "token": "any"}).status_code == 403
    done = site.ask(SOMEBODY, f"{PAGE}/rollback", "POST", data={**fields, "token": tokens[SOMEBODY]})
    assert done.status_code == 303, done.text

    body = {"logical_date": None, "conf": {"day": DAY}}
    assert site.ask("viewer", "/api/v2/dags/flights/dagRuns", "POST", json=body).status_code == 403
    assert site.ask(SOMEBODY, "/api/v2/dags/arrivals/dagRuns", "POST", json=body).status_code == 403
    mine = site.api(SOMEBODY)
    run = mine.trigger("flights", {"day": DAY})
    assert wait_until(lambda: bool(mine.open_actions("flights")), 90)
    [action] = mine.open_actions("flights")
    task = action["task_instance"]
    path = f"/api/v2/dags/flights/dagRuns/{quote(run, safe='')}/taskInstances/{task['task_id']}/-1/hitlDetails"
    answer = {"chosen_options": [PUBLISH], "params_input": {"why": "it was right", "days": [DAY]}}
    assert site.ask("viewer", path, "PATCH", json=answer).status_code == 403
    mine.answer(action, PUBLISH, {"why": "it was right", "days": [DAY]})
    assert mine.wait_for_run("flights", run, seconds=120)["state"] == "success"
    decided = warehouse(site, "select what, who from daybook.decision where pipeline = 'flights' order by decided_at")
    assert decided == [("rollback", SOMEBODY), ("release", SOMEBODY)]


def form_token(site: Site, user: str) -> str:
    """Return the word by which a user's page of the day may send its form; "" if it has none."""
    found = re.search(r'name="token" value="(\w+)"', site.ask(user, PAGE).text)
    return found[1] if found else ""


def test_G1_only_an_admin_may_look_at_connections_and_nobody_sees_their_passwords(site: Site) -> None:
    assert site.status("/api/v2/connections") == {**dict.fromkeys(ALL_SEE, 403), "admin": 200, "anonymous": 401}
    shown = site.ask("admin", "/api/v2/connections/source_db").text
    assert site.deployment.postgres.secrets.source_reader not in shown


def test_a_command_finds_connections_where_the_tasks_found_them(site: Site) -> None:
    status = beside(site, "-m", "commands", "status", "--json", "-p", "flights")
    # Other days of the schedule are missing.
    assert (status.returncode, status.stderr) == (1, "")
    assert DAY in json.loads(status.stdout)["published"]
    found = beside(site, "-c", "from commands import connections as c; print(c.dsn('source_db')); c.dsn('elsewhere')")
    expected = conninfo_to_dict(site.deployment.postgres.dsn("source", "source_reader"))
    del expected["connect_timeout"]
    assert conninfo_to_dict(found.stdout.strip()) == expected
    assert (
        "AIRFLOW_CONN_ELSEWHERE is not set, and `airflow connections get elsewhere` finds none in Airflow's secrets "
        "backends and database"
    ) in found.stderr


def beside(site: Site, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python beside this Airflow."""
    environment = site.deployment.environment
    return subprocess.run(
        [sys.executable, *words], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
