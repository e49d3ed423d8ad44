"""A delivery of several parts, one of which does not come whole (C71)."""

import os
import shutil
from collections.abc import Callable
from itertools import repeat
from typing import Any

import pytest

from daybook.errors import BadData, SourceUnavailable
from tests.support.faulty_ftp import Cut, hangs_up, says_226, says_426, stalls

from .conftest import CONTENT, PARTS, WHOLE, Supplier, sums

LARGE = 300_000


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
