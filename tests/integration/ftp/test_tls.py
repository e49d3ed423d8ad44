"""FTP over TLS (F16 to F19, N4): a certificate that is right, data that is protected, and nothing in clear."""

import ftplib
import os
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest
from OpenSSL import SSL

from daybook.errors import BadSpec, SourceUnavailable
from daybook.ftp.connect import FtpServer, SessionKeepingFTP
from daybook.ftp.retry import Patience
from tests.support import vsftpd
from tests.support.certificates import DAY, NOW, Authority
from tests.support.faulty_ftp import PASSWORD, Cut, FaultyFtp, says_226, says_426
from tests.support.proxy import Proxy

from .conftest import CONTENT, PATH, Copying

From = Callable[[FaultyFtp], Copying]


@pytest.fixture
def tls(root: Path, authority: Authority) -> Iterator[FaultyFtp]:
    """A server with a certificate, which demands TLS on both connections."""
    settings = {"tls_control_required": True}
    with FaultyFtp(root, certificate=authority.certificate(), settings=settings) as server:
        yield server


@pytest.fixture
def copy(tls: FaultyFtp, copy_from: From) -> Copying:
    """A copy from that server."""
    return copy_from(tls)


def test_F16_G19_commands_and_data_are_protected(copy: Copying, tls: FaultyFtp, authority: Authority) -> None:
    fetched = copy(ca_file=str(authority.ca_file))
    assert (copy.copied, fetched.is_encrypted) == (CONTENT, True)
    assert tls.commands.index("AUTH TLS") < tls.commands.index("PASS") < tls.commands.index("PROT P")


def test_F16_G19_what_goes_over_the_line_is_not_in_clear(copy: Copying, tls: FaultyFtp, authority: Authority) -> None:
    with Proxy((tls.host, tls.port)) as proxy:
        copy(ca_file=str(authority.ca_file), port=proxy.address[1])
    assert copy.copied == CONTENT
    assert b"AUTH TLS" in proxy.sent
    assert not [word for word in (b"USER", PASSWORD.encode(), b"RETR", b"flights") if word in proxy.sent]


def test_F7_over_TLS_a_copy_goes_on_from_where_it_was(copy: Copying, tls: FaultyFtp, authority: Authority) -> None:
    tls.cuts = iter([Cut(300_000, says_426), Cut(300_000, says_226)])
    copy(ca_file=str(authority.ca_file))
    assert copy.copied == CONTENT


def test_F4_a_server_that_demands_TLS_of_a_connection_that_does_without(copy: Copying, tls: FaultyFtp) -> None:
    with pytest.raises(BadSpec, match=r"wants TLS.*mend `insecure`"):
        copy(insecure=True)
    assert tls.count("PASS") == 0


def unknown_ca(authority: Authority) -> tuple[Path, str | None, str]:
    """A certificate of a CA that the machine does not know, and no CA file."""
    return authority.certificate(), None, "unable to get local issuer certificate"


def expired(authority: Authority) -> tuple[Path, str | None, str]:
    """A certificate that ended yesterday."""
    return authority.certificate(until=NOW - DAY), str(authority.ca_file), "certificate has expired"


def of_another_host(authority: Authority) -> tuple[Path, str | None, str]:
    """A certificate of another address."""
    return authority.certificate("127.0.0.9"), str(authority.ca_file), "IP address mismatch"


def self_signed(authority: Authority) -> tuple[Path, str | None, str]:
    """A certificate that another CA of the same name signed."""
    other = Authority(authority.ca_file.parent / f"other_{len(list(authority.ca_file.parent.iterdir()))}")
    return other.certificate(), str(authority.ca_file), "(signature failure|unable to get local issuer|self.signed)"


@pytest.mark.parametrize("wrong", [unknown_ca, expired, of_another_host, self_signed])
def test_F18_G19_a_certificate_that_is_wrong(root: Path, copy_from: From, authority: Authority, wrong: Any) -> None:
    certificate, ca_file, reason = wrong(authority)
    with FaultyFtp(root, certificate=certificate) as server, Proxy((server.host, server.port)) as proxy:
        copy = copy_from(server)
        with pytest.raises(BadSpec, match=rf"certificate is refused \(.*{reason}.*\); no password was sent"):
            copy(ca_file=ca_file, port=proxy.address[1])
    assert (server.count("USER"), server.count("AUTH"), copy.copied) == (0, 1, None)
    assert PASSWORD.encode() not in proxy.sent


