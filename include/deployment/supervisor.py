"""`Deployment`: starts PostgreSQL, the FTP server with its files and Airflow, keeps them up, and stops all of it.

    with Deployment(home=folder / "home", data=folder / "data") as deployment:
        run_id = deployment.api.trigger("flights", conf={"day": "2013-01-05"})
        deployment.api.wait_for_run("flights", run_id)

However the `with` block ends, it leaves no process behind: not after an error, a signal, or a second signal. If the
process itself is killed, the watcher stops the rest; if that is killed too, the next start or `./daybook down` does.
"""

import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from daybook_airflow.api import AirflowApi
from daybook_airflow.waiting import wait_until
from deployment.environment import (
    PROGRAMS,
    airflow_environment,
    data_url,
    with_this_shell,
    write_passwords,
    write_shell_file,
)
from deployment.errors import DeploymentError
from deployment.home import HOST, REPOSITORY, Home, Lock, is_free
from deployment.processes.components import Component, stop_all
from deployment.processes.health import Health
from deployment.processes.restarts import Restarts
from deployment.processes.signals import Signals
from deployment.processes.watcher import IN_ORDER
from deployment.servers.databases import make_databases
from deployment.servers.flights import fill_source
from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres

POOLS = REPOSITORY / "config" / "pools.json"
# The log servers of the scheduler and the triggerer always listen on all interfaces, so they are not started.
COMPONENTS = {
    "api-server": ["api-server"],
    "scheduler": ["scheduler", "--skip-serve-logs"],
    "dag-processor": ["dag-processor"],
    "triggerer": ["triggerer", "--skip-serve-logs"],
}
FTP_SECONDS = 15
MIGRATION_SECONDS = 300
START_SECONDS = 180


def quiet(_message: str) -> None:
    """Print nothing."""


