"""What is delivered in more than one piece, or with a checksum: waited for, copied, and held against it (C71, C72)."""

import hashlib
import logging
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from daybook.errors import BadData, NotYet, SourceUnavailable
from daybook.ftp.delivery import Delivery
from daybook.ftp.fetch import Arrived, fetch_delivery
from daybook.ftp.ready import Due, check_ready
from daybook.storage.folder import Folder
from tests.support.faulty_ftp import Cut, FaultyFtp, hangs_up, says_226, says_426, stalls

from .conftest import CONTENT, EARLY, LATE, MINUTE, PATH, QUICK, file

PARTS = {"path": "day_{part}of{parts}.csv", "parts": 3}
LISTED = {"path": None, "manifest": "in/{day}.manifest"}
WHOLE = {"is_written_whole": True}
LARGE = 300_000
SUM = hashlib.sha256(CONTENT).hexdigest()


@dataclass
class Supplier:
    """A supplier's folder on the server, and how the day's work looks at it and copies from it."""

    root: Path
    server: FaultyFtp
    due: Due
    folder: Folder

    def put(self, name: str, content: str | bytes) -> None:
        """Write a file by its name."""
        (self.root / name).parent.mkdir(exist_ok=True)
        (self.root / name).write_bytes(content.encode() if isinstance(content, str) else content)

    def ready(self, now: object = EARLY, **words: Any) -> Delivery:
        """Return what is there, once it counts."""
        due = self.due._replace(files=(file(**words),))
        return check_ready(due, self.folder, now, QUICK)["flights"]  # type: ignore[arg-type]

    def copy(self, delivery: Delivery) -> list[Arrived]:
        """Copy what is there."""
        return fetch_delivery(lambda: self.due.ftp("ftp"), delivery, self.folder, QUICK)

    def copied(self) -> dict[str, bytes]:
        """Return what lies in the step's folder under its name."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.path.glob("[!.]*.csv"))}

    def kept(self) -> list[Path]:
        """Return the copies that are not whole yet."""
        return sorted(self.folder.path.glob(".*.part"))


@pytest.fixture
def supplier(root: Path, server: FaultyFtp, due: Due, folder: Folder) -> Supplier:
    """A supplier who has delivered PATH."""
    return Supplier(root, server, due, folder)


@pytest.fixture
def three(supplier: Supplier) -> Supplier:
    """A supplier who has delivered three parts."""
    for number in (1, 2, 3):
        supplier.put(f"day_{number}of3.csv", f"part {number}")
    return supplier


def sums(root: Path, *names: str) -> str:
    """Return what sha256sum writes of files."""
    return "".join(f"{hashlib.sha256((root / name).read_bytes()).hexdigest()}  {name}\n" for name in names)


# A checksum beside the file.


def test_a_file_is_ready_when_its_checksum_is_there(supplier: Supplier) -> None:
    with pytest.raises(NotYet, match=f"ftp: {PATH} is there, its checksum {PATH}.sha256 is not"):
        supplier.ready(checksum="{path}.sha256")
    supplier.put(f"{PATH}.sha256", "")
    with pytest.raises(NotYet, match="its checksum"):
        supplier.ready(checksum="{path}.sha256")
    supplier.put(f"{PATH}.sha256", f"{SUM}  {PATH}\n")
    (arrived,) = supplier.copy(supplier.ready(checksum="{path}.sha256"))
    assert (arrived.checked_by, arrived.fetched.remarks) == (f"{PATH}.sha256", ())
    assert supplier.copied() == {"flights.csv": CONTENT}


def test_marker_and_checksum_are_waited_for_both(supplier: Supplier) -> None:
    words = {"marker": "{path}.done", "checksum": "{path}.sha256"}
    supplier.put(f"{PATH}.sha256", SUM)
    with pytest.raises(NotYet, match=f"its marker {PATH}.done is not"):
        supplier.ready(**words)
    supplier.put(f"{PATH}.done", "")
    supplier.ready(**words)


def test_a_copy_that_is_not_what_the_checksum_says_is_made_again_once(
    supplier: Supplier, caplog: pytest.LogCaptureFixture
) -> None:
    supplier.put(f"{PATH}.sha256", hashlib.sha256(b"the file before").hexdigest())
    delivery = supplier.ready(checksum="{path}.sha256")
    # RETR comes for the checksum, and then for the file.
    supplier.server.answers["RETR"] = iter([None, lambda _: supplier.put(f"{PATH}.sha256", SUM)])
    with caplog.at_level(logging.WARNING):
        (arrived,) = supplier.copy(delivery)
    assert "copied again" in caplog.text
    assert arrived.fetched.remarks == ("copied twice, as the first copy was not what its checksum says",)
    assert supplier.copied() == {"flights.csv": CONTENT}


def test_C71_a_file_that_is_older_than_its_checksum_is_copied_again(supplier: Supplier) -> None:
    new = CONTENT[::-1]
    supplier.put(f"{PATH}.sha256", hashlib.sha256(new).hexdigest())
    delivery = supplier.ready(checksum="{path}.sha256")
    supplier.server.answers["RETR"] = iter([None, None, lambda _: supplier.put(PATH, new)])
    supplier.copy(delivery)
    assert supplier.copied() == {"flights.csv": new}


def test_C71_a_wrong_checksum_is_refused_after_two_equal_copies(supplier: Supplier) -> None:
    wrong = hashlib.sha256(b"other").hexdigest()
    supplier.put(f"{PATH}.sha256", wrong)
    delivery = supplier.ready(checksum="{path}.sha256")
    says = f"ftp: {PATH}: sha256 {wrong[:12]}… expected by {PATH}.sha256, {SUM[:12]}… found, twice; .*ask the sender"
    with pytest.raises(BadData, match=says):
        supplier.copy(delivery)
    assert (supplier.copied(), supplier.kept()) == ({}, [])
    assert sum(line == f"RETR {PATH}" for line in supplier.server.commands) == 2


def test_C71_two_copies_that_differ_are_tried_again_and_never_taken(supplier: Supplier) -> None:
    supplier.put(f"{PATH}.sha256", hashlib.sha256(b"other").hexdigest())
    delivery = supplier.ready(checksum="{path}.sha256")
    supplier.server.answers["RETR"] = iter([None, None, lambda _: supplier.put(PATH, CONTENT[::-1])])
    with pytest.raises(SourceUnavailable, match="two copies of it differ"):
        supplier.copy(delivery)
    assert supplier.copied() == {}
    assert [part.stat().st_size for part in supplier.kept()] == [0]


def test_a_checksum_of_another_file_is_refused(supplier: Supplier) -> None:
    supplier.put(f"{PATH}.sha256", f"{SUM}  another.csv\n")
    with pytest.raises(BadData, match=f"ftp: {PATH}.sha256: it tells no sha256 of {PATH}"):
        supplier.copy(supplier.ready(checksum="{path}.sha256"))


def test_one_list_of_sums_serves_all_parts(three: Supplier) -> None:
    three.put("SHA256SUMS", sums(three.root, *(f"day_{number}of3.csv" for number in (1, 2, 3))))
    arrived = three.copy(three.ready(**PARTS, checksum="SHA256SUMS"))
    assert [one.checked_by for one in arrived] == ["SHA256SUMS"] * 3


# A declared number of parts.


def test_C71_a_part_that_is_missing_is_waited_for_until_the_cut_off_and_named(three: Supplier) -> None:
    (three.root / "day_2of3.csv").unlink()
    with pytest.raises(NotYet, match=r"ftp: day_\*of3.csv: part 2 of 3 missing \(day_2of3.csv\) \(cut-off 2013-01-06"):
        three.ready(**PARTS, **WHOLE)
    with pytest.raises(
        BadData, match=r"late: ftp: day_\*of3.csv: part 2 of 3 missing \(day_2of3.csv\), and the cut-off"
    ):
        three.ready(LATE, **PARTS, **WHOLE)
    three.put("day_2of3.csv", "part 2")
    three.copy(three.ready(**PARTS, **WHOLE))
    assert three.copied() == {f"flights.{number}.csv": f"part {number}".encode() for number in (1, 2, 3)}


def test_C71_all_parts_that_are_missing_are_in_one_message(three: Supplier) -> None:
    (three.root / "day_1of3.csv").unlink()
    (three.root / "day_3of3.csv").unlink()
    with pytest.raises(NotYet, match=r"parts 1, 3 of 3 missing \(day_1of3.csv, day_3of3.csv\)"):
        three.ready(**PARTS, **WHOLE)


def test_C71_each_part_has_to_stand_still(three: Supplier) -> None:
    with pytest.raises(NotYet, match="parts 1-3 of 3 there and has to stand still for 60 s"):
        three.ready(**PARTS)
    three.put("day_3of3.csv", "part 3 has grown")
    with pytest.raises(NotYet, match=r"part 3 of 3 still changing \(day_3of3.csv\)"):
        three.ready(EARLY + MINUTE, **PARTS)
    three.ready(EARLY + 2 * MINUTE, **PARTS)


def test_each_part_has_its_marker(three: Supplier) -> None:
    for number in (1, 3):
        three.put(f"day_{number}of3.csv.done", "")
    with pytest.raises(NotYet, match=r"part 2 of 3 there, its marker day_2of3.csv.done is not"):
        three.ready(**PARTS, marker="{path}.done")
    three.put("all.done", "")
    three.ready(**PARTS, marker="all.done")


def test_an_empty_part_is_waited_for(three: Supplier) -> None:
    three.put("day_2of3.csv", "")
    with pytest.raises(NotYet, match="part 2 of 3 empty"):
        three.ready(**PARTS, **WHOLE)


def test_C71_more_parts_than_declared_are_refused(three: Supplier) -> None:
    three.put("day_4of3.csv", "part 4")
    with pytest.raises(BadData, match=r"ftp: day_4of3.csv is there, and 3 parts are declared; nothing .*raise `parts`"):
        three.ready(**PARTS, **WHOLE)


def test_parts_may_be_numbered_with_zeros(three: Supplier) -> None:
    for number in (1, 2):
        three.put(f"day.{number:04}.csv", "x")
    delivery = three.ready(path="day.{part:04}.csv", parts=2, **WHOLE)
    assert [part.path for part in delivery.parts] == ["day.0001.csv", "day.0002.csv"]


def test_C70_all_parts_together_have_one_limit(three: Supplier) -> None:
    with pytest.raises(BadData, match=r"ftp: day_\*of3.csv: 18 bytes in all parts, the limit is 17; not copied"):
        three.ready(**PARTS, **WHOLE, size_limit_bytes=17)
    three.ready(**PARTS, **WHOLE, size_limit_bytes=18)


def test_C70_parts_of_unknown_size_are_refused_at_the_limit(three: Supplier) -> None:
    three.server.answers |= {name: repeat("502 no") for name in ("SIZE", "MDTM", "FEAT", "MLST", "MLSD", "LIST")}
    delivery = three.ready(**PARTS, **WHOLE, size_limit_bytes=17)
    with pytest.raises(BadData, match="more than 17 bytes in all parts"):
        three.copy(delivery)
    assert three.copied() == {}


# A manifest.


@pytest.fixture
def listed(supplier: Supplier) -> Supplier:
    """A supplier who has delivered two parts and a manifest that names them, the second one first."""
    supplier.put("in/a.csv", "part a")
    supplier.put("in/b.csv", "part b")
    supplier.put("in/2013-01-05.manifest", "b.csv\na.csv\n")
    return supplier


def test_C71_the_parts_are_those_of_the_manifest_in_its_order(listed: Supplier) -> None:
    listed.put("in/other.csv", "not named")
    delivery = listed.ready(**LISTED, **WHOLE)
    assert [(part.path, part.name, part.number, part.of) for part in delivery.parts] == [
        ("in/b.csv", "b.csv", 1, 2),
        ("in/a.csv", "a.csv", 2, 2),
    ]
    listed.copy(delivery)
    assert listed.copied() == {"flights.1.csv": b"part b", "flights.2.csv": b"part a"}


def test_without_its_manifest_nothing_counts(listed: Supplier) -> None:
    (listed.root / "in/2013-01-05.manifest").unlink()
    with pytest.raises(NotYet, match=r"ftp: in/2013-01-05.manifest is not there"):
        listed.ready(**LISTED, **WHOLE)
    listed.put("in/2013-01-05.manifest", "")
    with pytest.raises(NotYet, match=r"ftp: in/2013-01-05.manifest is empty"):
        listed.ready(**LISTED, **WHOLE)


def test_C71_a_manifest_that_is_being_written_is_not_believed(listed: Supplier) -> None:
    listed.put("in/2013-01-05.manifest", "b.csv\n")
    with pytest.raises(NotYet, match=r"in/2013-01-05.manifest is there and has to stand still"):
        listed.ready(**LISTED)
    listed.put("in/2013-01-05.manifest", "b.csv\na.csv\n")
    with pytest.raises(NotYet, match=r"in/2013-01-05.manifest is still changing"):
        listed.ready(EARLY + MINUTE, **LISTED)
    assert len(listed.ready(EARLY + 2 * MINUTE, **LISTED).parts) == 2


def test_C71_a_part_that_comes_after_its_manifest_has_to_stand_still_too(listed: Supplier) -> None:
    (listed.root / "in/a.csv").unlink()
    with pytest.raises(NotYet):
        listed.ready(**LISTED)
    with pytest.raises(NotYet, match=r"ftp: in/2013-01-05.manifest: part 2 of 2 missing \(a.csv\)"):
        listed.ready(EARLY + MINUTE, **LISTED)
    listed.put("in/a.csv", "part")
    with pytest.raises(NotYet, match=r"part 2 of 2 there and has to stand still"):
        listed.ready(EARLY + 2 * MINUTE, **LISTED)
    listed.put("in/a.csv", "part a")
    with pytest.raises(NotYet, match=r"part 2 of 2 still changing"):
        listed.ready(EARLY + 3 * MINUTE, **LISTED)
    listed.ready(EARLY + 4 * MINUTE, **LISTED)


def test_a_part_of_a_manifest_that_never_comes_is_late(listed: Supplier) -> None:
    (listed.root / "in/a.csv").unlink()
    with pytest.raises(BadData, match=r"late: ftp: in/2013-01-05.manifest: part 2 of 2 missing \(a.csv\), and the cut"):
        listed.ready(LATE, **LISTED, **WHOLE)


def test_C72_a_manifest_that_names_another_folder_is_refused(listed: Supplier) -> None:
    listed.put("in/2013-01-05.manifest", "b.csv\n../../x\n")
    with pytest.raises(BadData, match=r"ftp: in/2013-01-05.manifest, line 2: '../../x' is no name of a file beside it"):
        listed.ready(**LISTED, **WHOLE)
    assert not any("x" in line.split("/") for line in listed.server.commands)


def test_the_sums_of_a_manifest_are_held_against_the_copies(listed: Supplier) -> None:
    folder = listed.root / "in"
    listed.put("in/2013-01-05.manifest", sums(folder, "a.csv", "b.csv"))
    arrived = listed.copy(listed.ready(**LISTED, **WHOLE))
    assert [one.checked_by for one in arrived] == ["in/2013-01-05.manifest"] * 2
    listed.put("in/b.csv", "damaged")
    with pytest.raises(BadData, match=r"ftp: in/b.csv: sha256 .* expected by in/2013-01-05.manifest, .* found, twice"):
        listed.copy(listed.ready(**LISTED, **WHOLE))


def test_a_manifest_and_its_part_delivered_anew_meanwhile_are_tried_again(listed: Supplier) -> None:
    folder = listed.root / "in"
    listed.put("in/2013-01-05.manifest", sums(folder, "a.csv", "b.csv"))
    delivery = listed.ready(**LISTED, **WHOLE)
    listed.put("in/b.csv", "delivered anew")
    listed.put("in/2013-01-05.manifest", sums(folder, "a.csv", "b.csv"))
    with pytest.raises(SourceUnavailable, match=r"in/2013-01-05.manifest changed while the parts were copied"):
        listed.copy(delivery)
    listed.copy(listed.ready(**LISTED, **WHOLE))
    assert listed.copied()["flights.2.csv"] == b"delivered anew"


def test_a_manifest_cut_on_its_way_is_read_again(listed: Supplier) -> None:
    names = [f"{number:05}.csv" for number in range(20_000)]
    listed.put("in/2013-01-05.manifest", "\n".join(names))
    listed.server.cuts = iter([Cut(100_000, says_226)])
    with pytest.raises(BadData, match="it names 20,000 files, at most 500 are taken"):
        listed.ready(**LISTED, **WHOLE)
    listed.server.cuts = repeat(Cut(100_000, says_226))
    with pytest.raises(SourceUnavailable, match=r"says 199999 bytes and sent \d+,\d+; given up after 10 tries"):
        listed.ready(**LISTED, **WHOLE)


def test_what_is_too_long_for_a_manifest_is_refused(listed: Supplier) -> None:
    listed.put("in/2013-01-05.manifest", b"a.csv\n" * 200_000)
    with pytest.raises(BadData, match=r"it is longer than 1,048,576 bytes, too long for a list"):
        listed.ready(**LISTED, **WHOLE)


# Transfer with faults for one part.


@pytest.fixture
def large(supplier: Supplier) -> Supplier:
    """A supplier of three parts of 300 kB."""
    for number in (1, 2, 3):
        supplier.put(f"day_{number}of3.csv", part(number))
    return supplier


def part(number: int) -> bytes:
    """Return the bytes of a large part."""
    return CONTENT[(number - 1) * LARGE : number * LARGE]


LARGE_PARTS = {f"flights.{number}.csv": part(number) for number in (1, 2, 3)}


@pytest.mark.parametrize("how", [says_426, says_226, hangs_up, stalls])
def test_C71_N1_a_part_that_is_cut_is_gone_on_with_and_the_others_are_not_copied_again(
    large: Supplier, how: Callable[[Any], None]
) -> None:
    delivery = large.ready(**PARTS, **WHOLE)
    large.server.cuts = iter([None, Cut(200_000, how)])
    large.copy(delivery)
    assert large.copied() == LARGE_PARTS
    retrieved = [line for line in large.server.commands if line.startswith("RETR")]
    assert retrieved == [f"RETR day_{number}of3.csv" for number in (1, 2, 2, 3)]


def test_C71_N1_a_part_that_cannot_be_had_leaves_no_part_under_its_name_and_the_next_try_goes_on(
    large: Supplier,
) -> None:
    delivery = large.ready(**PARTS, **WHOLE)
    large.server.cuts = iter([None, *[Cut(200_000, stalls)] * 10])
    large.server.answers["REST"] = repeat("502 no")
    with pytest.raises(SourceUnavailable, match=r"ftp: day_2of3.csv.*given up after 10 tries"):
        large.copy(delivery)
    assert large.copied() == {}
    large.server.cuts, large.server.answers = iter([]), {}
    sent_before = len(large.server.commands)
    large.copy(large.ready(**PARTS, **WHOLE))
    assert large.copied() == LARGE_PARTS
    # What was whole is asked for from just before its end on, to be compared.
    assert f"REST {LARGE - 64 * 1024}" in large.server.commands[sent_before:]
    assert large.kept() == []


def test_C71_C53_a_part_that_is_delivered_anew_while_later_ones_are_copied_is_not_taken(large: Supplier) -> None:
    delivery = large.ready(**PARTS, **WHOLE)

    def delivered_anew(_: object) -> None:
        large.put("day_1of3.csv", part(1)[::-1])
        os.utime(large.root / "day_1of3.csv", (1, 1))

    large.server.answers["RETR"] = iter([None, None, delivered_anew])
    with pytest.raises(SourceUnavailable, match=r"ftp: day_1of3.csv changed while the parts were copied"):
        large.copy(delivery)
    assert large.copied() == {}
    large.copy(large.ready(**PARTS, **WHOLE))
    assert large.copied() == LARGE_PARTS | {"flights.1.csv": part(1)[::-1]}


def test_a_part_with_a_wrong_checksum_throws_the_delivery_away(large: Supplier) -> None:
    large.put("SUMS", sums(large.root, *(f"day_{number}of3.csv" for number in (1, 2, 3))))
    large.put("day_2of3.csv", part(2)[::-1])
    with pytest.raises(BadData, match=r"ftp: day_2of3.csv: sha256 .* expected by SUMS"):
        large.copy(large.ready(**PARTS, checksum="SUMS"))
    assert (large.copied(), large.kept()) == ({}, [])


def test_C71_D1_too_little_room_for_all_parts_is_seen_before_a_byte_is_read(three: Supplier) -> None:
    # Each alone would fit, with what is made of it.
    size_bytes = shutil.disk_usage(three.root).free // 6
    for number in (1, 2, 3):
        with (three.root / f"day_{number}of3.csv").open("r+b") as large:
            large.truncate(size_bytes)
    delivery = three.ready(**PARTS, **WHOLE, size_limit_bytes=10**15)
    with pytest.raises(SourceUnavailable, match=rf"ftp: day_\*of3.csv: .* free, and {9 * size_bytes:,} are needed"):
        three.copy(delivery)
    assert three.server.count("RETR") == 0


def test_a_single_file_is_copied_with_as_many_commands_as_ever(supplier: Supplier) -> None:
    supplier.copy(supplier.ready(**WHOLE))
    asked = [line.split(" ")[0] for line in supplier.server.commands]
    assert [asked.count(word) for word in ("USER", "SIZE", "MDTM", "RETR")] == [2, 3, 3, 1]
