"""A folder of this machine: the same looks and copies as of a server, and no way out of it."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from commands import connections
from daybook.errors import BadSpec, NotYet, SourceUnavailable
from daybook.ftp.copy import fetch
from daybook.ftp.ready import Due, check_ready
from daybook.ftp.session import session
from daybook.storage.folder import Folder
from daybook.storage.partial_file import PartialFile
from daybook.transports.local_folder import LocalFolder, LocalLine
from daybook_airflow import hooks

from .conftest import CONTENT, EARLY, PATH, QUICK, SIZE, WHOLE, file

OVER_FOLDER = pytest.mark.parametrize("opener", ["folder"], indirect=True)


def test_a_file_comes_whole_and_over_no_network(root: Path, tmp_path: Path) -> None:
    part = PartialFile(tmp_path, "flights.csv")
    fetched = fetch(lambda: LocalFolder(path=str(root)).open(1), file(), PATH, part, QUICK)
    assert (part.read(0, SIZE), fetched.remote.size_bytes, fetched.is_encrypted) == (CONTENT, SIZE, None)
    part.close()


def test_a_file_that_is_replaced_while_it_is_copied_is_not_taken(root: Path, tmp_path: Path) -> None:
    class Replaced(LocalLine):
        def retrieve(self, path: str, start: int, take: Callable[[bytes], None]) -> None:
            super().retrieve(path, start, take)
            (root / "new.csv").write_bytes(CONTENT[::-1])
            (root / "new.csv").replace(root / path)

    part = PartialFile(tmp_path, "flights.csv")
    with pytest.raises(SourceUnavailable, match="the file changed while it was copied"):
        fetch(lambda: Replaced(root), file(), PATH, part, QUICK)
    part.close()


@pytest.mark.parametrize("path", ["../x.csv", "/etc/passwd", "in/../../x.csv"])
def test_no_path_leads_out_of_the_folder(root: Path, path: str) -> None:
    refused = pytest.raises(BadSpec, match=r"here: .* the path leads out of the folder")
    with session(lambda: LocalFolder(path=str(root)).open(1), "here", 1) as opened, refused:
        opened.look(path)


def test_a_folder_that_is_not_there_may_be_mounted_later(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable, match=r"no such folder on this machine.*mount it"):
        LocalFolder(path=str(tmp_path / "none")).open(1)


@OVER_FOLDER
def test_a_name_in_other_letters_or_another_encoding_is_named(due: Due, folder: Folder, root: Path) -> None:
    (root / PATH).rename(root / PATH.upper())
    (root / os.fsdecode("Umsätze.csv".encode("latin-1"))).touch()
    for path, beside in (("flights_{day}.csv", PATH.upper()), ("Umsätze.csv", r"Ums\\xe4tze.csv")):
        with pytest.raises(NotYet, match=f"'{beside}' lies beside it"):
            check_ready(due._replace(files=(file(path=path, **WHOLE),)), folder, EARLY, QUICK)


def test_the_folder_is_a_connection_for_tasks_and_for_commands(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_HERE", json.dumps({"conn_type": "fs", "extra": {"path": str(root)}}))
    monkeypatch.setenv("AIRFLOW_CONN_ADDRESS", f"file://{root}")
    for opened in (hooks.files, connections.files):
        for name in ("here", "address"):
            assert opened(name).session(name, 1).look(PATH).size_bytes == SIZE  # type: ignore[union-attr]
