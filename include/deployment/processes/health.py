"""Notices parts that live and do not answer, such as a stopped scheduler; says so in half a minute, and when it ends.

It ends nothing. A debugger, a suspended laptop or a slow disk look the same, and a task at work would be lost.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psutil
import psycopg

from daybook_airflow.api import HEARTBEATS
from daybook_airflow.api_requests import HEALTH
from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres

LOOK_SECONDS = 4.0
ANSWER_SECONDS = 5.0
# Airflow's parts send a sign every 5 s, which the API shows up to 6 s later.
SILENCE = timedelta(seconds=20)
# A busy machine may be late once, and the API server builds its routes for some seconds when the first task starts.
LOOKS = 2


@dataclass
class Health:
    """Looks at the parts of one deployment, in a thread of its own. pids: the process of each part, by its name."""

    postgres: LocalPostgres
    ftp: LocalFtp
    ui_url: str
    pids: Callable[[], Mapping[str, int]]
    say: Callable[[str], None]
    _is_over: threading.Event = field(default_factory=threading.Event)
    _clear_since: datetime = field(default_factory=lambda: datetime.now(UTC))
    _pids: Mapping[str, int] = field(default_factory=dict)
    _looks: dict[str, int] = field(default_factory=dict)
    _heard_at: dict[str, datetime] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)

    def start(self) -> None:
        """Look from now on."""
        threading.Thread(target=self._watch, name="daybook-health", daemon=True).start()

    def stop(self) -> None:
        """Say nothing more."""
        self._is_over.set()

    def _watch(self) -> None:
        while not self._is_over.wait(LOOK_SECONDS):
            now = datetime.now(UTC)
            self._note(self.look(now), now)

    def look(self, now: datetime) -> dict[str, bool]:
        """Return whether each part answers; a part about which nothing can be known now is left out."""
        pids = self.pids()
        if pids != self._pids:
            # What was just started again needs its time.
            self._pids, self._clear_since = pids, now
        answers = {"ftp": ftp_answers(self.ftp), "PostgreSQL": postgres_answers(self.postgres)}
        if answers["PostgreSQL"]:
            # Without PostgreSQL no other part of Airflow answers.
            parts = health_of(self.ui_url)
            answers |= {"api-server": parts is not None, **(self._heartbeats(parts or {}, now))}
        if not (answers["PostgreSQL"] and answers["api-server"]):
            self._clear_since = now
        return answers

    def _heartbeats(self, parts: Mapping[str, Any], now: datetime) -> dict[str, bool]:
        answers = {}
        for name in HEARTBEATS:
            heard = (parts.get(name) or {}).get(f"latest_{name}_heartbeat")
            if heard:
                last = max(datetime.fromisoformat(heard), self._clear_since)
                answers[name.replace("_", "-")] = now - last < SILENCE
        return answers

    def _note(self, answers: Mapping[str, bool], now: datetime) -> None:
        for name, is_well in answers.items():
            heard_at = self._heard_at.setdefault(name, now)
            self._looks[name] = 0 if is_well else self._looks.get(name, 0) + 1
            if is_well:
                self._heard_at[name] = now
                self._say_it_is_over(name, now - heard_at)
            elif self._looks[name] >= LOOKS and name not in self._told and self._is_sure(name, now - heard_at):
                self._told.add(name)
                self._tell(self._warning(name))

    def _is_sure(self, name: str, silence: timedelta) -> bool:
        is_heartbeat = name.replace("-", "_") in HEARTBEATS
        return is_heartbeat or silence >= SILENCE or _is_stopped(self._pids.get(name, 0))

    def _say_it_is_over(self, name: str, silence: timedelta) -> None:
        if name in self._told:
            self._told.remove(name)
            self._tell(f"{name} answers again, after about {silence.total_seconds():.0f} s.")

    def _warning(self, name: str) -> str:
        pid = self._pids.get(name, 0)
        state = "is stopped" if _is_stopped(pid) else "lives"
        return (
            f"{name} does not answer; its process {pid} {state}. Nothing is ended by itself: `kill -CONT {pid}` lets a "
            f"stopped process go on; if it hangs, `kill -9 {pid}` ends it, and it is started again."
        )

    def _tell(self, words: str) -> None:
        if not self._is_over.is_set():
            self.say(words)


def postgres_answers(postgres: LocalPostgres) -> bool:
    """Return whether PostgreSQL answers; one that refuses at once, because it starts or is full, does."""
    try:
        psycopg.connect(postgres.dsn(), connect_timeout=int(ANSWER_SECONDS)).close()
    except psycopg.errors.ConnectionTimeout:
        return False
    except psycopg.Error:
        return True
    return True


def ftp_answers(ftp: LocalFtp) -> bool:
    """Return whether the FTP server greets; one that refuses at once has ended, which others notice."""
    try:
        with socket.create_connection((ftp.host, ftp.port), ANSWER_SECONDS) as line:
            line.recv(1)
            return True
    except TimeoutError:
        return False
    except OSError:
        return True


def health_of(url: str) -> Mapping[str, Any] | None:
    """Return the health of Airflow's parts; nothing of any if it cannot be known; None if no answer comes in time."""
    try:
        answer = httpx.get(f"{url}{HEALTH}", timeout=ANSWER_SECONDS, trust_env=False)
        return dict(answer.json())
    except httpx.TimeoutException:
        return None
    except (httpx.HTTPError, ValueError):
        return {}


def _is_stopped(pid: int) -> bool:
    """Return whether a process, or one that it has started, is stopped by a signal."""
    with contextlib.suppress(psutil.Error):
        first = psutil.Process(pid)
        return psutil.STATUS_STOPPED in (one.status() for one in (first, *first.children(recursive=True)))
    return False
