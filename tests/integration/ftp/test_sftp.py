"""SFTP on OpenSSH's server: the host key comes first, and a copy is whole or not there, as over FTP."""

import asyncio
import json
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import asyncssh
import pytest
from upath import UPath

from commands import connections
from daybook.errors import BadSpec, NotYet, SourceUnavailable
from daybook.ftp.copy import Fetched, fetch
from daybook.ftp.ready import Due, check_ready
from daybook.ftp.replies import Broken
from daybook.ftp.retry import Patience
from daybook.ftp.session import session
from daybook.storage.folder import Folder
from daybook_airflow import hooks
from tests.support import proxy, sshd
from tests.support.proxy import Fault, Pair, Proxy
from tests.support.sshd import Sshd

from .conftest import CONTENT, EARLY, PATH, SIZE, WHOLE, file

CUT_AT = 400_000
# Enough for a login on a busy machine; a line that says nothing is found after so long.
PATIENT = Patience(tries=10, total_s=60, time_limit_s=3, first_pause_s=0.001, longest_pause_s=0.01)


OVER_SFTP = pytest.mark.parametrize("opener", ["sftp"], indirect=True)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The place of the copy."""
    return tmp_path / "run" / "flights.csv"


@pytest.fixture
def copy(openssh: Sshd, copied: Path) -> Callable[..., Fetched]:
    """Copies the day's file over SFTP; words: what differs of the connection."""

    def do(path: str = PATH, **words: Any) -> Fetched:
        with Folder(UPath(f"file://{copied.parent}")).partial_file(copied.name) as part:
            connection = openssh.connection(**words)
            return fetch(lambda: connection.open(PATIENT.time_limit_s), file(path=path), path, part, PATIENT)

    return do


def test_a_file_comes_whole_and_encrypted(copy: Callable[..., Fetched], copied: Path) -> None:
    fetched = copy()
    assert copied.read_bytes() == CONTENT
    assert (fetched.remote.size_bytes, fetched.is_encrypted, fetched.remarks) == (SIZE, True, ())


@pytest.mark.parametrize("size", [0, 1, 32 * 1024, 32 * 1024 + 1])
def test_a_file_of_any_size_comes_whole(copy: Callable[..., Fetched], copied: Path, root: Path, size: int) -> None:
    (root / PATH).write_bytes(CONTENT[:size])
    copy()
    assert copied.read_bytes() == CONTENT[:size]


@pytest.mark.parametrize("how", [proxy.cut, proxy.reset, proxy.silence, proxy.half_close])
def test_a_line_that_breaks_is_gone_on_from_there(
    copy: Callable[..., Fetched], openssh: Sshd, copied: Path, how: Callable[[Pair], None]
) -> None:
    with Proxy(("127.0.0.1", openssh.port)) as between:
        between.faults = iter([Fault(CUT_AT, how)] * 2)
        copy(port=between.address[1])
    assert copied.read_bytes() == CONTENT
    # A connection that began again each time would not come further than the first.
    assert 2 < between.connections <= 4


def test_a_line_that_always_breaks_is_given_up_and_what_is_here_is_kept(
    copy: Callable[..., Fetched], openssh: Sshd, copied: Path
) -> None:
    given_up = pytest.raises(SourceUnavailable, match=r"SFTP server broke off.*given up after 10 tries")
    with Proxy(("127.0.0.1", openssh.port), faults=repeat(Fault(1))) as between, given_up:
        copy(port=between.address[1])
    assert not copied.exists()


def test_a_file_that_grows_while_it_is_copied_is_not_taken(
    copy: Callable[..., Fetched], openssh: Sshd, copied: Path, root: Path
) -> None:
    def grow(_: Pair) -> None:
        with (root / PATH).open("ab") as growing:
            growing.write(b"more")

    changed = pytest.raises(SourceUnavailable, match="the file changed while it was copied")
    with Proxy(("127.0.0.1", openssh.port), faults=iter([Fault(CUT_AT, grow)])) as between, changed:
        copy(port=between.address[1])
    assert not copied.exists()


def test_a_host_key_that_is_not_known_is_refused_before_a_name_is_said(
    copy: Callable[..., Fetched], openssh: Sshd, tmp_path: Path
) -> None:
    with pytest.raises(BadSpec) as refused:
        copy(host_key=None)
    found = asyncssh.import_public_key(openssh.host_keys[0]).get_fingerprint()
    assert f"host key is ssh-ed25519 {found}, and none is known for it in /dev/null; nothing was said" in str(
        refused.value
    )
    assert f"`ssh-keyscan -p {openssh.port} 127.0.0.1`" in str(refused.value)
    assert f"user {openssh.user}" not in (tmp_path / "sshd/log").read_text()


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
def test_a_host_key_that_has_changed_is_refused_with_both_fingerprints(
    copy: Callable[..., Fetched], openssh: Sshd, tmp_path: Path, kind: str
) -> None:
    other = asyncssh.generate_private_key(kind)
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{openssh.port} {other.export_public_key().decode()}")
    with pytest.raises(BadSpec) as refused:
        copy(host_key=None, known_hosts=str(known))
    found = asyncssh.import_public_key(openssh.host_keys[0]).get_fingerprint()
    assert f"is ssh-ed25519 {found}, {kind} {other.get_fingerprint()} expected ({known})" in str(refused.value)
    assert f"user {openssh.user}" not in (tmp_path / "sshd/log").read_text()


