"""An FTP server on 127.0.0.1 with one user who may read, in a process of its own.

`python -m deployment.servers.ftp ROOT PORT USER [ADDRESS]`, with the password in the environment. In a container, which
has a network of its own, ADDRESS is 0.0.0.0.
"""

import os
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import FTPHandler
from pyftpdlib.servers import FTPServer

from deployment.home import HOST, REPOSITORY, Home
from deployment.secret_values import load_or_make

USER = "daybook"
PASSWORD_VARIABLE = "DAYBOOK_FTP_PASSWORD"  # noqa: S105 - the variable's name
# Enter a folder, list it, retrieve a file: nothing that writes (pyftpdlib, "add_user").
MAY_READ = "elr"
MAX_CONNECTIONS = 64


@dataclass(frozen=True)
class LocalFtp:
    """The FTP server of a home: its command to start it, and its address and login to read from it."""

    root: Path
    port: int
    user: str
    password: str
    host: str = HOST

    @classmethod
    def of(cls, home: Home) -> "LocalFtp":
        """Return the server of a home, on its earlier port or on a free one."""
        return cls(home.ftp_root, home.port("ftp"), USER, load_or_make(home).ftp)

    @classmethod
    def kept(cls, home: Home) -> "LocalFtp":
        """Return the server of a home as it runs, or ran last."""
        return cls(home.ftp_root, home.kept_port("ftp"), USER, load_or_make(home).ftp)

    @property
    def command(self) -> list[str | Path]:
        """Return the command that starts it."""
        return [sys.executable, "-m", "deployment.servers.ftp", self.root, str(self.port), self.user]

    @property
    def environment(self) -> dict[str, str]:
        """Return the environment of its process, with the password: every user can read a command line."""
        return {**os.environ, "PYTHONPATH": str(REPOSITORY / "include"), PASSWORD_VARIABLE: self.password}

    def answers(self) -> bool:
        """Return whether it accepts connections."""
        with socket.socket() as probe:
            return probe.connect_ex((self.host, self.port)) == 0


def serve(root: Path, port: int, user: str, password: str, address: str = HOST) -> None:
    """Serve a folder to one user who may read it, until the process is ended."""
    authorizer = DummyAuthorizer()
    authorizer.add_user(user, password, str(root), perm=MAY_READ)

    class Handler(FTPHandler):
        pass

    Handler.authorizer = authorizer
    Handler.banner = "Daybook's local FTP server"
    server = FTPServer((address, port), Handler)
    server.max_cons = MAX_CONNECTIONS
    server.serve_forever(handle_exit=False)


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], os.environ[PASSWORD_VARIABLE], *sys.argv[4:5])