class Deployment:
    """One running deployment, as a context manager.

    Attributes: `home`, `data` (a URL), `postgres` (`.dsn(database, role)`), `ftp` (`.host`, `.port`, `.user`,
    `.password`, `.root`), `ui_url`, `api`, and `environment`, the variables of every process of Airflow.
    """

    def __init__(
        self,
        home: Path | None = None,
        data: Path | str | None = None,
        dags_folder: Path = REPOSITORY / "dags",
        ui_port: int | None = None,
        extra_environment: Mapping[str, str] | None = None,
        command: str = "A deployment",
        say: Callable[[str], None] = quiet,
    ) -> None:
        """Name a deployment; nothing is started yet.

        home: the state folder, else the checkout's. data: the data folder or its URL, else the checkout's. ui_port: of
        the API and UI, else a free one. extra_environment: overrides other variables of Airflow's processes. command:
        the name by which a second start in the same home refuses. say: called with a sentence for each step.
        """
        self.home = Home(home.absolute()) if home else Home.of_checkout()
        self.data = data_url(data)
        self._dags_folder = dags_folder.absolute()
        self._asked_port = ui_port
        self._extra_environment = dict(extra_environment or {})
        self._command = command
        self._say = say
        self._signals = Signals(say)
        self._components: list[Component] = []
        self.restarts = Restarts(say)
        self._watcher: subprocess.Popen[bytes] | None = None
        self._health: Health | None = None

    def __enter__(self) -> Self:
        """Start everything; return the deployment when Airflow is healthy. Raises DeploymentError with the reason."""
        self.home.make()
        self._lock = Lock(self.home)
        self._lock.take(self._command)
        try:
            self._signals.open()
            self._start()
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        self._stop()

    def check(self) -> None:
        """Raise DeploymentError, with the last lines of its log, if a component has ended."""
        for component in self._components:
            component.check()
        if not self.postgres.is_running():
            raise DeploymentError(f"PostgreSQL ended by itself; its log is {self.postgres.log}.")

    def keep_up(self) -> None:
        """Restart components that have ended, and say so. Raises DeploymentError if one ends again and again."""
        with self._signals.held():
            self.restarts.keep_up(self.postgres, self._components)

    def airflow(self, name: str, *arguments: str, seconds: float) -> Component:
        """Run a command of Airflow's CLI to its end. Raises DeploymentError if it fails or takes too long."""
        component = self._start_component(name, [PROGRAMS / "airflow", *arguments], self.environment)
        component.finish(seconds)
        return component

    def _start(self) -> None:
        self._stop_leftovers()
        self._take_ui_port()
        self._start_watcher()
        self._start_postgres()
        self._start_ftp()
        self._fill_source()
        self._settle_environment()
        self._migrate()
        self._start_airflow()
        self._put_pools()
        self._watch_health()

    def _stop(self) -> None:
        with ExitStack() as last_to_first:
            last_to_first.callback(self._signals.restore)
            last_to_first.callback(self._lock.release)
            last_to_first.callback(self._end_watcher)
            last_to_first.callback(LocalPostgres(self.home).stop)
            last_to_first.callback(self._reap)
            self._signals.close()
            if self._health:
                self._health.stop()
            if self._components:
                self._say("Stopping everything.")
            stop_all(self.home)

    def _stop_leftovers(self) -> None:
        if left := stop_all(self.home):
            self._say(f"Stopped what a killed run had left: {', '.join(left)}.")

    def _start_watcher(self) -> None:
        with self._signals.held(), (self.home.logs / "watcher.log").open("wb") as log:
            self._watcher = subprocess.Popen(  # noqa: S603 - our own module
                [sys.executable, "-m", "deployment.processes.watcher", self.home.path],
                env={**os.environ, "PYTHONPATH": str(REPOSITORY / "include")},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _start_postgres(self) -> None:
        self._say("Starting PostgreSQL.")
        with self._signals.held():
            self.postgres = LocalPostgres(self.home)
            self.postgres.start()
        make_databases(self.postgres)

    def _start_ftp(self) -> None:
        self._say("Starting the FTP server.")
        self.ftp = LocalFtp.of(self.home)
        component = self._start_component("ftp", self.ftp.command, self.ftp.environment)
        self._wait_until(self.ftp.answers, FTP_SECONDS, f"The FTP server does not answer; its log is {component.log}.")

    def _fill_source(self) -> None:
        self._say("Filling the source: airlines and planes into PostgreSQL, one CSV a day onto the FTP server.")
        fill_source(self.postgres, self.ftp.root)

    def _take_ui_port(self) -> None:
        port = self._asked_port or self.home.port("any ui")
        if not is_free(port):
            raise DeploymentError(
                f"Port {port} of {HOST} is taken by another program; nothing was started."
                f" Free it, or take another port: `./daybook up --ui-port {port + 1}`."
            )
        self.home.keep_port("ui", port)
        self._ui_port = port
        self.ui_url = f"http://{HOST}:{port}"

    def _settle_environment(self) -> None:
        self.api = AirflowApi(self.ui_url, "admin", self.postgres.secrets.admin, mend=self.keep_up)
        settings = {
            **airflow_environment(self.postgres, self.ftp, self.data, self._dags_folder, self._ui_port),
            **self._extra_environment,
        }
        self.environment = with_this_shell(settings)
        write_shell_file(self.home, settings)
        write_passwords(self.home, self.postgres.secrets)

    def _migrate(self) -> None:
        mark = self.home.airflow / "migrated"
        state = f"{importlib.metadata.version('apache-airflow')} {self.postgres.secrets.deployment}"
        if mark.exists() and mark.read_text() == state:
            return
        self._say("Making Airflow's tables, once; this takes some 15 seconds.")
        self.airflow("db-migrate", "db", "migrate", seconds=MIGRATION_SECONDS)
        mark.write_text(state)

    def _start_airflow(self) -> None:
        self._say(f"Starting Airflow: {', '.join(COMPONENTS)}.")
        since = datetime.now(UTC)
        for name, arguments in COMPONENTS.items():
            self._start_component(name, [PROGRAMS / "airflow", *arguments], self.environment)
        late = f"Airflow is not healthy yet; its logs are in {self.home.logs}."
        self._wait_until(lambda: self.api.is_healthy(since), START_SECONDS, late)
        self._say(f"Airflow is up on {self.ui_url}.")

    def _put_pools(self) -> None:
        for name, pool in json.loads(POOLS.read_text()).items():
            self.api.put_pool(name, pool["slots"], pool["description"], pool["include_deferred"])

    def _watch_health(self) -> None:
        self._health = Health(self.postgres, self.ftp, self.ui_url, self._pids, self._say)
        self._health.start()

    def _pids(self) -> dict[str, int]:
        parts = {component.name: component.process.pid for component in self._components}
        return {**parts, "PostgreSQL": self.postgres.pid()}

    def _start_component(self, name: str, command: list[str | Path], environment: Mapping[str, str]) -> Component:
        with self._signals.held():
            component = Component(self.home, name, command, environment)
            self._components.append(component)
        return component

    def _wait_until(self, is_so: Callable[[], bool], seconds: float, otherwise: str) -> None:
        if not wait_until(is_so, seconds, check=self.check):
            raise DeploymentError(f"{otherwise} Waited {seconds:.0f} s.")

    def _reap(self) -> None:
        # All have ended, or could not be stopped; then waiting for them would never end.
        for component in self._components:
            component.process.poll()

    def _end_watcher(self) -> None:
        if self._watcher:
            self._watcher.communicate(IN_ORDER)