def test_any_of_a_server_s_keys_may_be_the_known_one(sshd_command: list[str], root: Path, tmp_path: Path) -> None:
    kinds = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")
    with sshd.running(sshd_command, tmp_path / "sshd", root, kinds) as server:
        for key in server.host_keys:
            server.connection(host_key=key).open(5).close()
            server.connection(host_key=f"[127.0.0.1]:{server.port} {key}").open(5).close()


def test_our_key_may_be_text_with_a_passphrase(openssh: Sshd) -> None:
    key = asyncssh.read_private_key(str(openssh.key_file))
    text = key.export_private_key(passphrase="canary-1").decode()
    openssh.connection(key_file=None, private_key=text, private_key_passphrase="canary-1").open(5).close()
    for passphrase in ("canary-2", None):
        with pytest.raises(BadSpec, match=r"private_key cannot be read .*mend private_key or") as refused:
            openssh.connection(key_file=None, private_key=text, private_key_passphrase=passphrase).open(5)
        assert "canary" not in str(refused.value)


def test_a_key_that_the_server_does_not_know_is_a_login_refused(copy: Callable[..., Fetched], tmp_path: Path) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(str(tmp_path / "other"))
    with pytest.raises(BadSpec, match=r"refuses the login.*mend the connection's user, password or key"):
        copy(key_file=str(tmp_path / "other"))


def test_what_a_connection_lacks_or_has_twice_is_told(openssh: Sshd, tmp_path: Path) -> None:
    for words, told in (
        ({"key_file": None}, "neither a password nor a key"),
        ({"private_key": "x"}, "key_file and private_key are both given"),
        ({"no_host_key_check": True}, "a password must not go to an unknown server"),
        ({"hostkey": "x"}, "did you mean 'host_key'"),
    ):
        with pytest.raises(BadSpec, match=told):
            openssh.connection(**words)
    for words, told in (
        ({"key_file": str(tmp_path / "none")}, "the key file .*/none cannot be read"),
        ({"host_key": "ssh-ed25519 AAAAx"}, "host_key 'ssh-ed25519 AAAAx' is refused"),
    ):
        with pytest.raises(BadSpec, match=told):
            openssh.connection(**words).open(5)


@pytest.fixture
def host_key() -> asyncssh.SSHKey:
    """The key of a server of the test's own."""
    return asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture
def run_server(host_key: asyncssh.SSHKey) -> Iterator[Callable[..., int]]:
    """Runs an SSH server of asyncssh, which OpenSSH's cannot stand for: it takes passwords of the machine's users only.

    Returns its port.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def listen(kind: type[asyncssh.SSHServer], sftp: Any) -> int:
        words = {"server_host_keys": [host_key], "server_factory": kind, "sftp_factory": sftp}
        return (await asyncssh.listen("127.0.0.1", 0, **words)).get_port()

    def run(kind: type[asyncssh.SSHServer], sftp: Any = True) -> int:
        return asyncio.run_coroutine_threadsafe(listen(kind, sftp), loop).result(10)

    yield run
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


class Passwords(asyncssh.SSHServer):
    """A server that knows one password, and asks for it in either of SSH's two ways."""

    is_interactive = False

    def password_auth_supported(self) -> bool:
        """Return whether it takes a password at once."""
        return not self.is_interactive

    def validate_password(self, username: str, password: str) -> bool:
        """Return whether it is the one."""
        return (username, password) == ("supplier", "canary-right")

    def kbdint_auth_supported(self) -> bool:
        """Return whether it asks for a password."""
        return self.is_interactive

    def get_kbdint_challenge(self, username: str, lang: str, submethods: str) -> Any:
        """Return what it asks."""
        return "", "", "", [("Password: ", False)]

    def validate_kbdint_response(self, username: str, responses: Any) -> bool:
        """Return whether it is the one."""
        return list(responses) == ["canary-right"]


@pytest.mark.parametrize("is_interactive", [False, True])
def test_a_password_logs_in_and_a_wrong_one_is_not_told(
    run_server: Callable[..., int], host_key: asyncssh.SSHKey, is_interactive: bool
) -> None:
    kind = type("Kind", (Passwords,), {"is_interactive": is_interactive})
    words = {"key_file": None, "user": "supplier"}
    server = Sshd(run_server(kind), (host_key.export_public_key().decode(),), Path(), "")
    server.connection(**words, password="canary-right").open(5).close()
    with pytest.raises(BadSpec, match="refuses the login") as refused:
        server.connection(**words, password="canary-wrong").open(5)
    assert "canary" not in str(refused.value)


