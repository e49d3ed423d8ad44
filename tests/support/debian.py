"""A server of Debian's packages: the machine's, or else unpacked, without root and without being installed."""

import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

SECONDS = 10


def find(program: str, packages: tuple[str, ...], folder: Path) -> list[str] | None:
    """Return the command that starts a server, or None if it is neither installed nor to be had.

    packages: its own and those of its libraries. folder: for what is unpacked.
    """
    if installed := shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin"):
        return [installed]
    try:
        done = subprocess.run(["apt-get", "download", *packages], cwd=folder, capture_output=True, check=False)
    except FileNotFoundError:
        return None
    if done.returncode:
        return None
    for package in folder.glob("*.deb"):
        subprocess.run(["dpkg", "-x", package, folder / "unpacked"], check=True)
    libraries = [str(path) for path in (folder / "unpacked").glob("**/lib/*-linux-gnu")]
    (unpacked,) = (folder / "unpacked" / "usr").glob(f"*bin/{program}")
    return ["env", f"LD_LIBRARY_PATH={':'.join(libraries)}", str(unpacked)]


def wait(program: str, port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until a server that was started takes connections on its port."""
    until = time.monotonic() + SECONDS
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert process.poll() is None, f"{program} ended"
        assert time.monotonic() < until, f"{program} does not answer"
        time.sleep(0.05)
