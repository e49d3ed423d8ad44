"""What holds for a folder holds on a disk and in an object store."""

import hashlib
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from daybook.errors import BadData, BrokenChain
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder
from daybook.transports import s3_store
from tests.support.object_store import ObjectStore


@pytest.fixture(params=["disk", "store"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Folder:
    """A folder without files."""
    top: DataFolder = request.getfixturevalue("in_store") if request.param == "store" else DataFolder(tmp_path)
    return top.root / "days"


@pytest.fixture(autouse=True)
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files are kept on the way to a store and from there."""
    (scratch := tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    return scratch


def write(folder: Folder, name: str, content: bytes) -> str:
    """Write a file, and return the hash of its bytes."""
    with folder.new_file(name) as file:
        file.write(content)
    return hashlib.sha256(content).hexdigest()


def test_a_file_takes_its_name_when_its_block_ends_and_leaves_nothing_if_it_raises(
    folder: Folder, scratch: Path
) -> None:
    with folder.new_file("new") as file:
        file.write(b"half")
        assert not folder.has("new")
    with suppress(ZeroDivisionError), folder.new_file("other") as file:
        file.write(b"half")
        raise ZeroDivisionError
    assert (folder.names(), folder.content("new"), list(scratch.iterdir())) == (["new"], b"half", [])


def test_the_first_of_two_writers_of_a_file_wins(folder: Folder) -> None:
    for content in (b"first", b"second"):
        folder.write_first("kept", content)
    assert folder.content("kept") == b"first"


def test_a_file_is_opened_if_it_is_the_one_that_was_written(folder: Folder) -> None:
    sha256 = write(folder, "rows", b"0123456789" * 1_000_000)
    with folder.open_unchanged("rows", sha256) as file:
        file.seek(-3, 2)
        assert (file.read(), file.seekable()) == (b"789", True)
    assert folder.written("rows") == (10_000_000, sha256)
    write(folder, "rows", b"damaged")
    assert folder.fault("rows", sha256) == "changed"
    with pytest.raises(BrokenChain, match=f"days/rows: sha256 {sha256[:12]}… expected, .* found: the file was changed"):
        folder.open_unchanged("rows", sha256)
    folder.remove_file("rows")
    folder.remove_file("rows")
    assert (folder.fault("rows", sha256), folder.content("rows")) == ("gone", None)
    with pytest.raises(BrokenChain, match="days/rows: the file is gone"):
        folder.open_unchanged("rows", sha256)


def test_a_file_of_another_folder_is_taken_whole(folder: Folder) -> None:
    write(folder / "one", "rows", b"rows")
    (folder / "two").make_private()
    (folder / "two").take("rows", folder / "one")
    (folder / "two").take("rows", folder / "two")
    assert ((folder / "one").content("rows"), (folder / "two").content("rows")) == (b"rows", b"rows")


def test_a_name_points_to_one_folder_or_another_or_none(folder: Folder) -> None:
    write(folder / ".runs", "rows", b"rows")
    assert (folder.pointers(), folder.pointed_to("day")) == ([], "")
    for target in (".runs/1", ".runs/2"):
        folder.point("day", target)
        assert (folder.pointers(), folder.pointed_to("day")) == (["day"], target)
    folder.remove_pointer("day")
    folder.remove_pointer("day")
    assert (folder.pointers(), folder.pointed_to("day"), folder.names()) == ([], "", [".runs"])


def test_a_folder_is_there_as_long_as_a_file_is_in_it(folder: Folder) -> None:
    assert (folder.exists(), folder.names(), folder.days_since_written()) == (False, [], 0)
    write(folder / "a" / "b", "rows", b"rows")
    write(folder, "a.rows", b"rows")
    assert (folder.names(), folder.has_folder("a"), folder.has_folder("a.rows")) == (["a", "a.rows"], True, False)
    assert 0 <= folder.days_since_written() < 1
    folder.remove_left_over()
    (folder / "a").remove()
    assert (folder.names(), (folder / "a").exists(), (folder / "a").names()) == (["a.rows"], False, [])


def test_a_file_that_is_copied_from_a_server_takes_its_name_at_the_end_and_bad_data_leaves_nothing(
    folder: Folder, scratch: Path
) -> None:
    with suppress(BadData), folder.partial_file("sales.csv") as part:
        part.open("version 1")
        part.write(b"bad")
        raise BadData("it is bad")
    with folder.partial_file("sales.csv") as part:
        part.open("version 2")
        part.write(b"good")
        assert (part.size_bytes, folder.has("sales.csv")) == (4, False)
    assert (folder.names(), folder.content("sales.csv")) == (["sales.csv"], b"good")
    assert list(scratch.rglob("*.part")) == []


def test_a_large_file_goes_and_comes_back_in_parts_also_if_the_line_breaks(
    in_store: DataFolder, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_store, "PART_BYTES", 6 * 2**20)
    content = bytes(range(256)) * 2**16
    sha256 = write(in_store.root, "large", content)
    assert [one for one in store.asked if "PUT" in one] == ["PUT in/here/large"] * 3
    store.cuts = iter([1, 5_000_000])
    with in_store.root.open_unchanged("large", sha256) as file:
        assert file.read() == content
    assert [one.partition("bytes=")[2] for one in store.asked if "GET" in one] == ["", "1-", "5000001-"]
