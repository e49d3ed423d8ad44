"""A file that changes under the copy (N3), and a copy that goes on in another process (F7, K1, D1, D3)."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from daybook.errors import BadSpec, SourceUnavailable
from daybook.ftp.replies import NotThere
from daybook.storage.partial_file import PartialFile
from deployment.home import REPOSITORY
from tests.support.faulty_ftp import PASSWORD, USER, Cut, FaultyFtp, hangs_up, is_mute_at_the_end, says_226, says_426

from .conftest import CONTENT, PATH, QUICK, SIZE, Copying, file

OTHER = CONTENT[::-1]
Change = Callable[[Path], Any]


def during_the_transfer(change: Change) -> Callable[[FaultyFtp], None]:
    """Have the file change while it is sent."""

    def set_up(server: FaultyFtp) -> None:
        server.cuts = iter([Cut(300_000, lambda data: change(server.root / PATH))])

    return set_up


def between_size_and_retr(change: Change) -> Callable[[FaultyFtp], None]:
    """Have the file change after it was looked at, and before it is sent."""

    def set_up(server: FaultyFtp) -> None:
        server.answers["RETR"] = iter([lambda control: change(server.root / PATH)])

    return set_up


def between_two_tries(change: Change) -> Callable[[FaultyFtp], None]:
    """Have the file change after its transfer broke."""

    def set_up(server: FaultyFtp) -> None:
        server.cuts = iter([Cut(300_000, says_426)])
        server.answers["USER"] = iter([None, lambda control: change(server.root / PATH)])

    return set_up


def it_grows(path: Path) -> None:
    """Bytes are appended."""
    with path.open("ab") as file:
        file.write(b"more")


def it_is_replaced(path: Path) -> None:
    """Another file of the same size and time takes its name."""
    new, status = path.with_suffix(".new"), path.stat()
    new.write_bytes(OTHER)
    os.utime(new, (status.st_atime, status.st_mtime))
    new.rename(path)


def it_is_replaced_later(path: Path) -> None:
    """Another file of the same size takes its name; its time is another."""
    it_is_replaced(path)
    os.utime(path, (0, 0))


@pytest.mark.parametrize("change", [it_grows, it_is_replaced, it_is_replaced_later])
@pytest.mark.parametrize("when", [during_the_transfer, between_size_and_retr])
def test_C53_N3_a_file_that_changes_is_not_taken(copy: Copying, server: FaultyFtp, when: Any, change: Change) -> None:
    when(change)(server)
    with pytest.raises(SourceUnavailable, match=r"the file changed while it was copied.*thrown away"):
        copy()
    assert copy.copied is None
    copy()
    assert copy.copied == (server.root / PATH).read_bytes()


@pytest.mark.parametrize("change", [it_grows, it_is_replaced_later])
def test_N3_a_file_that_changes_between_two_tries(copy: Copying, server: FaultyFtp, change: Change) -> None:
    between_two_tries(change)(server)
    with pytest.raises(SourceUnavailable, match="the file changed while it was copied"):
        copy()
    copy()
    assert copy.copied == (server.root / PATH).read_bytes()


def test_N3_a_file_of_the_same_size_and_time_between_two_tries(copy: Copying, server: FaultyFtp) -> None:
    between_two_tries(it_is_replaced)(server)
    copy()
    assert copy.copied == OTHER


def test_N3_a_file_that_is_deleted_after_it_was_seen(copy: Copying, server: FaultyFtp) -> None:
    between_size_and_retr(lambda path: path.unlink())(server)
    with pytest.raises(NotThere, match="the file was there and is gone"):
        copy()


def test_N3_a_file_that_is_deleted_while_it_is_sent(copy: Copying, server: FaultyFtp) -> None:
    during_the_transfer(lambda path: path.unlink())(server)
    with pytest.raises(NotThere):
        copy()
    assert copy.copied is None


ONCE = replace(QUICK, tries=1)


def test_the_task_s_retry_goes_on_from_the_part(copy: Copying, server: FaultyFtp) -> None:
    server.cuts = iter([Cut(300_000, says_426)])
    with pytest.raises(
        SourceUnavailable,
        match=r"given up after 1 tries .*; 327,680 of 1,000,000 bytes are here and kept; the next try",
    ):
        copy(patience=ONCE)
    assert [part.stat().st_mode & 0o777 for part in copy.parts] == [0o600]
    copy()
    assert (copy.copied, copy.parts) == (CONTENT, [])
    assert "REST 262144" in server.commands


def test_the_part_of_another_delivery_is_thrown_away(copy: Copying, server: FaultyFtp) -> None:
    server.cuts = iter([Cut(300_000, says_426)])
    with pytest.raises(SourceUnavailable):
        copy(patience=ONCE)
    (server.root / PATH).write_bytes(OTHER + b"!")
    copy()
    assert (copy.copied, copy.parts) == (OTHER + b"!", [])
    assert server.count("REST") == 0


def test_D3_a_part_with_a_wrong_byte_at_its_end_is_copied_again(copy: Copying, server: FaultyFtp) -> None:
    server.cuts = iter([Cut(300_000, says_426)])
    with pytest.raises(SourceUnavailable):
        copy(patience=ONCE)
    part = bytearray(copy.parts[0].read_bytes())
    part[-1000] ^= 1
    copy.parts[0].write_bytes(part)
    copy()
    assert copy.copied == CONTENT


@pytest.mark.parametrize("how", [says_426, says_226, hangs_up])
def test_D3_a_whole_part_is_not_believed_before_its_end_was_compared(
    copy: Copying, server: FaultyFtp, how: Callable[[Any], None]
) -> None:
    server.cuts = iter([Cut(900_000, is_mute_at_the_end), Cut(0, how)])
    with pytest.raises(SourceUnavailable, match="1,000,000 of 1,000,000 bytes are here"):
        copy(patience=ONCE)
    part = bytearray(copy.parts[0].read_bytes())
    part[-1] ^= 1
    copy.parts[0].write_bytes(part)
    copy()
    assert copy.copied == CONTENT


def test_K8_a_part_that_a_stopped_process_holds_is_left_alone(copy: Copying, tmp_path: Path) -> None:
    zombie, successor = PartialFile(tmp_path, "flights.csv"), PartialFile(tmp_path, "flights.csv")
    zombie.open(f"{SIZE} then")
    zombie.write(b"old")
    # Both are of this process, whose number is in the name; of another they would have two names.
    zombie.path = zombie.path.rename(tmp_path / f".flights.csv.{zombie.path.name.split('.')[3]}.1.part")
    successor.open(f"{SIZE} then")
    successor.write(b"new")
    zombie.write(b" and old")
    assert successor.read(0, 100) == b"new"
    assert zombie.path != successor.path


KILLED = """
import sys
from pathlib import Path
from upath import UPath
from tests.integration.ftp.conftest import Copying, file, PATH
from daybook.storage.folder import Folder
from daybook.ftp.copy import fetch
from daybook.ftp.retry import Patience
from daybook.ftp.connect import FtpServer