class Sparing(asyncssh.SFTPServer):
    """A server that gives less than it is asked for, as it may (draft-ietf-secsh-filexfer-02, 6.4)."""

    def read(self, file_obj: Any, offset: int, size: int) -> bytes:
        """Return some bytes, one less each time."""
        type(self).most = max(type(self).most - 1, 5_000)
        return bytes(super().read(file_obj, offset, min(size, self.most)))  # type: ignore[arg-type]

    most = 9_000


def test_a_server_that_gives_less_than_it_is_asked_for_gives_all(
    run_server: Callable[..., int], host_key: asyncssh.SSHKey, root: Path, copied: Path
) -> None:
    port = run_server(Passwords, sftp=lambda channel: Sparing(channel, chroot=str(root).encode()))
    server = Sshd(port, (host_key.export_public_key().decode(),), Path(), "supplier")
    with Folder(UPath(f"file://{copied.parent}")).partial_file(copied.name) as part:
        line = server.connection(key_file=None, password="canary-right").open(5)
        fetch(lambda: line, file(), PATH, part, PATIENT)
    assert copied.read_bytes() == CONTENT


@pytest.mark.parametrize("denied", ["open", "read"])
def test_a_file_that_we_may_not_read_is_told(
    sshd_command: list[str], root: Path, tmp_path: Path, copied: Path, denied: str
) -> None:
    refused = pytest.raises(BadSpec, match=rf"ftp: {PATH}: the SFTP server does not let us.*have the right")
    with (
        sshd.running(sshd_command, tmp_path / "sshd", root, options=f"-P {denied}") as server,
        Folder(UPath(f"file://{copied.parent}")).partial_file(copied.name) as part,
        refused,
    ):
        fetch(lambda: server.connection().open(5), file(), PATH, part, PATIENT)


def test_a_server_without_sftp_is_told(run_server: Callable[..., int], host_key: asyncssh.SSHKey) -> None:
    words = {"key_file": None, "password": "canary-right", "user": "supplier"}
    server = Sshd(run_server(Passwords, sftp=False), (host_key.export_public_key().decode(),), Path(), "")
    with pytest.raises(BadSpec, match="whether it gives SFTP"):
        server.connection(**words).open(5)


@OVER_SFTP
def test_a_folder_and_a_missing_folder_are_files_that_are_not_there(due: Due, folder: Folder, root: Path) -> None:
    (root / "in").mkdir()
    for path in ("in", "none/a.csv"):
        with pytest.raises(NotYet, match=f"ftp: {path} is not there"):
            check_ready(due._replace(files=(file(path=path, **WHOLE),)), folder, EARLY, PATIENT)


@OVER_SFTP
def test_names_in_another_encoding_are_told_and_found_with_it(
    due: Due, folder: Folder, root: Path, openssh: Sshd
) -> None:
    (root / os.fsdecode("Umsätze.csv".encode("latin-1"))).write_bytes(b"a\n1\n")
    (root / PATH.upper()).write_bytes(b"a\n1\n")
    waited = file(path="Umsätze.csv", **WHOLE)
    with pytest.raises(NotYet, match=r"'Ums\\xe4tze.csv' lies beside it, which is not utf-8"):
        check_ready(due._replace(files=(waited,)), folder, EARLY, PATIENT)
    latin = due._replace(files=(waited,), ftp=lambda _: openssh.connection(encoding="latin-1").open(5))
    assert check_ready(latin, folder, EARLY, PATIENT)["flights"].size_bytes == 4
    with pytest.raises(BadSpec, match="the path cannot be written in latin-1"):
        check_ready(latin._replace(files=(file(path="№.csv", **WHOLE),)), folder, EARLY, PATIENT)
    (root / PATH).unlink()
    with pytest.raises(NotYet, match=f"'{PATH.upper()}' lies beside it"):
        check_ready(due._replace(files=(file(**WHOLE),)), folder, EARLY, PATIENT)


def test_a_session_on_a_connection_that_is_gone_is_a_broken_line(openssh: Sshd) -> None:
    with Proxy(("127.0.0.1", openssh.port)) as between:
        line = openssh.connection(port=between.address[1]).open(5)
    with pytest.raises(Broken), session(lambda: line, "ftp", 3) as opened:
        opened.look(PATH)
    assert line.sock is None


def test_the_type_of_the_connection_decides_for_tasks_and_for_commands(
    openssh: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {"host_key": openssh.host_keys[0], "key_file": str(openssh.key_file)}
    words = {"conn_type": "sftp", "host": "127.0.0.1", "port": openssh.port, "login": openssh.user, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SUPPLIER", json.dumps(words))
    uri = f"sftp://{openssh.user}@127.0.0.1:{openssh.port}/?{urlencode(extra)}"
    monkeypatch.setenv("AIRFLOW_CONN_OTHER", uri)
    monkeypatch.setenv("AIRFLOW_CONN_WRONG", json.dumps({**words, "conn_type": "sfpt"}))
    for opened in (hooks.files, connections.files):
        for name in ("supplier", "other"):
            with session(partial(opened, name), name, 5) as at_work:
                assert at_work.look(PATH).size_bytes == SIZE
        with pytest.raises(BadSpec, match=r"wrong: connection type 'sfpt' .*did you mean 'sftp'"):
            opened("wrong")
