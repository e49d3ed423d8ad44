"""The FTP server shows its files to its one user, and lets nobody change them."""

import ftplib
import socket
from collections.abc import Callable
from io import BytesIO

import psutil
import pytest

from deployment.servers.ftp import LocalFtp


def logged_in(server: LocalFtp, password: str | None = None) -> ftplib.FTP:
    ftp = ftplib.FTP(timeout=10)  # noqa: S321 - FTP is what is tested
    ftp.connect(server.host, server.port)
    ftp.login(server.user, password or server.password)
    return ftp


def test_a_file_comes_as_it_is(ftp_server: LocalFtp) -> None:
    content = b"a,b\r\n1,\xff\n"
    (ftp_server.root / "as_it_is.csv").write_bytes(content)
    received = BytesIO()
    with logged_in(ftp_server) as ftp:
        ftp.retrbinary("RETR as_it_is.csv", received.write)
    assert received.getvalue() == content


def store(ftp: ftplib.FTP) -> None:
    ftp.storbinary("STOR new.csv", BytesIO(b"x"))


def append(ftp: ftplib.FTP) -> None:
    ftp.storbinary("APPE there.csv", BytesIO(b"x"))


def delete(ftp: ftplib.FTP) -> None:
    ftp.delete("there.csv")


def rename(ftp: ftplib.FTP) -> None:
    ftp.rename("there.csv", "gone.csv")


def make_folder(ftp: ftplib.FTP) -> None:
    ftp.mkd("folder")


@pytest.mark.parametrize("change", [store, append, delete, rename, make_folder])
def test_G19_nothing_can_be_changed(ftp_server: LocalFtp, change: Callable[[ftplib.FTP], None]) -> None:
    (ftp_server.root / "there.csv").write_bytes(b"there")
    with logged_in(ftp_server) as ftp, pytest.raises(ftplib.error_perm, match="550"):
        change(ftp)
    assert (ftp_server.root / "there.csv").read_bytes() == b"there"


def test_G15_nothing_above_its_root_is_shown(ftp_server: LocalFtp) -> None:
    with logged_in(ftp_server) as ftp, pytest.raises(ftplib.error_perm):
        ftp.retrbinary("RETR ../secrets.json", lambda _block: None)


def test_a_wrong_password_is_refused(ftp_server: LocalFtp) -> None:
    with pytest.raises(ftplib.error_perm, match="530"):
        logged_in(ftp_server, "guessed")


def test_it_listens_on_loopback_only(ftp_server: LocalFtp) -> None:
    listening = {c.laddr.ip for c in psutil.net_connections("tcp") if c.laddr.port == ftp_server.port}
    with logged_in(ftp_server) as ftp:
        passive_host, _port = ftp.makepasv()
    assert listening | {passive_host} == {socket.gethostbyname("localhost")}