ftp = FtpServer(host="127.0.0.1", port=int(sys.argv[2]), user=sys.argv[3], password=sys.argv[4], insecure=True)
with Folder(UPath("file://" + sys.argv[1])).partial_file("flights.csv") as part:
    fetch(ftp.open, file(), PATH, part, Patience())
"""


def test_K1_killed_in_the_middle_of_a_transfer(copy: Copying, server: FaultyFtp) -> None:
    server.cuts = iter([Cut(300_000, lambda data: setattr(data, "is_stalled", True))])
    command = [sys.executable, "-c", KILLED, str(copy.folder), str(server.port), USER, PASSWORD]
    path = os.pathsep.join([str(REPOSITORY), str(REPOSITORY / "include")])
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path})
    until = time.monotonic() + 30
    while not (copy.parts and copy.parts[0].stat().st_size == 327_680):
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    copy()
    assert (copy.copied, copy.parts) == (CONTENT, [])
    assert "REST 262144" in server.commands


def test_D1_too_little_room_is_seen_before_a_byte_is_read(copy: Copying, server: FaultyFtp) -> None:
    with (server.root / PATH).open("r+b") as large:
        large.truncate(10**13)
    with pytest.raises(SourceUnavailable, match=r"free, and 30,000,000,000,000 are needed"):
        copy(file(size_limit_bytes=10**14))
    assert server.count("RETR") == 0


@pytest.mark.skipif(os.getuid() != 0, reason="only root may mount")
def test_D1_a_disk_that_fills_up_meanwhile(copy: Copying, server: FaultyFtp) -> None:
    copy.folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(copy.folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        # Without a size the room cannot be checked before.
        server.answers |= {name: repeat("502 no") for name in ("SIZE", "MDTM", "FEAT", "LIST")}
        with pytest.raises(SourceUnavailable, match=r"refuses to write here .No space left on device.*make room"):
            copy()
        assert (copy.copied, [part.stat().st_size for part in copy.parts]) == (None, [0])
    finally:
        subprocess.run(["umount", str(copy.folder)], check=True)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write anywhere")
def test_D2_a_folder_that_may_not_be_written(copy: Copying) -> None:
    copy.folder.mkdir(mode=0o500)
    with pytest.raises(BadSpec, match="the right to write"):
        copy()


def test_D2_a_folder_whose_parent_is_a_file(copy: Copying) -> None:
    copy.folder.write_bytes(b"")
    copy.folder /= "extract_files"
    with pytest.raises(BadSpec, match=r"refuses to write here \(Not a directory\)"):
        copy()
