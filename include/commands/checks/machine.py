"""This machine: room on the disks, and the rights of the folders that hold secrets, rows and published files."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from commands.checks.finding import Finding
from commands.checks.place import Place
from deployment.secret_values import FILE
from deployment.servers.programs import folder_of

GIB = 2**30
LEAST_BYTES = GIB
LEAST_INODES = 10_000


def machine(place: Place) -> Iterator[Finding]:
    """Look at the folders that are on this machine; of an object store, at where its files lie while they are used."""
    is_on_disk = isinstance(place.data.root.path, Path)
    folders = [Path(place.data.root.path) if is_on_disk else Path(tempfile.gettempdir())]
    if place.home:
        folders += [place.home.path, folder_of(place.home)]
    yield from (_room(folder) for folder in folders)
    if is_on_disk:
        yield _writable(place.data.root.path)
    yield from _private(place)


def _room(folder: Path) -> Finding:
    disk = next(one for one in (folder, *folder.parents) if one.exists())
    free, inodes = shutil.disk_usage(disk).free, os.statvfs(disk)
    # Some file systems do not count inodes, and report 0 of 0.
    is_short = inodes.f_files > 0 and inodes.f_favail < LEAST_INODES
    if free < LEAST_BYTES or is_short:
        found = f"{folder}: {free / GIB:.1f} GiB and {inodes.f_favail:,} inodes are free"
        return Finding("disk", "mend", found, "make room: a day that does not fit is not published")
    return Finding("disk", "well", f"{folder}: {free / GIB:.1f} GiB are free")


def _writable(data: Path) -> Finding:
    place = next(one for one in (data, *data.parents) if one.exists())
    if os.access(place, os.W_OK | os.X_OK):
        return Finding("rights", "well", f"{data} can be written to")
    return Finding("rights", "mend", f"{place} cannot be written to", "give the tasks' user the right to write there")


def _private(place: Place) -> Iterator[Finding]:
    own = [place.home.path, place.home.path / FILE, place.home.shell_file] if place.home else []
    runs = {Path(step.path).parent for _, _, step in place.data.steps_done() if isinstance(step.path, Path)}
    found = [path for path in (*own, *sorted(runs)) if path.exists() and _is_open(path)]
    for path in found:
        yield Finding("rights", "mend", f"others may look into {path}", f"`chmod go= {path}`")
    if not found:
        yield Finding("rights", "well", "secrets and rows are for their owner only")


def _is_open(path: Path) -> bool:
    return bool(stat.S_IMODE(path.stat().st_mode) & 0o077)
