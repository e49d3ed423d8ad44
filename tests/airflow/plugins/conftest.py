"""The whole deployment, started once, and who looks at it: anonymous, nobody, viewer, admin, and a forger."""

import http.client
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext

from deployment.environment import PROGRAMS
from deployment.home import REPOSITORY
from deployment.supervisor import Deployment
from tests.support.otlp import Otlp, receiver

DAY = "2013-01-05"

# A user who may log in and may see nothing; the login page knows none, so Airflow's own signer makes the token.
SIGN_IN_NOBODY = """
from airflow.api_fastapi.app import create_auth_manager
from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
print(create_auth_manager().generate_jwt(SimpleAuthManagerUser(username="nobody", role=None)))
"""


class Site:
    """The real API server, as each of several users sees it. `data` is the data folder, `run_id` a published run,
    `otlp` what Airflow's traces and metrics said of it."""

    def __init__(self, deployment: Deployment, data: Path, run_id: str, otlp: Otlp) -> None:
        self.deployment, self.data, self.run_id, self.otlp = deployment, data, run_id, otlp
        self.url = deployment.ui_url
        self._client = httpx.Client(base_url=self.url, trust_env=False, timeout=120)
        self.tokens = {user: self._log_in(user) for user in ("viewer", "admin")}
        self.tokens["nobody"] = python(deployment, SIGN_IN_NOBODY)
        self.tokens["forger"] = self.tokens["admin"][:-8] + "AAAAAAAA"

    def get(self, path: str, user: str = "viewer", method: str = "GET") -> httpx.Response:
        """Ask for a path as a user; "anonymous" says nothing of who it is."""
        token = self.tokens.get(user)
        return self._client.request(method, path, headers={"Authorization": f"Bearer {token}"} if token else {})

    def post(self, path: str, user: str, form: dict[str, str]) -> httpx.Response:
        """Send a form as a user, with the cookie, as a browser does; an answer that leads on is not followed."""
        return self._client.post(path, data=form, headers={"Cookie": f"_token={self.tokens.get(user, '')}"})

    def get_with_cookie(self, path: str, user: str) -> httpx.Response:
        """Ask as the browser does, inside the tab's frame."""
        return self._client.get(path, headers={"Cookie": f"_token={self.tokens[user]}"})

    def get_raw(self, path: str) -> tuple[int, bytes]:
        """Ask as the viewer for a path exactly as it is written: other clients tidy dots and slashes first."""
        connection = http.client.HTTPConnection(httpx.URL(self.url).netloc.decode())
        connection.request("GET", path, headers={"Authorization": f"Bearer {self.tokens['viewer']}"})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def path(self, page: str, run_id: str | None = None) -> str:
        """Return the path of a page of a run of `flights`."""
        return f"/daybook/flights/{quote(run_id or self.run_id, safe='')}/{page}"

    def password(self, user: str) -> str:
        """Return a user's password."""
        return str(getattr(self.deployment.postgres.secrets, user))

    def warehouse(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return rows of the warehouse, as the tasks see them."""
        with psycopg.connect(self.deployment.postgres.dsn("warehouse", "warehouse_owner")) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def _log_in(self, user: str) -> str:
        answer = self._client.post("/auth/token", json={"username": user, "password": self.password(user)})
        return str(answer.json()["access_token"])


def python(deployment: Deployment, code: str) -> Any:
    """Run Python as a process of this Airflow, and give the last line that it prints."""
    command = [str(PROGRAMS / "python"), "-c", code]
    done = subprocess.run(command, env=deployment.environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


@pytest.fixture(scope="package")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The deployment of this checkout, with one real day of flights published by its scheduler."""
    folder = tmp_path_factory.mktemp("deployment")
    with receiver() as otlp, Deployment(folder / "home", folder / "data", extra_environment=told(otlp)) as deployment:
        deployment.api.wait_for_dag("flights")
        deployment.api.unpause("flights")
        run_id = deployment.api.trigger("flights", conf={"day": DAY})
        run = deployment.api.wait_for_run("flights", run_id, seconds=400, check=deployment.keep_up)
        assert run["state"] == "success", json.dumps(run)
        yield Site(deployment, folder / "data", run_id, otlp)


def told(otlp: Otlp) -> dict[str, str]:
    """Return the settings of docs/operating.md for traces and metrics, with the receiver's address."""
    document = (REPOSITORY / "docs" / "operating.md").read_text()
    blocks = [block for block in re.findall(r"```bash\n(.*?)```", document, re.DOTALL) if "OTEL_" in block]
    settings = dict(line.split("=", 1) for block in blocks for line in block.splitlines())
    assert {"AIRFLOW__TRACES__OTEL_ON", "AIRFLOW__METRICS__OTEL_ON"} < settings.keys()
    return {**settings, "OTEL_EXPORTER_OTLP_ENDPOINT": otlp.url}


@pytest.fixture(scope="module")
def viewer(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    """A window of the viewer, who has logged in by the UI's own form."""
    context = browser.new_context(viewport={"width": 1440, "height": 1240}, color_scheme="light")
    page = context.new_page()
    page.goto(f"{site.url}/auth/login")
    page.locator("input[name=username]").fill("viewer")
    page.locator("input[type=password]").fill(site.password("viewer"))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/auth/" not in url)
    page.close()
    yield context
    context.close()
