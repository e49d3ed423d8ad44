"""What is delivered in more than one piece, or with a checksum: waited for, copied, and held against it (C71, C72)."""

import hashlib
import logging
from itertools import repeat

import pytest

from daybook.errors import BadData, NotYet, SourceUnavailable

from .conftest import CONTENT, EARLY, LATE, MINUTE, OVER_EACH, PARTS, PATH, SUM, WHOLE, Supplier, sums

# A checksum beside the file.


@OVER_EACH
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


@OVER_EACH
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


@OVER_EACH
def test_a_checksum_of_another_file_is_refused(supplier: Supplier) -> None:
    supplier.put(f"{PATH}.sha256", f"{SUM}  another.csv\n")
    with pytest.raises(BadData, match=f"ftp: {PATH}.sha256: it tells no sha256 of {PATH}"):
        supplier.copy(supplier.ready(checksum="{path}.sha256"))


@OVER_EACH
def test_one_list_of_sums_serves_all_parts(three: Supplier) -> None:
    three.put("SHA256SUMS", sums(three.root, *(f"day_{number}of3.csv" for number in (1, 2, 3))))
    arrived = three.copy(three.ready(**PARTS, checksum="SHA256SUMS"))
    assert [one.checked_by for one in arrived] == ["SHA256SUMS"] * 3


# A declared number of parts.


@OVER_EACH
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


@OVER_EACH
def test_C71_all_parts_that_are_missing_are_in_one_message(three: Supplier) -> None:
    (three.root / "day_1of3.csv").unlink()
    (three.root / "day_3of3.csv").unlink()
    with pytest.raises(NotYet, match=r"parts 1, 3 of 3 missing \(day_1of3.csv, day_3of3.csv\)"):
        three.ready(**PARTS, **WHOLE)


@OVER_EACH
def test_C71_each_part_has_to_stand_still(three: Supplier) -> None:
    with pytest.raises(NotYet, match="parts 1-3 of 3 there and has to stand still for 60 s"):
        three.ready(**PARTS)
    three.put("day_3of3.csv", "part 3 has grown")
    with pytest.raises(NotYet, match=r"part 3 of 3 still changing \(day_3of3.csv\)"):
        three.ready(EARLY + MINUTE, **PARTS)
    three.ready(EARLY + 2 * MINUTE, **PARTS)


@OVER_EACH
def test_each_part_has_its_marker(three: Supplier) -> None:
    for number in (1, 3):
        three.put(f"day_{number}of3.csv.done", "")
    with pytest.raises(NotYet, match=r"part 2 of 3 there, its marker day_2of3.csv.done is not"):
        three.ready(**PARTS, marker="{path}.done")
    three.put("all.done", "")
    three.ready(**PARTS, marker="all.done")


@OVER_EACH
def test_an_empty_part_is_waited_for(three: Supplier) -> None:
    three.put("day_2of3.csv", "")
    with pytest.raises(NotYet, match="part 2 of 3 empty"):
        three.ready(**PARTS, **WHOLE)


@OVER_EACH
def test_C71_more_parts_than_declared_are_refused(three: Supplier) -> None:
    three.put("day_4of3.csv", "part 4")
    with pytest.raises(BadData, match=r"ftp: day_4of3.csv is there, and 3 parts are declared; nothing .*raise `parts`"):
        three.ready(**PARTS, **WHOLE)


@OVER_EACH
def test_parts_may_be_numbered_with_zeros(three: Supplier) -> None:
    for number in (1, 2):
        three.put(f"day.{number:04}.csv", "x")
    delivery = three.ready(path="day.{part:04}.csv", parts=2, **WHOLE)
    assert [part.path for part in delivery.parts] == ["day.0001.csv", "day.0002.csv"]


@OVER_EACH
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
