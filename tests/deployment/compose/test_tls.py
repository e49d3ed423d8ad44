"""TLS in front of the stack, by deploy/tls: what a network reaches, what it says of itself, whom Airflow believes."""

import os
import re
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deployment.home import REPOSITORY, free_port
from tests.deployment.compose.conftest import SOMEBODY, Stack, compose_command, run
from tests.support.certificates import Authority

pytestmark = pytest.mark.timeout(1200)

NGINX = "daybook-test-nginx"
HEALTHY_SECONDS = 180
SECURE = {
    "strict-transport-security": "max-age=31536000",
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "same-origin",
}


@dataclass(frozen=True)
class Front:
    """The stack behind TLS. https: a client that trusts the certificate's authority alone."""

    stack: Stack
    http_port: int
    https: httpx.Client

    @property
    def login(self) -> httpx.Response:
        """The page at which a person logs in."""
        return self.https.get("/auth/login/")


@pytest.fixture(scope="module")
def front(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """The stack of the other tests, with the proxy in front of it from here on."""
    authority = Authority(tmp_path_factory.mktemp("tls") / "ca")
    http_port, https_port = free_port(), free_port()
    place_certificate(stack.folder / "certificates", authority.certificate())
    image = run("docker", "build", "--quiet", "--tag", NGINX, str(Path(__file__).parent / "nginx"))
    assert image.returncode == 0, image.stderr
    url = f"https://127.0.0.1:{https_port}"
    settings = {
        "COMPOSE_FILE": f"{stack.folder}/docker-compose.yaml:{stack.folder}/deploy/tls/docker-compose.yaml",
        "DAYBOOK_NGINX_IMAGE": NGINX,
        "DAYBOOK_URL": url,
        "DAYBOOK_HTTP_PORT": str(http_port),
        "DAYBOOK_HTTPS_PORT": str(https_port),
        # Two runs of the tests on one engine have two networks.
        "DAYBOOK_FRONT": f"10.213.{https_port % 250}",
    }
    try:
        _start(stack, settings)
        with httpx.Client(base_url=url, verify=str(authority.ca_file), trust_env=False, timeout=120) as client:
            yield Front(stack, http_port, client)
    finally:
        _take_away(stack, settings)


def _start(stack: Stack, settings: dict[str, str]) -> None:
    started = compose(stack, settings, "up", "--detach", "--no-build")
    assert started.returncode == 0, started.stderr
    until = time.monotonic() + HEALTHY_SECONDS
    while (state := stack.containers()["tls"]["State"])["Health"]["Status"] != "healthy":
        assert time.monotonic() < until, state
        time.sleep(0.5)


def _take_away(stack: Stack, settings: dict[str, str]) -> None:
    compose(stack, settings, "rm", "--stop", "--force", "tls")
    # Other tests of the stack may follow; they ask the API server as before.
    network = f"{stack.name}_front"
    run("docker", "network", "disconnect", "--force", network, stack.containers()["api-server"]["Id"])
    run("docker", "network", "rm", network)


def compose(stack: Stack, settings: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run docker-compose for the stack with TLS."""
    return run(*compose_command(), *arguments, cwd=stack.folder, env=stack.environment | settings, timeout=420)


def place_certificate(folder: Path, made: Path) -> None:
    """Put a certificate and its key where the stack looks for them, for the stack's user alone."""
    folder.mkdir()
    for name in ("tls.pem", "tls.key"):
        (folder / name).write_bytes(made.read_bytes())
        (folder / name).chmod(0o600)
    for path in (folder, *folder.iterdir()):
        if os.getuid() == 0:
            os.chown(path, SOMEBODY, 0)


def test_G5_the_network_gets_https_whose_certificate_holds_and_headers_that_keep_it_so(front: Front) -> None:
    answer = front.https.get("/api/v2/version")
    assert answer.status_code == 200
    assert {name: answer.headers.get_list(name) for name in SECURE} == {name: [text] for name, text in SECURE.items()}
    assert "nginx/" not in answer.headers["server"]
    assert front.https.get("/no/such/page").headers["strict-transport-security"] == SECURE["strict-transport-security"]


def test_G5_http_leads_to_https_and_nothing_else(front: Front) -> None:
    answer = httpx.get(f"http://127.0.0.1:{front.http_port}/dags?a=1", trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (301, "https://127.0.0.1/dags?a=1")
    assert "set-cookie" not in answer.headers


def test_G5_a_person_logs_in_by_the_form_and_gets_cookies_that_are_never_sent_in_clear(front: Front) -> None:
    form = front.login
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form.text)
    assert token, form.text[:2000]
    words = {"username": "viewer", "password": front.stack.env["DAYBOOK_SECRET_VIEWER"], "csrf_token": token[1]}
    done = front.https.post("/auth/login/", data=words, headers={"Referer": str(form.url)})
    assert done.status_code in (302, 303), done.text[:2000]
    assert not done.headers["location"].startswith("http:")
    cookies = [cookie for answer in (form, done) for cookie in answer.headers.get_list("set-cookie")]
    assert {cookie.split("=")[0] for cookie in cookies} >= {"session", "_token"}
    assert [cookie for cookie in cookies if "secure" not in cookie.lower()] == []
    seen = front.https.get("/daybook/flights/days")
    assert seen.status_code == 200


def test_G5_what_a_client_says_of_its_way_counts_only_from_the_proxy(front: Front) -> None:
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9", "Forwarded": "proto=https"}
    direct = httpx.get(f"http://127.0.0.1:{front.stack.ui_port}/auth/logout", headers=forged, trust_env=False)
    assert [cookie for cookie in direct.headers.get_list("set-cookie") if "secure" in cookie.lower()] == []
    other_way = {"X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example.com", "X-Forwarded-Prefix": "/evil"}
    proxied = front.https.get("/auth/logout", headers=other_way)
    assert [cookie for cookie in proxied.headers.get_list("set-cookie") if "secure" not in cookie.lower()] == []
    assert "evil" not in proxied.headers["location"]


def test_G22_the_proxy_may_do_no_more_than_it_needs(front: Front) -> None:
    container = front.stack.containers()["tls"]
    host = container["HostConfig"]
    assert container["Config"]["User"] == f"{front.stack.env['AIRFLOW_UID']}:0"
    assert (host["CapDrop"], host["ReadonlyRootfs"], host["Memory"]) == (["ALL"], True, 128 * 1024**2)
    assert [mount["RW"] for mount in container["Mounts"]] == [False, False]
    secrets = [value for name, value in front.stack.env.items() if name.startswith("DAYBOOK_SECRET_")]
    assert not [value for value in secrets if value in str(container["Config"])]


def test_G5_without_a_name_for_people_the_stack_with_tls_does_not_start(front: Front) -> None:
    files = f"{front.stack.folder}/docker-compose.yaml:{REPOSITORY}/deploy/tls/docker-compose.yaml"
    environment = front.stack.environment | {"COMPOSE_FILE": files}
    refused = run(*compose_command(), "config", cwd=front.stack.folder, env=environment)
    assert refused.returncode != 0
    assert "name the address that people use" in refused.stderr
