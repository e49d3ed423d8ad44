"""What a manifest lists: waited for, copied in its order, and held against its sums (C71, C72)."""

from itertools import repeat

import pytest

from daybook.errors import BadData, NotYet, SourceUnavailable
from tests.support.faulty_ftp import Cut, says_226

from .conftest import EARLY, LATE, LISTED, MINUTE, OVER_EACH, WHOLE, Supplier, sums


@pytest.fixture
def listed(supplier: Supplier) -> Supplier:
    """A supplier who has delivered two parts and a manifest that names them, the second one first."""
    supplier.put("in/a.csv", "part a")
    supplier.put("in/b.csv", "part b")
    supplier.put("in/2013-01-05.manifest", "b.csv\na.csv\n")
    return supplier


@OVER_EACH
def test_C71_the_parts_are_those_of_the_manifest_in_its_order(listed: Supplier) -> None:
    listed.put("in/other.csv", "not named")
    delivery = listed.ready(**LISTED, **WHOLE)
    assert [(part.path, part.name, part.number, part.of) for part in delivery.parts] == [
        ("in/b.csv", "b.csv", 1, 2),
        ("in/a.csv", "a.csv", 2, 2),
    ]
    listed.copy(delivery)
    assert listed.copied() == {"flights.1.csv": b"part b", "flights.2.csv": b"part a"}


@OVER_EACH
def test_without_its_manifest_nothing_counts(listed: Supplier) -> None:
    (listed.root / "in/2013-01-05.manifest").unlink()
    with pytest.raises(NotYet, match=r"ftp: in/2013-01-05.manifest is not there"):
        listed.ready(**LISTED, **WHOLE)
    listed.put("in/2013-01-05.manifest", "")
    with pytest.raises(NotYet, match=r"ftp: in/2013-01-05.manifest is empty"):
        listed.ready(**LISTED, **WHOLE)


@OVER_EACH
def test_C71_a_manifest_that_is_being_written_is_not_believed(listed: Supplier) -> None:
    listed.put("in/2013-01-05.manifest", "b.csv\n")
    with pytest.raises(NotYet, match=r"in/2013-01-05.manifest is there and has to stand still"):
        listed.ready(**LISTED)
    listed.put("in/2013-01-05.manifest", "b.csv\na.csv\n")
    with pytest.raises(NotYet, match=r"in/2013-01-05.manifest is still changing"):
        listed.ready(EARLY + MINUTE, **LISTED)
    assert len(listed.ready(EARLY + 2 * MINUTE, **LISTED).parts) == 2


@OVER_EACH
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


@OVER_EACH
def test_a_part_of_a_manifest_that_never_comes_is_late(listed: Supplier) -> None:
    (listed.root / "in/a.csv").unlink()
    with pytest.raises(BadData, match=r"late: ftp: in/2013-01-05.manifest: part 2 of 2 missing \(a.csv\), and the cut"):
        listed.ready(LATE, **LISTED, **WHOLE)


def test_C72_a_manifest_that_names_another_folder_is_refused(listed: Supplier) -> None:
    listed.put("in/2013-01-05.manifest", "b.csv\n../../x\n")
    with pytest.raises(BadData, match=r"ftp: in/2013-01-05.manifest, line 2: '../../x' is not the name of a file"):
        listed.ready(**LISTED, **WHOLE)
    assert not any("x" in line.split("/") for line in listed.server.commands)


@OVER_EACH
def test_the_sums_of_a_manifest_are_held_against_the_copies(listed: Supplier) -> None:
    folder = listed.root / "in"
    listed.put("in/2013-01-05.manifest", sums(folder, "a.csv", "b.csv"))
    arrived = listed.copy(listed.ready(**LISTED, **WHOLE))
    assert [one.checked_by for one in arrived] == ["in/2013-01-05.manifest"] * 2
    listed.put("in/b.csv", "damaged")
    with pytest.raises(BadData, match=r"ftp: in/b.csv: sha256 .* expected by in/2013-01-05.manifest, .* found, twice"):
        listed.copy(listed.ready(**LISTED, **WHOLE))


@OVER_EACH
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


@OVER_EACH
def test_what_is_too_long_for_a_manifest_is_refused(listed: Supplier) -> None:
    listed.put("in/2013-01-05.manifest", b"a.csv\n" * 200_000)
    with pytest.raises(BadData, match=r"it is longer than 1,048,576 bytes, too long for a list"):
        listed.ready(**LISTED, **WHOLE)
