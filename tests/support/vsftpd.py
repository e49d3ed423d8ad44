"""vsftpd, which by default demands that data connections use the TLS session of the control connection again.

It is taken from the machine, or else unpacked from Debian's package, without root and without being installed.
"""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGES = ("vsftpd", "libwrap0")
SECONDS = 10

CONFIGURATION = """
listen=YES
listen_address=127.0.0.1
listen_port={port}
background=NO
run_as_launching_user=YES
ftp_username={user}
nopriv_user={user}
guest_username={user}
anonymous_enable=YES
local_enable=NO
anon_root={root}
allow_writeable_chroot=YES
secure_chroot_dir={empty}
seccomp_sandbox=NO
xferlog_enable=NO
ssl_enable=YES
allow_anon_ssl=YES
force_anon_data_ssl=YES
force_anon_logins_ssl=YES
require_ssl_reuse=YES
ssl_ciphers=HIGH
rsa_cert_file={certificate}
"""


def find(folder: Path) -> list[str] | None:
    """Return the command that starts vsftpd, or None if it is neither installed nor to be had."""
    if installed := shutil.which("vsftpd", path=f"{os.environ['PATH']}:/usr/sbin"):
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
    return ["env", f"LD_LIBRARY_PATH={':'.join(libraries)}", str(folder / "unpacked/usr/sbin/vsftpd")]


@contextmanager
def running(command: list[str], folder: Path, root: Path, certificate: Path) -> Iterator[int]:
    """Run vsftpd for the length of the block; give its port. Anyone may log in as `anonymous`."""
    (folder / "empty").mkdir()
    port = _free_port()
    user = pwd.getpwuid(os.getuid()).pw_name
    settings = folder / "vsftpd.conf"
    settings.write_text(
        CONFIGURATION.format(port=port, user=user, root=root, empty=folder / "empty", certificate=certificate)
    )
    process = subprocess.Popen([*command, settings])
    try:
        _wait(port, process)
        yield port
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, "vsftpd ended"
        assert time.monotonic() < until, "vsftpd does not answer"
        time.sleep(0.05)
