"""Requests to Airflow's API server that outlast a moment in which it is down or unwell."""

from collections.abc import Callable, Mapping
from typing import Any

import httpx
from tenacity import RetryCallState, retry, stop_after_delay, wait_exponential

from deployment.errors import DeploymentError

# An API server that was killed is back after some ten seconds, on a busy machine later.
PATIENCE_SECONDS = 60
# When its first task starts, the API server builds routes and answers nobody: for half a minute on a busy machine.
ANSWER_SECONDS = 120

Json = dict[str, Any]


class Unwell(httpx.TransportError):
    """The server answered that something is wrong with itself: its database may be down."""


def _may_be_sent_again(state: RetryCallState) -> bool:
    """Say whether a request that failed may be sent again: a trigger that did reach the server must not be."""
    error = state.outcome.exception() if state.outcome else None
    is_read = state.args[1] == "GET"
    return isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, *([httpx.TransportError] if is_read else [])))


def _mend(state: RetryCallState) -> None:
    state.args[0].mend()


class AirflowRequests:
    """One user's requests to one API server. `mend` is called before each further try."""

    def __init__(self, url: str, user: str, password: str, mend: Callable[[], None]) -> None:
        """Name the server and the user; nothing is asked yet. url: without /api/v2."""
        self.mend = mend
        self._login = {"username": user, "password": password}
        # A proxy of the environment is not asked about 127.0.0.1.
        self._client = httpx.Client(base_url=url, timeout=ANSWER_SECONDS, trust_env=False)

    def health(self) -> Json:
        """Give each component's `status` and latest heartbeat; an empty answer while nothing listens."""
        try:
            answer = self._client.get("/api/v2/monitor/health")
            return answer.json() if answer.status_code == httpx.codes.OK else {}
        except httpx.TransportError:
            return {}

    def ask(self, method: str, path: str, body: Json | None = None, params: Mapping[str, Any] | None = None) -> Json:
        """Give the answer to a request. Raises DeploymentError where it is refused, or where no answer comes."""
        try:
            answer = self._send(method, path, body, params)
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                self._log_in()
                answer = self._send(method, path, body, params)
        except httpx.TransportError as error:
            raise DeploymentError(
                f"Airflow's API server does not answer {method} {path} ({type(error).__name__}: {error}); its log says"
                " why; try again when it is up."
            ) from None
        if answer.is_error:
            raise DeploymentError(f"Airflow refused {method} {path} with {answer.status_code}: {answer.text}")
        return answer.json() if answer.content else {}

    @retry(
        stop=stop_after_delay(PATIENCE_SECONDS),
        wait=wait_exponential(0.2, max=2),
        retry=_may_be_sent_again,
        before_sleep=_mend,
        reraise=True,
    )
    def _send(self, method: str, path: str, body: Json | None, params: Mapping[str, Any] | None) -> httpx.Response:
        answer = self._client.request(method, f"/api/v2{path}", json=body, params=params)
        if answer.is_server_error:
            raise Unwell(f"{answer.status_code} {answer.text}")
        return answer

    def _log_in(self) -> None:
        answer = self._client.post("/auth/token", json=self._login)
        if answer.is_error:
            raise DeploymentError(f"Airflow refused the login of {self._login['username']!r}: {answer.text}")
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
