"""Opening a connection to an FTP server: over TLS, unless the connection in Airflow says `insecure`.

Airflow's FTPSHook cannot: it knows no CA file and no time limit, and does not reuse the TLS session for the data, which
vsftpd and ProFTPD demand by default. So the hook only supplies the stored settings. TLS: RFC 4217.
"""

import ftplib
import socket
import ssl
from contextlib import suppress
from typing import Any

from pydantic import Field, model_validator

from daybook.errors import BadSpec
from daybook.ftp.replies import printable, translated_errors
from daybook.spec.value import Value

TIME_LIMIT_S = 60.0
PROBE_LIMIT_S = 10.0
IMPLICIT_PORT = 990


class FtpServer(Value):
    """A server's address and our login. All but the first four values come from the connection's extra.

    insecure: no TLS at all; others on the way can read name, password and data, and the report says so. implicit: TLS
    begins with the connection and not by a command, which port 990 is for; None: at that port only. ca_file: of a
    private CA, instead of the system's. passive: the client opens the data connections. encoding: of names and replies.
    """

    host: str
    port: int = 21
    user: str = "anonymous"
    password: str = Field("", repr=False)
    insecure: bool = False
    implicit: bool | None = None
    ca_file: str | None = None
    passive: bool = True
    encoding: str = "utf-8"

    @model_validator(mode="after")
    def _words_go_together(self) -> "FtpServer":
        if self.insecure and self.implicit:
            raise BadSpec(f"{self.host}:{self.port}: insecure and implicit are both true; implicit is TLS; keep one")
        return self

    @property
    def begins_with_tls(self) -> bool:
        """Return whether TLS begins with the connection."""
        return not self.insecure and (self.port == IMPLICIT_PORT if self.implicit is None else self.implicit)

    def open(self, time_limit_s: float = TIME_LIMIT_S) -> ftplib.FTP:
        """Return a connection that is logged in. time_limit_s: for every wait, on both sockets.

        Raises BadSpec if the login or the certificate is refused, or the server knows no TLS; SourceUnavailable if it
        cannot be reached.
        """
        where = f"{self.host}:{self.port}"
        ftp = ftplib.FTP(encoding=self.encoding) if self.insecure else self._over_tls(where)  # noqa: S321 - asked for
        try:
            with translated_errors(where, is_opening=True, secret=self.password):
                self._greet(ftp, where, time_limit_s)
                self._log_in(ftp, where)
        except BaseException:
            ftp.close()
            raise
        return ftp

    def _greet(self, ftp: ftplib.FTP, where: str, time_limit_s: float) -> None:
        try:
            ftp.connect(self.host, self.port, time_limit_s)
        except (OSError, EOFError, UnicodeError, ftplib.error_proto) as error:
            if self.begins_with_tls:
                raise _greets_in_clear(where) if "WRONG_VERSION" in str(error) else error from None
            # The line stands, but no FTP came over it.
            if ftp.sock and _takes_tls_at_once((self.host, self.port), min(time_limit_s, PROBE_LIMIT_S)):
                raise BadSpec(
                    f"{where}: the server says nothing in clear and seems to expect TLS at once (implicit FTPS, "
                    "usually port 990); no password was sent; not tried again; "
                    'set {"implicit": true} in the extra of the connection, or its port to explicit TLS (usually 21)'
                ) from None
            raise

    def _over_tls(self, where: str) -> ftplib.FTP:
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise BadSpec(
                f"{where}: the CA file {self.ca_file} cannot be read ({error.strerror}); no connection was opened; "
                "mend ca_file in the connection's extra"
            ) from None
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        kind = ImplicitFTP if self.begins_with_tls else SessionKeepingFTP
        return kind(context=context, encoding=self.encoding)

    def _log_in(self, ftp: ftplib.FTP, where: str) -> None:
        if isinstance(ftp, ftplib.FTP_TLS) and not self.begins_with_tls:
            _secure(ftp, where)
        ftp.login(self.user, self.password)
        if isinstance(ftp, ftplib.FTP_TLS):
            # Without this only the commands are encrypted, and the data goes in clear (RFC 4217, 9).
            ftp.prot_p()
        ftp.set_pasv(self.passive)


class SessionKeepingFTP(ftplib.FTP_TLS):
    """An FTP_TLS whose data connections reuse the TLS session of the control connection.

    That proves to the server that both come from the same client; ftplib does not do it (CPython issue 63699).
    """

    def ntransfercmd(self, cmd: str, rest: int | str | None = None) -> tuple[socket.socket, int | None]:
        """Open a data connection and send the command that uses it; return its socket, and the size if known."""
        data, size = ftplib.FTP.ntransfercmd(self, cmd, rest)  # noqa: S321 - the data is wrapped next
        try:
            return self._secured(data), size
        except BaseException:
            data.close()
            raise

    def _secured(self, data: socket.socket) -> ssl.SSLSocket:
        control: Any = self.sock
        return self.context.wrap_socket(data, server_hostname=self.host, session=control.session)


class ImplicitFTP(SessionKeepingFTP):
    """An FTP_TLS over a line that is TLS from its first byte on (RFC 4217, A: the port 990 that servers keep)."""

    def connect(self, host: str = "", port: int = 0, timeout: float = TIME_LIMIT_S, source_address: Any = None) -> str:
        """Open the control connection, and return the server's greeting."""
        self.host, self.port, self.timeout = host, port, timeout
        line = socket.create_connection((host, port), timeout, source_address)
        try:
            self.sock = self.context.wrap_socket(line, server_hostname=host)
        except BaseException:
            line.close()
            raise
        self.af, self.file = self.sock.family, self.sock.makefile("r", encoding=self.encoding)
        self.welcome = self.getresp()
        return self.welcome


def end(data: socket.socket) -> None:
    """End TLS on a data connection, which some servers wait for. Whether all bytes came, the size decides."""
    if isinstance(data, ssl.SSLSocket):
        with suppress(OSError, ValueError):
            data.unwrap()


def _takes_tls_at_once(address: tuple[str, int], time_limit_s: float) -> bool:
    """Return whether a server begins TLS on a new connection, on which nothing but the handshake is sent."""
    context = ssl.create_default_context()
    # Nothing is trusted to this connection, so that any certificate will do.
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection(address, time_limit_s) as line, context.wrap_socket(line):
            return True
    except ssl.SSLError as error:
        # An alert is TLS, too: the server wants another version, or a certificate of ours.
        return "ALERT" in (error.reason or "")
    except OSError:
        return False


def _greets_in_clear(where: str) -> BadSpec:
    return BadSpec(
        f"{where}: the server does not begin with TLS, as implicit FTPS does; no password was sent; not tried again; "
        'set {"implicit": false} in the connection\'s extra, or its port to that of implicit TLS (usually 990)'
    )


def _secure(ftp: ftplib.FTP_TLS, where: str) -> None:
    try:
        ftp.auth()
    except ftplib.error_perm as error:
        raise BadSpec(
            f"{where}: the FTP server knows no TLS ({printable(error)}); no password was sent, and none is sent in "
            'clear; have the server mended, or accept it with the extra {"insecure": true} of the connection'
        ) from None
