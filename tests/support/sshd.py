"""OpenSSH's sshd with nothing but SFTP, as an ordinary process with host keys and settings of its own."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from daybook.transports.sftp_server import SftpServer
from deployment.home import free_port
from deployment.servers.programs import is_root

from . import debian

PACKAGES = ("openssh-server", "libwrap0")
# Where sshd of root shuts itself in; Debian's start script makes it.
OF_ROOT = Path("/run/sshd")

CONFIGURATION = """
ListenAddress 127.0.0.1
Port {port}
{host_keys}
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthorizedKeysFile {folder}/authorized_keys
Subsystem sftp internal-sftp
ForceCommand internal-sftp -d {root} {options}
"""


@dataclass(frozen=True)
class Sshd:
    """A running server. host_keys: the public lines of its keys; key_file: of the private key that it lets in."""

    port: int
    host_keys: tuple[str, ...]
    key_file: Path
    user: str

    def connection(self, **words: Any) -> SftpServer:
        """Return what the connection in Airflow would say."""
        usual = {"host_key": self.host_keys[0], "key_file": str(self.key_file), "known_hosts": os.devnull}
        return SftpServer(host="127.0.0.1", **{"port": self.port, "user": self.user, **usual, **words})


def find(folder: Path) -> list[str] | None:
    """Return the command that starts sshd, or None if it is neither installed nor to be had."""
    return debian.find("sshd", PACKAGES, folder)


@contextmanager
def running(
    command: list[str], folder: Path, root: Path, kinds: tuple[str, ...] = ("ssh-ed25519",), options: str = ""
) -> Iterator[Sshd]:
    """Run sshd for the length of the block. kinds: of its host keys. options: of internal-sftp."""
    folder.mkdir(exist_ok=True)
    if is_root():
        OF_ROOT.mkdir(exist_ok=True)
    keys = {kind: asyncssh.generate_private_key(kind) for kind in kinds}
    for kind, key in keys.items():
        _write(folder / kind, key)
    ours = asyncssh.generate_private_key("ssh-ed25519")
    _write(folder / "client", ours)
    ours.write_public_key(str(folder / "authorized_keys"))
    port, named = free_port(), "\n".join(f"HostKey {folder / kind}" for kind in kinds)
    settings = folder / "sshd_config"
    settings.write_text(CONFIGURATION.format(port=port, host_keys=named, folder=folder, root=root, options=options))
    process = subprocess.Popen([*command, "-D", "-f", settings, "-E", folder / "log"])
    try:
        debian.wait("sshd", port, process)
        lines = tuple(key.export_public_key().decode().strip() for key in keys.values())
        yield Sshd(port, lines, folder / "client", pwd.getpwuid(os.getuid()).pw_name)
    finally:
        process.terminate()
        process.wait()


def _write(path: Path, key: asyncssh.SSHKey) -> None:
    path.touch(mode=0o600)
    key.write_private_key(str(path))
