"""vsftpd, which by default demands that data connections use the TLS session of the control connection again."""

import os
import pwd
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deployment.home import free_port

from . import debian

PACKAGES = ("vsftpd", "libwrap0")

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
implicit_ssl={implicit}
"""


def find(folder: Path) -> list[str] | None:
    """Return the command that starts vsftpd, or None if it is neither installed nor to be had."""
    return debian.find("vsftpd", PACKAGES, folder)


@contextmanager
def running(
    command: list[str], folder: Path, root: Path, certificate: Path, *, is_implicit: bool = False
) -> Iterator[int]:
    """Run vsftpd for the length of the block; give its port. Anyone may log in as `anonymous`.

    is_implicit: TLS begins with the connection, as on port 990.
    """
    (folder / "empty").mkdir()
    port = free_port()
    user = pwd.getpwuid(os.getuid()).pw_name
    settings = folder / "vsftpd.conf"
    words = {"port": port, "user": user, "root": root, "empty": folder / "empty", "certificate": certificate}
    settings.write_text(CONFIGURATION.format(**words, implicit="YES" if is_implicit else "NO"))
    process = subprocess.Popen([*command, settings])
    try:
        debian.wait("vsftpd", port, process)
        yield port
    finally:
        process.terminate()
        process.wait()