def test_F18_G19_a_CA_file_that_is_not_there(copy: Copying, tls: FaultyFtp) -> None:
    with pytest.raises(BadSpec, match=r"the CA file /nowhere/ca.pem cannot be read \(No such file or directory\)"):
        copy(ca_file="/nowhere/ca.pem")
    assert tls.commands == []


def test_F18_G19_a_CA_file_that_is_none(copy: Copying, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("hello")
    with pytest.raises(BadSpec, match=r"the CA file .* cannot be read"):
        copy(ca_file=str(tmp_path / "ca.pem"))


@pytest.mark.parametrize("reply", ["500 what is AUTH?", "502 not here", "534 not willing", "504 no such mechanism"])
def test_F19_G19_a_server_without_TLS_gets_no_password(root: Path, copy_from: From, reply: str) -> None:
    with FaultyFtp(root) as server, Proxy((server.host, server.port)) as proxy:
        server.answers["AUTH"] = repeat(reply)
        with pytest.raises(BadSpec, match=rf"knows no TLS \({reply.replace('?', '.')}\); no password was sent"):
            copy_from(server)(insecure=False, port=proxy.address[1])
    assert server.commands == ["AUTH TLS"]
    assert bytes(proxy.sent) == b"AUTH TLS\r\n"


def test_N4_G19_a_server_with_TLS_1_0_only(root: Path, copy_from: From, authority: Authority) -> None:
    refused = pytest.raises(BadSpec, match=r"no TLS of version 1.2 or later with this server \(.*\); no password")
    with FaultyFtp(root, authority.certificate(), SSL.TLSv1_METHOD) as server, refused:
        copy_from(server)(ca_file=str(authority.ca_file))
    assert server.count("USER") == 0


def test_N4_G19_a_server_that_does_not_protect_data(copy: Copying, tls: FaultyFtp, authority: Authority) -> None:
    tls.answers["PROT"] = repeat("536 not that level")
    with pytest.raises(BadSpec, match=r"536 not that level"):
        copy(ca_file=str(authority.ca_file))
    assert (tls.count("RETR"), tls.count("PASV")) == (0, 0)


def test_N4_G19_a_server_that_speaks_no_TLS_after_AUTH(root: Path, copy_from: From) -> None:
    with FaultyFtp(root) as server:
        server.answers["AUTH"] = repeat("234 go on")
        with pytest.raises((BadSpec, SourceUnavailable)):
            copy_from(server)(insecure=False, patience=Patience(tries=1, time_limit_s=0.3))
    assert server.count("PASS") == 0


def closes_without_a_goodbye(data: Any) -> None:
    """End the data connection without TLS's close_notify, as many servers do."""
    data._ssl_established = False


def test_N4_G19_data_that_ends_without_close_notify(copy: Copying, tls: FaultyFtp, authority: Authority) -> None:
    tls.cuts = repeat(Cut(900_000, closes_without_a_goodbye))
    copy(ca_file=str(authority.ca_file))
    assert copy.copied == CONTENT


@pytest.fixture(scope="session")
def vsftpd_command(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What starts vsftpd. In CI it has to be there."""
    command = vsftpd.find(tmp_path_factory.mktemp("vsftpd"))
    if not command:
        assert not os.environ.get("CI"), "vsftpd is not installed, and Debian's package cannot be downloaded"
        pytest.skip("vsftpd is not installed, and Debian's package cannot be downloaded")
    return command


@pytest.fixture
def reuse_wanted(vsftpd_command: list[str], root: Path, tmp_path: Path, authority: Authority) -> Iterator[Copying]:
    """A copy from vsftpd as it comes."""
    with vsftpd.running(vsftpd_command, tmp_path, root, authority.certificate()) as port:
        yield Copying(FaultyFtp(root, port=port, certificate=authority.ca_file), tmp_path / "run")


def test_F17_G19_a_server_that_wants_the_TLS_session_used_again(reuse_wanted: Copying, authority: Authority) -> None:
    fetched = reuse_wanted(patience=Patience(tries=1), user="anonymous", ca_file=str(authority.ca_file))
    assert fetched.is_encrypted
    assert reuse_wanted.copied == CONTENT


def test_implicit_FTPS_is_TLS_from_the_first_byte_on(
    vsftpd_command: list[str], root: Path, tmp_path: Path, authority: Authority
) -> None:
    words: dict[str, Any] = {"user": "anonymous", "ca_file": str(authority.ca_file)}
    once = Patience(tries=1)
    with vsftpd.running(vsftpd_command, tmp_path, root, authority.certificate(), is_implicit=True) as port:
        copy = Copying(FaultyFtp(root, port=port, certificate=authority.ca_file), tmp_path / "run")
        fetched = copy(patience=once, implicit=True, **words)
        assert (fetched.is_encrypted, copy.copied) == (True, CONTENT)
        with pytest.raises(BadSpec, match=r"expect TLS at once .*set {\"implicit\": true} in the extra"):
            copy(patience=replace(once, time_limit_s=1), **words)
        with pytest.raises(BadSpec, match=r"certificate is refused .*no password was sent"):
            copy(patience=once, implicit=True, user="anonymous")


def test_a_server_that_is_not_implicit_is_told(reuse_wanted: Copying, authority: Authority) -> None:
    words: dict[str, Any] = {"user": "anonymous", "ca_file": str(authority.ca_file), "implicit": True}
    with pytest.raises(BadSpec, match=r"does not begin with TLS.*set {\"implicit\": false}"):
        reuse_wanted(patience=Patience(tries=1), **words)
    with pytest.raises(BadSpec, match="insecure and implicit are both true"):
        reuse_wanted(insecure=True, **words)


def test_port_990_means_implicit_if_nothing_else_is_said() -> None:
    at_990: dict[str, Any] = {"host": "h", "port": 990}
    assert FtpServer(**at_990).begins_with_tls
    assert not FtpServer(**at_990, implicit=False).begins_with_tls
    assert not FtpServer(**at_990, insecure=True).begins_with_tls
    assert not FtpServer(host="h").begins_with_tls


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3], ids=lambda v: v.name)
def test_F17_G19_one_connection_and_many_files(
    reuse_wanted: Copying, authority: Authority, version: ssl.TLSVersion
) -> None:
    with logged_in(SessionKeepingFTP, reuse_wanted, authority, version) as ftp:
        assert isinstance(ftp.sock, ssl.SSLSocket)
        assert ftp.sock.version() == version.name.replace("_", ".")
        for start in (900_000, 500_000, 1):
            blocks: list[bytes] = []
            ftp.retrbinary(f"RETR {PATH}", blocks.append, rest=start)
            assert b"".join(blocks) == CONTENT[start:]


def test_F17_G19_Python_s_own_client_and_Airflow_s_with_it_fail(reuse_wanted: Copying, authority: Authority) -> None:
    refused = pytest.raises(ftplib.error_perm, match="522 SSL connection failed: session reuse required")
    with logged_in(ftplib.FTP_TLS, reuse_wanted, authority, ssl.TLSVersion.TLSv1_3) as ftp, refused:
        ftp.retrbinary(f"RETR {PATH}", lambda block: None)


def logged_in(
    kind: type[ftplib.FTP_TLS], copy: Copying, authority: Authority, version: ssl.TLSVersion
) -> ftplib.FTP_TLS:
    """Return a connection over TLS of one version."""
    context = ssl.create_default_context(cafile=str(authority.ca_file))
    context.maximum_version = version
    ftp = kind(context=context)
    ftp.connect(copy.server.host, copy.server.port, 5)
    ftp.login()
    ftp.prot_p()
    return ftp


@pytest.mark.parametrize("insecure", [True, False])
def test_a_server_that_expects_TLS_at_once_is_named_and_not_tried_again(
    root: Path, tmp_path: Path, authority: Authority, insecure: bool
) -> None:
    with FaultyFtp(root, certificate=authority.certificate()) as server:
        # As servers with implicit FTPS do: the greeting comes only over TLS.
        server.answers["CONNECT"] = repeat(lambda control: control.secure_connection(control.ssl_context))
        once = Patience(tries=3, time_limit_s=1, first_pause_s=0)
        with pytest.raises(BadSpec, match=r"expect TLS at once \(implicit FTPS, .* 990\).*no password was sent"):
            Copying(server, tmp_path / "run")(patience=once, insecure=insecure)
    assert server.commands == []


def test_a_server_that_is_silent_and_does_not_speak_TLS_is_not_taken_for_implicit_FTPS(copy: Copying) -> None:
    once = Patience(tries=1, time_limit_s=0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(SourceUnavailable, match="was silent"):
        copy(port=silent.getsockname()[1], patience=once)


def test_a_server_that_greets_late_is_not_taken_for_implicit_FTPS(root: Path, tmp_path: Path) -> None:
    late = repeat(lambda _: time.sleep(0.6))
    with FaultyFtp(root, answers={"CONNECT": late}) as server, pytest.raises(SourceUnavailable, match="was silent"):
        Copying(server, tmp_path / "run")(patience=Patience(tries=1, time_limit_s=0.4))
