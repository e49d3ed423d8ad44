"""A copy of all data that cannot be fetched again, and a new home made from it: `./daybook backup` and `restore`.

`warehouse.dump` holds the published rows and the ledger, `airflow.dump` the runs, their forms and their users,
`data.tar` the data folder: raw bytes, the steps' outputs, and the published files. It holds no secret.
"""

import contextlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import psycopg

from deployment.errors import DeploymentError
from deployment.home import Home, hide_from_git
from deployment.running import database, libpq_variables
from deployment.servers.postgres import LocalPostgres

DATABASES = ("warehouse", "airflow")


def back_up(home: Home, data: str, folder: Path) -> None:
    """Copy the databases of a home, and its data folder, into a new folder, whole or not at all.

    data: the data folder's URL. Raises DeploymentError if the folder exists, or a program of PostgreSQL fails.
    """
    source = _on_disk(data)
    new = folder.with_name(f"{folder.name}.writing")
    for one in (folder, new):
        if one.exists():
            raise DeploymentError(f"{one} is there already; nothing was copied. Name a new folder, or remove this one.")
    new.mkdir(mode=0o700, parents=True)
    hide_from_git(new)
    try:
        _copy(home, source, new)
    except BaseException:
        shutil.rmtree(new)
        raise
    new.rename(folder)


def _copy(home: Home, source: Path, new: Path) -> None:
    with database(home, "./daybook backup") as postgres:
        # The databases first. Then a day that is published meanwhile has files that the copied ledger does not know,
        # which a restore sets aside. The other way round, the ledger would name files that are not in the copy.
        for name in DATABASES:
            _run(postgres, name, "pg_dump", "--format=custom", f"--file={new / f'{name}.dump'}")
    with tarfile.open(new / "data.tar", "w") as tar:
        _copy_files(source, tar)


def restore(home: Home, data: str, folder: Path) -> None:
    """Make the databases of a home that never ran, and its data folder, from a copy.

    Raises DeploymentError, and changes nothing, if they are not empty.
    """
    target = _on_disk(data)
    if target.exists() and any(target.iterdir()):
        raise DeploymentError(f"{target} is not empty; nothing was restored. Name a new folder in DAYBOOK_DATA.")
    missing = [name for name in (*map("{}.dump".format, DATABASES), "data.tar") if not (folder / name).exists()]
    if missing:
        raise DeploymentError(f"{folder} is no copy of Daybook: {', '.join(missing)} not there; nothing was restored.")
    with database(home, "./daybook restore") as postgres:
        for name in DATABASES:
            _check_is_empty(postgres, name)
        for name in DATABASES:
            how = ("--exit-on-error", "--single-transaction", f"--dbname={name}")
            _run(postgres, name, "pg_restore", *how, str(folder / f"{name}.dump"))
    target.mkdir(parents=True, exist_ok=True)
    with tarfile.open(folder / "data.tar") as tar:
        # Python 3.11 has the filter from 3.11.4 on (its manual, tarfile, "Hints for further verification").
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        tar.extractall(target)  # noqa: S202 - our own copy


def _on_disk(data: str) -> Path:
    if not data.startswith("file://"):
        raise DeploymentError(
            f"{data} is no folder of this machine; nothing was done. Copy it by its store's own tools."
        )
    return Path(data.removeprefix("file://"))


def _copy_files(source: Path, tar: tarfile.TarFile) -> None:
    """Copy a folder that others may be writing to: half-written files are left out, and so is what goes meanwhile."""
    copied: dict[tuple[int, ...], str] = {}
    for place, folders, files in os.walk(source):
        # os.walk lists a link to a folder among the folders, and does not follow it.
        for path in (Path(place, name) for name in sorted([*folders, *files]) if not _is_half_written(name)):
            with contextlib.suppress(FileNotFoundError):
                _copy_file(path, str(path.relative_to(source)), tar, copied)


def _copy_file(path: Path, name: str, tar: tarfile.TarFile, copied: dict[tuple[int, ...], str]) -> None:
    if path.is_symlink() or not path.is_file():
        tar.addfile(tar.gettarinfo(path, arcname=name))
        return
    # Opened first: whoever puts another file in its place does not change this one.
    with path.open("rb") as file:
        found = os.fstat(file.fileno())
        member = tar.gettarinfo(arcname=name, fileobj=file)
        # A file under several names is copied once. Its number alone may be another file's by now.
        first = copied.setdefault((found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns), name)
        is_again = first != name
        member.type, member.linkname = (tarfile.LNKTYPE, first) if is_again else (tarfile.REGTYPE, "")
        member.size = 0 if is_again else found.st_size
        tar.addfile(member, None if is_again else file)


def _is_half_written(name: str) -> bool:
    return name.startswith(".") and name.endswith((".tmp", ".part"))


def _check_is_empty(postgres: LocalPostgres, name: str) -> None:
    query = "select count(*) from pg_tables where schemaname not in ('pg_catalog', 'information_schema')"
    with psycopg.connect(postgres.dsn(name)) as connection:
        row = connection.execute(query).fetchone()
    if row != (0,):
        raise DeploymentError(
            f"{postgres.home.path} has a database {name} with tables; nothing was restored. Name a new DAYBOOK_HOME."
        )


def _run(postgres: LocalPostgres, name: str, program: str, *arguments: str) -> None:
    variables = libpq_variables(postgres.dsn(name))
    command = [str(postgres.program(program)), *arguments]
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        raise DeploymentError(f"PostgreSQL's {program} failed for {name}: {done.stderr.strip()}")
