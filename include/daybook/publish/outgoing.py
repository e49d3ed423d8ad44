"""The files that an export sends: those of a day with their marker, and those of a finished period of a roll-up."""

import hashlib
import posixpath
from datetime import date
from functools import partial
from io import BytesIO
from typing import NamedTuple

from daybook.environment import environment
from daybook.errors import BadSpec
from daybook.ftp.send import Outgoing
from daybook.spec import Export, Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder


class File(NamedTuple):
    """A file to send, with its hash. is_marker: it marks the others as whole, and is the last one."""

    outgoing: Outgoing
    sha256: str
    is_marker: bool = False

    @property
    def path(self) -> str:
        """Return where it goes."""
        return self.outgoing.path

    @property
    def hash(self) -> dict[str, str | int]:
        """Return what the ledger notes of it."""
        return {"sha256": self.sha256, "size_bytes": self.outgoing.size_bytes}


def of_day(data: DataFolder, pipeline: Pipeline, export: Export, day: date, run_id: int) -> list[File]:
    """Return the files of a day's run. Raises BadSpec if one is not in the published folder."""
    folder = data.published_files(pipeline.name, day, run_id)
    files = [_of_folder(folder, file, here(path)) for file, path in export.files_on(day, pipeline.of_days)]
    marker = export.marker_on(day)
    return [*files, _marker(here(marker), files)] if marker else files


def of_period(folder: Folder, export: Export, first: date, roll_up: str) -> list[File]:
    """Return the files of a finished period. folder: where they lie. Raises BadSpec if one is not there."""
    return [_of_folder(folder, file, here(path)) for file, path in export.files_of_period(first, roll_up)]


def here(path: str) -> str:
    """Return a path as it is in this environment: those of production and of another one never meet."""
    above = "/" if path.startswith("/") else ""
    return f"{above}environment_{environment()}/{path.lstrip('/')}" if environment() else path


def _of_folder(folder: Folder, file: str, path: str) -> File:
    if not folder.has(file):
        raise BadSpec(
            f"{path}: the published file {file} is not in {folder.path}; nothing was sent; if files were lost, "
            "./daybook restore writes them again; if its summary is new, run the day again"
        )
    written = folder.written(file)
    return File(Outgoing(path, written.size_bytes, partial(folder.open, file)), written.sha256)


def _marker(path: str, files: list[File]) -> File:
    """Return the marker: what sha256sum writes of the files, with their paths as seen from its folder."""
    above = posixpath.dirname(path) or "."
    lines = (f"{file.sha256}  {posixpath.relpath(file.path, above)}\n" for file in files)
    content = "".join(lines).encode()
    return File(
        Outgoing(path, len(content), partial(BytesIO, content)), hashlib.sha256(content).hexdigest(), is_marker=True
    )
