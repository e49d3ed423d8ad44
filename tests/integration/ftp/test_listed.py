"""Looks at the files of many days, as a plan has them: a folder is listed once, and every answer is that of a look."""

from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from daybook.ftp.listed import LEAST_LOOKS, Listed
from daybook.ftp.look import Looked, look
from daybook.ftp.session import Session, session
from daybook.spec import File
from tests.support.faulty_ftp import FaultyFtp

from .conftest import DAY, file

DAYS = [DAY + timedelta(days=number) for number in range(30)]
MISSING = (DAYS[1], DAYS[9], DAYS[20])
Looks = Callable[[Session, File], list[tuple[Any, ...]]]


def looked(server: Session, spec: File) -> list[tuple[Any, ...]]:
    """Return what looks at all days tell: what was seen, its size and time, what lies beside, and problems."""
    return [_told(look(server, spec, day)) for day in DAYS]


def _told(found: Looked) -> tuple[Any, ...]:
    seen = [(one.part, one.remote and one.remote[:2], one.missing_sign, one.beside) for one in found.seen]
    return seen, str(found.problem)


def both(opener: Callable[[], Any], spec: File) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Return what looks tell one by one, and from listings."""
    with session(opener, "ftp", 5) as server:
        alone = looked(server, spec)
    with session(opener, "ftp", 5) as server:
        return alone, looked(Listed(server), spec)


@pytest.fixture
def delivered(root: Path) -> Path:
    """A folder with a file of each day but three, with a marker of some; one file's name is in other letters."""
    for number, day in enumerate(DAYS):
        if day not in MISSING:
            (root / f"flights_{day}.csv").write_bytes(b"a\n" * number)
        if number % 3:
            (root / f"flights_{day}.csv.done").touch()
    (root / f"Flights_{MISSING[2]}.csv").write_bytes(b"a\n")
    return root


def of_server(server: FaultyFtp) -> Counter[str]:
    """Return how often each command came."""
    return Counter(line.split(" ")[0] for line in server.commands)


@pytest.mark.parametrize("opener", ["ftp", "sftp", "https", "folder", "s3"], indirect=True)
def test_many_looks_tell_what_looks_one_by_one_tell(delivered: Path, opener: Callable[[], Any]) -> None:
    for words in ({}, {"marker": "{path}.done"}):
        alone, together = both(opener, file(**words))
        assert together == alone


@pytest.mark.parametrize("opener", ["ftp", "sftp", "folder", "s3"], indirect=True)
def test_names_that_are_known_in_part_are_told_as_one_by_one(delivered: Path, opener: Callable[[], Any]) -> None:
    for words in ({"path": "flights_{day}.*", "pick": "newest"}, {"ignore_case": True}):
        alone, together = both(opener, file(**words))
        assert together == alone


@pytest.mark.parametrize("opener", ["ftp", "sftp", "folder"], indirect=True)
def test_links_and_hidden_files_are_told_as_one_by_one(delivered: Path, opener: Callable[[], Any]) -> None:
    for day in DAYS[6:9]:
        (delivered / f"flights_{day}.csv").unlink()
        (delivered / f"flights_{day}.csv").symlink_to(f"flights_{DAYS[12]}.csv")
        (delivered / f".flights_{day}.csv").write_bytes(b"hidden\n")
    for words in ({}, {"path": ".flights_{day}.csv"}):
        alone, together = both(opener, file(**words))
        assert together == alone
        assert sum(seen[0][1] is not None for seen, _ in together) == (27 if not words else 3)


def test_the_files_of_many_days_take_one_listing_and_few_questions(
    delivered: Path, server: FaultyFtp, copy: Any
) -> None:
    with session(lambda: copy.connection().open(5), "ftp", 5) as opened:
        looked(Listed(opened), file())
    asked = of_server(server)
    # The second day has no file, and what lies beside it is asked for at once.
    assert (asked["MLSD"], asked["SIZE"]) == (2, LEAST_LOOKS)


def test_few_files_are_asked_for_one_by_one(delivered: Path, server: FaultyFtp, copy: Any) -> None:
    with session(lambda: copy.connection().open(5), "ftp", 5) as opened:
        many = Listed(opened)
        for day in DAYS[2 : 2 + LEAST_LOOKS]:
            look(many, file(), day)
    assert (of_server(server)["MLSD"], of_server(server)["SIZE"]) == (0, LEAST_LOOKS)


@pytest.mark.parametrize(
    ("command", "answer"),
    [("FEAT", "502 no"), ("MLSD", "550 no"), ("MDTM", "213 20120101000000")],
    ids=["no_mlsd", "not_listed", "other_times"],
)
def test_a_listing_that_is_none_or_tells_otherwise_is_not_used(
    delivered: Path, server: FaultyFtp, copy: Any, command: str, answer: str
) -> None:
    server.answers[command] = repeat(answer)
    alone, together = both(lambda: copy.connection().open(5), file())
    assert together == alone
    assert of_server(server)["SIZE"] >= 2 * len(DAYS)


@pytest.mark.parametrize("opener", ["sftp"], indirect=True)
def test_a_file_that_goes_away_after_the_listing_is_asked_for_with_all_others(
    delivered: Path, opener: Callable[[], Any]
) -> None:
    days: list[date] = [day for day in DAYS if day not in MISSING]
    link = delivered / f"flights_{days[-1]}.csv"
    link.unlink()
    link.symlink_to(f"flights_{days[0]}.csv")
    with session(opener, "ftp", 5) as server:
        many = Listed(server)
        for day in days[: LEAST_LOOKS + 1]:
            look(many, file(), day)
        for day in days[-2:]:
            (delivered / f"flights_{day}.csv").unlink()
        # The link is asked for, and is gone; from then on the listing answers for nothing.
        assert [look(many, file(), day).seen[0].remote for day in reversed(days[-2:])] == [None, None]
