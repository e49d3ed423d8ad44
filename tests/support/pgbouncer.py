"""pgbouncer in transaction mode: after each transaction a server's session goes to the pool's next client."""

import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from deployment.home import free_port
from deployment.servers import programs
from deployment.servers.postgres import LocalPostgres

from . import debian

PACKAGES = ("pgbouncer", "libevent-2.1-7", "libc-ares2")
# The databases and roles of the tasks.
ROLES = (("source", "source_reader"), ("warehouse", "warehouse_owner"))
# A step needs two sessions with the warehouse: one holds the day's lock.
SESSIONS = 3

CONFIGURATION = """
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {sessions}
query_wait_timeout = 20
"""


class Pooled(LocalPostgres):
    """A server as its clients see it behind a pooler: under another port."""

    def __init__(self, server: LocalPostgres, port: int) -> None:
        """Stand for a running server."""
        super().__init__(server.home)
        self._port = port

    @property
    def port(self) -> int:
        """Return the pooler's port."""
        return self._port


def find(folder: Path) -> list[str] | None:
    """Return the command that starts pgbouncer, or None if it is neither installed nor to be had."""
    return debian.find("pgbouncer", PACKAGES, folder)


@contextmanager
def running(command: list[str], *dsns: str) -> Iterator[int]:
    """Run pgbouncer before the server of these connection strings, for their roles, and give its port."""
    # pgbouncer refuses to run as root, and its other user cannot read a test's own folder.
    with tempfile.TemporaryDirectory(dir=programs.FOLDERS_OF_ROOT) as name:
        folder, port = Path(name), free_port()
        _configure(folder, port, dsns)
        as_other = ["--user", programs.UNPRIVILEGED] if programs.is_root() else []
        process = subprocess.Popen([*command, "--quiet", *as_other, folder / "pgbouncer.ini"])
        try:
            debian.wait("pgbouncer", port, process)
            yield port
        finally:
            process.terminate()
            process.wait()


def _configure(folder: Path, own_port: int, dsns: tuple[str, ...]) -> None:
    servers = [conninfo_to_dict(dsn) for dsn in dsns]
    words = {"host": servers[0]["host"], "port": servers[0]["port"], "own_port": own_port}
    settings = CONFIGURATION.format(folder=folder, sessions=SESSIONS, **words)
    users = "".join(f'"{server["user"]}" "{server["password"]}"\n' for server in servers)
    for path, content in ((folder / "pgbouncer.ini", settings), (folder / "users", users)):
        path.touch(mode=0o600)
        path.write_text(content)
        programs.give(path)
    programs.give(folder)
