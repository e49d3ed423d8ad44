"""Opening a connection to an SFTP server (SSH File Transfer Protocol, draft-ietf-secsh-filexfer-02).

Airflow's SFTPHook cannot: it shows no fingerprint of a key that it refuses, and pads a file that is short with zeros.
So the hook only supplies the stored settings, as for FTP.
"""

import asyncio
import logging
from pathlib import Path
from typing import Any

import asyncssh
from pydantic import Field, model_validator

from daybook.errors import BadSpec
from daybook.ftp.connect import TIME_LIMIT_S
from daybook.spec import Value
from daybook.text import printable
from daybook.transports import host_key
from daybook.transports.host_key import HostKeys
from daybook.transports.sftp import SftpLine
from daybook.transports.sftp_errors import translated_errors

# At INFO it writes ten lines about each connection into the task's log.
asyncssh.set_log_level(logging.WARNING)
KNOWN_HOSTS = "~/.ssh/known_hosts"


class SftpServer(Value):
    """A server's address, its key, and our login. All but the first four values come from the connection's extra.

    host_key: the server's public key, a line as ssh-keyscan writes it, or several. known_hosts: the file that holds it,
    if host_key is not given. key_file: our private key's file, or private_key: its text; private_key_passphrase: if it
    has one. encoding: of names.
    """

    host: str
    port: int = 22
    user: str = Field(min_length=1)
    password: str = Field("", repr=False)
    host_key: str | None = None
    known_hosts: str = KNOWN_HOSTS
    key_file: str | None = None
    private_key: str | None = Field(None, repr=False)
    private_key_passphrase: str | None = Field(None, repr=False)
    no_host_key_check: bool = False
    encoding: str = "utf-8"

    @model_validator(mode="after")
    def _words_go_together(self) -> "SftpServer":
        if self.no_host_key_check:
            raise BadSpec(
                f"{self.where}: no_host_key_check: True is refused: a password must not go to an unknown server; "
                "set host_key in the connection's extra to a line of `ssh-keyscan`"
            )
        if self.key_file and self.private_key:
            raise BadSpec(f"{self.where}: key_file and private_key are both given; keep one of them")
        if not (self.password or self.key_file or self.private_key):
            raise BadSpec(
                f"{self.where}: there is neither a password nor a key; set the connection's password, or key_file or "
                "private_key in its extra"
            )
        return self

    @property
    def where(self) -> str:
        """Return the start of messages."""
        return f"{self.host}:{self.port}"

    def open(self, time_limit_s: float = TIME_LIMIT_S) -> SftpLine:
        """Return a connection that is logged in. time_limit_s: for every wait.

        Raises BadSpec if the host key or the login is refused; SourceUnavailable if it cannot be reached.
        """
        known, key = self._known_keys(), self._our_key()
        runner = asyncio.Runner()
        try:
            with translated_errors(self.where, is_opening=True):
                connection, client = runner.run(asyncio.wait_for(self._opened(known, key), time_limit_s))
        except BaseException:
            runner.close()
            raise
        return SftpLine(runner, connection, client, self.encoding)

    def _known_keys(self) -> HostKeys:
        if self.host_key:
            return host_key.of_lines(self.host_key, self.where)
        return host_key.of_file(Path(self.known_hosts).expanduser(), self.host, self.port, self.where)

    def _our_key(self) -> asyncssh.SSHKey | None:
        named = f"the key file {self.key_file}" if self.key_file else "private_key"
        try:
            if self.key_file:
                return asyncssh.read_private_key(self.key_file, self.private_key_passphrase)
            return (
                asyncssh.import_private_key(self.private_key, self.private_key_passphrase) if self.private_key else None
            )
        except (OSError, ValueError, asyncssh.KeyEncryptionError) as error:
            why = error.strerror if isinstance(error, OSError) else printable(str(error))
            raise BadSpec(
                f"{self.where}: {named} cannot be read ({why}); no connection was opened; mend {named.split()[-1]} or "
                "private_key_passphrase in the connection's extra"
            ) from None

    async def _opened(self, known: HostKeys, key: Any) -> tuple[asyncssh.SSHClientConnection, asyncssh.SFTPClient]:
        connection = await self._logged_in(known, key)
        try:
            return connection, await connection.start_sftp_client(path_encoding=None)
        except BaseException:
            connection.abort()
            raise

    async def _logged_in(self, known: HostKeys, key: Any) -> asyncssh.SSHClientConnection:
        gate = _Gate(known)
        try:
            return await self._connect(gate, known, key)
        except asyncssh.HostKeyNotVerifiable:
            if gate.refused is None:
                raise
            raise host_key.refusal(self.where, self._scanned, gate.refused, known) from None

    async def _connect(self, gate: "_Gate", known: HostKeys, key: Any) -> asyncssh.SSHClientConnection:
        login = {"username": self.user, "password": self.password or None, "client_keys": [key] if key else None}
        # Nothing of the machine's own: a task behaves alike under every user.
        own = {"config": None, "agent_path": None, "client_factory": lambda: gate}
        trust = {"known_hosts": ([], list(known.authorities), list(known.revoked)), **_offered(known)}
        # The ciphers that processors compute themselves come first.
        ciphers = "^aes256-gcm@openssh.com,aes128-gcm@openssh.com"
        order = {"preferred_auth": ("publickey", "password", "keyboard-interactive"), "encryption_algs": ciphers}
        return await asyncssh.connect(self.host, self.port, **trust, **own, **login, **order)

    @property
    def _scanned(self) -> str:
        return self.host if self.port == 22 else f"-p {self.port} {self.host}"


def _offered(known: HostKeys) -> dict[str, str]:
    # The kinds that are known come first, for a server may have several keys. If it has none of these, it shows the one
    # that it has: only then its fingerprint can be told.
    kinds = dict.fromkeys(kind.decode() for key in known.trusted for kind in key.sig_algorithms)
    return {"server_host_key_algs": f"^{','.join(kinds)}"} if kinds else {}


class _Gate(asyncssh.SSHClient):
    """Lets the known host keys pass, and keeps the one that it refused."""

    def __init__(self, known: HostKeys) -> None:
        self._known = known
        self.refused: asyncssh.SSHKey | None = None

    def validate_host_public_key(self, host: str, addr: str, port: int, key: asyncssh.SSHKey) -> bool:
        """Return whether the server may be talked to."""
        is_known = key in self._known.trusted
        self.refused = None if is_known else key
        return is_known
