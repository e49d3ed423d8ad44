"""Requests to Airflow's API server; one that fails because the server is down or unwell for a moment is repeated."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import httpx
from tenacity import RetryCallState, retry, stop_after_delay, wait_exponential

from daybook_airflow.errors import ApiError, LoginRefused

# An API server that was killed is back after some ten seconds, on a busy machine later.
PATIENCE_SECONDS = 60
# When the first task starts, the API server builds routes and does not answer: for half a minute on a busy machine.
ANSWER_SECONDS = 120
CONNECT_SECONDS = 10
# Whoever asks for the health wants to know whether it answers now.
HEALTH_SECONDS = 30
HEALTH = "/api/v2/monitor/health"
LOOPBACK = ("127.0.0.1", "localhost", "::1")

Json = dict[str, Any]


class Unwell(httpx.TransportError):
    """The server answered with an error of its own (5xx): its database may be down."""


def _may_be_sent_again(state: RetryCallState) -> bool:
    """Return whether a failed request may be sent again. A trigger that reached the server must not be."""
    error = state.outcome.exception() if state.outcome else None
    # A POST to a path that ends with /list only reads: its body is a long list of names.
    is_read = state.args[1] == "GET" or str(state.args[2]).endswith("/list")
    return isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout, *([httpx.TransportError] if is_read else [])))


def _mend(state: RetryCallState) -> None:
    state.args[0].mend()


class AirflowRequests:
    """One user's requests to one API server. `mend` is called before each further try."""

    def __init__(self, url: str, user: str, password: str, token: str, mend: Callable[[], None]) -> None:
        """Name the server and the login, a token or a user's; no request is sent yet. url: without /api/v2."""
        self.url, self.mend = url, mend
        self._login = {"username": user, "password": password}
        self._has_token = bool(token)
        # This machine is reached without the environment's proxy.
        is_elsewhere = urlsplit(url).hostname not in LOOPBACK
        timeout = httpx.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS)
        self._client = httpx.Client(base_url=url, timeout=timeout, trust_env=is_elsewhere)
        if token:
            self._authorize(token)

    def check(self) -> Json:
        """Return the health of each component. Raises ApiError if no API server of Airflow answers now."""
        try:
            answer = self._client.get(HEALTH, timeout=HEALTH_SECONDS)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ApiError(f"{self.url}: no API server answers ({error})") from None
        is_airflow = answer.status_code == httpx.codes.OK and "json" in answer.headers.get("content-type", "")
        if not is_airflow:
            raise ApiError(f"{self.url}: answers GET {HEALTH} with {answer.status_code}, and not as Airflow 3 does")
        return dict(answer.json())

    def ask(self, method: str, path: str, body: Json | None = None, params: Mapping[str, Any] | None = None) -> Json:
        """Return the answer to a request. Raises ApiError if it is refused, or if no answer comes."""
        try:
            answer = self._send(method, path, body, params)
            if _lacks_login(answer) and not self._has_token:
                self._log_in()
                answer = self._send(method, path, body, params)
        except httpx.TransportError as error:
            raise ApiError(
                f"Airflow's API server does not answer {method} {path} ({type(error).__name__}: {error}); its log says"
                " why; try again when it is up."
            ) from None
        if answer.is_error:
            kind = LoginRefused if _lacks_login(answer) else ApiError
            raise kind(f"Airflow refused {method} {path} with {_said(answer)}", answer.status_code, _detail(answer))
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
            user = self._login["username"]
            raise LoginRefused(
                f"Airflow refused the login of {user!r} with {_said(answer)}", answer.status_code, _detail(answer)
            )
        self._authorize(answer.json()["access_token"])

    def _authorize(self, token: str) -> None:
        self._client.headers["Authorization"] = f"Bearer {token}"


def _lacks_login(answer: httpx.Response) -> bool:
    # Airflow answers an invalid token, or one that another secret signed, as if a right were missing.
    is_bad_token = answer.status_code == httpx.codes.FORBIDDEN and "JWT" in answer.text
    return is_bad_token or answer.status_code == httpx.codes.UNAUTHORIZED


def _said(answer: httpx.Response) -> str:
    return f"{answer.status_code}: {answer.text}"


def _detail(answer: httpx.Response) -> str:
    # FastAPI's form: a sentence, or a list of the request's errors.
    try:
        found = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        found = answer.text
    return found if isinstance(found, str) else str(found)
