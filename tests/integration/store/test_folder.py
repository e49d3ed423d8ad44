"""What holds for a folder holds on a disk and in an object store."""

import hashlib
import multiprocessing
import os
import signal
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import repeat
from pathlib import Path

import pytest

from daybook.errors import BadData, BadSpec, BrokenChain, SourceUnavailable
from daybook.storage import store_folder
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder
from daybook.transports import s3_store
from daybook.transports.data_place import data_at
from tests.support.object_store import ObjectStore, Refusal

from .conftest import ADDRESS


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


def test_a_link_that_another_run_has_moved_meanwhile_stays_as_it_is(in_store: DataFolder) -> None:
    folder = in_store.root / "published"
    folder.point("day", ".runs/1", folder.mark("day"))
    stopped = folder.mark("day")
    folder.point("day", ".runs/2", folder.mark("day"))
    # Back to where it was: also then it is another state of it.
    folder.point("day", ".runs/1", folder.mark("day"))
    with pytest.raises(SourceUnavailable, match="published/day: another run has pointed it elsewhere meanwhile"):
        folder.point("day", ".runs/0", stopped)
    assert folder.pointed_to("day") == ".runs/1"


def test_a_link_whose_answer_was_lost_is_moved_once(in_store: DataFolder, store: ObjectStore) -> None:
    in_store.root.point("day", ".runs/1", "")
    seen = in_store.root.mark("day")
    store.lost_answers = 1
    in_store.root.point("day", ".runs/2", seen)
    assert [one for one in store.asked if one.startswith("PUT")] == ["PUT in/here/day.json"] * 3
    assert in_store.root.pointed_to("day") == ".runs/2"


def test_of_writers_at_once_one_wins_and_all_read_it(in_store: DataFolder) -> None:
    def written_first(content: bytes) -> bytes | None:
        in_store.root.write_first("days.json", content)
        return in_store.root.content("days.json")

    texts = [str(number).encode() for number in range(8)]
    with ThreadPoolExecutor(len(texts)) as threads:
        read = set(threads.map(written_first, texts))
    assert len(read) == 1
    assert read < set(texts)


def test_a_writer_that_is_killed_in_the_middle_leaves_parts_that_nobody_sees_and_that_tidying_gives_up(
    in_store: DataFolder, store: ObjectStore, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_folder, "DEAD_AFTER_S", float("inf"))
    folder = in_store.root / "load"
    writer = multiprocessing.get_context("spawn").Process(target=write, args=(folder, "rows", b"0" * 20 * 2**20))

    def kill(asked: str) -> None:
        if store.asked.count("PUT in/here/load/rows") == 2:
            os.kill(writer.pid or 0, signal.SIGKILL)

    store.arrives = kill
    writer.start()
    writer.join()
    store.arrives = lambda asked: None
    assert (writer.exitcode, folder.names()) == (-signal.SIGKILL, [])
    assert list(in_store.root.left_over()) == []
    monkeypatch.setattr(store_folder, "DEAD_AFTER_S", 0)
    [(place, name)] = in_store.root.left_over()
    assert (place.path, name) == (folder.path, "rows")
    write(folder, "rows", b"whole")
    place.give_up(name)
    assert (list(in_store.root.left_over()), folder.content("rows"), list(scratch.iterdir())) == ([], b"whole", [])


def test_a_store_that_is_busy_is_asked_again_and_one_that_stays_so_is_told(
    store: ObjectStore,
) -> None:
    busy = Refusal("503 Slow Down", "SlowDown")
    in_store = data_at(ADDRESS, {"files": store.words}.__getitem__, is_for_now=True)
    store.refusals = iter([busy])
    write(in_store.root, "rows", b"rows")
    store.refusals = repeat(busy)
    told = r"s3://files@daybook/in/here/rows(.json)?: the object store has no room now"
    folder = in_store.root
    for ask in (folder.content, folder.has, folder.mark, partial(write, folder, content=b"")):
        with pytest.raises(SourceUnavailable, match=told):
            ask("rows")


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidAccessKeyId", "NoSuchBucket"])
def test_a_store_that_refuses_us_is_told_with_the_rights_that_are_needed(
    in_store: DataFolder, store: ObjectStore, code: str
) -> None:
    store.refusals = repeat(Refusal("403 Forbidden", code))
    with pytest.raises(BadSpec, match="s3://files@daybook/in/here/rows: ") as raised:
        write(in_store.root, "rows", b"")
    assert code != "AccessDenied" or "s3:AbortMultipartUpload on the folder" in str(raised.value)
