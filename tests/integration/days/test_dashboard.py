"""The configuration of docs/operating.md and the dashboard, with a real Prometheus: every query has an answer."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest

from daybook.errors import Implausible
from daybook.ledger.all_pipelines import LastDay
from daybook.ledger.receipt import STEPS
from daybook.pages.metrics import CONTENT_TYPE, metrics
from daybook.planning.known_pipelines import KnownPipeline, KnownPipelines
from daybook.planning.standing import Failure
from daybook.planning.status import status
from daybook_airflow.waiting import wait_until
from deployment.home import REPOSITORY, free_port
from tests.support import debian

DASHBOARD = json.loads((REPOSITORY / "deploy" / "grafana" / "daybook.json").read_text())
(CONFIGURATION,) = re.findall(r"```yaml\n(scrape_configs:.*?)```", (REPOSITORY / "docs/operating.md").read_text(), re.S)
DAYS, NOW = [date(2026, 1, day) for day in range(1, 5)], datetime(2026, 1, 5, tzinfo=UTC)
HELD = Failure("summarize", Implausible.__name__, "", NOW)
LAST = LastDay(DAYS[1], NOW, 10, 1, {"by_shop": 3}, {"sales": 100}, dict.fromkeys(STEPS, 0.5))
KNOWN = KnownPipelines(
    {"sales": KnownPipeline(status(DAYS, set(DAYS[:2]), set(), (), {DAYS[2]: HELD}), LAST, 1)}, {"warehouse": True}
)
TOKEN = "a.b.c"  # noqa: S105 - of this test's own server


class Metrics(BaseHTTPRequestHandler):
    """Serves the metrics to whoever has the token."""

    def do_GET(self) -> None:
        """Answer as the plugin does."""
        is_let_in = (self.path, self.headers["Authorization"]) == ("/daybook/metrics", f"Bearer {TOKEN}")
        self.send_response(200 if is_let_in else 401)
        self.send_header("Content-Type", CONTENT_TYPE)
        self.end_headers()
        self.wfile.write(metrics(KNOWN, 0) if is_let_in else b"")

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[httpx.Client]:
    """A Prometheus that scrapes as the document says. In CI it has to be there."""
    command = debian.find("prometheus", ("prometheus",), tmp_path)
    if command is None:
        assert not os.environ.get("CI"), "prometheus is not installed, and Debian's package cannot be downloaded"
        pytest.skip("prometheus is not installed, and Debian's package cannot be downloaded")
    with served() as target:
        (tmp_path / "token").write_text(TOKEN)
        here = CONFIGURATION.replace("airflow.example.com", target).replace("scheme: https", "scheme: http")
        here = here.replace("/etc/prometheus/daybook.token", str(tmp_path / "token")).replace("1m", "1s")
        (tmp_path / "prometheus.yml").write_text(here)
        address = f"127.0.0.1:{free_port()}"
        words = [f"--config.file={tmp_path / 'prometheus.yml'}", f"--storage.tsdb.path={tmp_path / 'data'}"]
        process = subprocess.Popen([*command, *words, f"--web.listen-address={address}"], stderr=subprocess.PIPE)
        try:
            debian.wait("prometheus", int(address.rpartition(":")[2]), process)
            with httpx.Client(base_url=f"http://{address}/api/v1", trust_env=False) as client:
                yield client
        finally:
            process.terminate()
            process.communicate()


@contextmanager
def served() -> Iterator[str]:
    """Serve the metrics on a free port; yield the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Metrics) as server:
        Thread(target=server.serve_forever).start()
        yield f"127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def answer(prometheus: httpx.Client, query: str) -> list[dict[str, Any]]:
    """Return what Prometheus says to a query, as Grafana fills it in for all pipelines."""
    asked = prometheus.get("/query", params={"query": query.replace("$pipeline", ".*")}).json()
    assert asked["status"] == "success", (query, asked)
    return list(asked["data"]["result"])


def test_a_prometheus_reads_the_metrics_and_answers_every_query_of_the_dashboard(prometheus: httpx.Client) -> None:
    assert wait_until(lambda: answer(prometheus, "daybook_lag_days") != [], 30)
    (lag,) = answer(prometheus, "daybook_lag_days")
    assert (lag["metric"]["pipeline"], lag["value"][1]) == ("sales", "2")
    queries = {target["expr"]: target["legendFormat"] for panel in DASHBOARD["panels"] for target in panel["targets"]}
    assert len(queries) > 15
    for query, legend in queries.items():
        found = answer(prometheus, query)
        assert found, query
        assert set(re.findall(r"{{(\w+)}}", legend)) <= found[0]["metric"].keys(), query
    (variable,) = [one for one in DASHBOARD["templating"]["list"] if one["type"] == "query"]
    metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]["query"]).groups()  # type: ignore[union-attr]
    assert {series["metric"][label] for series in answer(prometheus, metric)} == {"sales"}


def test_no_two_panels_lie_on_each_other_and_each_asks_the_chosen_prometheus() -> None:
    taken = [
        (row, column)
        for panel in DASHBOARD["panels"]
        for row in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
        for column in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
    ]
    assert len(taken) == len(set(taken))
    assert max(column for _, column in taken) == 23
    assert {target["datasource"]["uid"] for panel in DASHBOARD["panels"] for target in panel["targets"]} == {
        "${datasource}"
    }
