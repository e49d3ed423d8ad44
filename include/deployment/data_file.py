"""`data.tar` of a copy: the data folder as it lies on a disk, wherever it lies.

So what was in an object store may be restored to a disk, and the other way round.
"""

import contextlib
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from daybook.storage.copied import copy_folder
from daybook.storage.folder import Folder


def write(data: Folder, file: Path) -> None:
    """Write all that is in a data folder into a new file. Beside it there is room for as much again, for a store."""
    with _on_this_disk(data, file.parent) as source, tarfile.open(file, "w") as tar:
        _copy_files(source, tar)


def read(file: Path, data: Folder) -> None:
    """Put all that is in such a file into an empty data folder."""
    if isinstance(data.path, Path):
        data.path.mkdir(parents=True, exist_ok=True)
        _take_out(file, data.path)
        return
    with TemporaryDirectory(prefix="daybook-") as place:
        _take_out(file, Path(place))
        copy_folder(Folder(place), data)


@contextmanager
def _on_this_disk(data: Folder, beside: Path) -> Iterator[Path]:
    """Return a data folder on this machine's disk: a copy, until the block ends, if it is in an object store."""
    if isinstance(data.path, Path):
        yield data.path
        return
    with TemporaryDirectory(dir=beside, prefix="data-") as place:
        copy_folder(data, Folder(place))
        yield Path(place)


def _take_out(file: Path, target: Path) -> None:
    with tarfile.open(file) as tar:
        # Python 3.11 has the filter from 3.11.4 on (its manual, tarfile, "Hints for further verification").
        tar.extraction_filter = getattr(tarfile, "data_filter", None)
        tar.extractall(target)  # noqa: S202 - our own copy


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
