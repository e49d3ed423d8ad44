"""pgbouncer in transaction mode: after each transaction a server's session goes to the pool's next client.

It is taken from the machine, or else unpacked from Debian's package, without root and without being installed.
"""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from deployment.home import free_port
from deployment.servers import programs
from deployment.servers.postgres import LocalPostgres

PACKAGES = ("pgbouncer", "libevent-2.1-7", "libc-ares2")
SECONDS = 10
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
    if installed := shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin"):
        return [installed]
    try:
        done = subprocess.run(["apt-get", "download", *PACKAGES], cwd=folder, capture_output=True, check=False)
    except FileNotFoundError:
        return None
    if done.returncode:
        return None
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, folder / "unpacked"], check=True)
    libraries = [str(path) for path in (folder / "unpacked").glob("**/lib/*-linux-gnu")]
    return ["env", f"LD_LIBRARY_PATH={':'.join(libraries)}", str(folder / "unpacked/usr/sbin/pgbouncer")]


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
            _wait(port, process)
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


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, "pgbouncer ended"
        assert time.monotonic() < until, "pgbouncer does not answer"
        time.sleep(0.05)
