"""A transfer that breaks, lies or stalls (F7 to F12, F20 to F24, N1): the file comes whole, or not at all."""

import ftplib
import logging
from collections.abc import Callable
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from daybook.errors import BadData, SourceUnavailable
from daybook.ftp.copy import fetch
from daybook.storage.partial_file import PartialFile
from tests.support.faulty_ftp import (
    PASSWORD,
    USER,
    Cut,
    FaultyFtp,
    hangs_up,
    is_mute_at_the_end,
    resets,
    says_226,
    says_426,
    stalls,
)

from .conftest import CONTENT, PATH, QUICK, SIZE, Copying, file

CUT_AT = 300_000


def cuts(server: FaultyFtp, how: Callable[[Any], None]) -> None:
    """Have every transfer end after some bytes."""
    server.cuts = repeat(Cut(CUT_AT, how))


def restarts(server: FaultyFtp) -> list[str]:
    """Return the REST commands that came."""
    return [line for line in server.commands if line.startswith("REST")]


def test_a_file_comes_whole_over_one_connection(copy: Copying, server: FaultyFtp) -> None:
    fetched = copy()
    assert copy.copied == CONTENT
    assert (fetched.remote.size_bytes, fetched.is_encrypted, fetched.remarks) == (SIZE, False, ())
    assert (server.count("USER"), server.count("RETR"), restarts(server)) == (1, 1, [])
    assert server.commands.index("TYPE I") < server.commands.index(f"SIZE {PATH}")
    assert [server.count(word) for word in ("SIZE", "MDTM")] == [2, 2]


def test_F7_426_in_the_middle_is_gone_on_from_there(copy: Copying, server: FaultyFtp) -> None:
    cuts(server, says_426)
    copy()
    assert copy.copied == CONTENT
    assert len(restarts(server)) >= 2


def test_F8_a_reset_of_the_data_connection_is_gone_on_from_there(copy: Copying, server: FaultyFtp) -> None:
    server.cuts = iter([Cut(CUT_AT, resets)] * 3)
    copy()
    assert copy.copied == CONTENT


def test_F9_both_connections_die(copy: Copying, server: FaultyFtp) -> None:
    cuts(server, hangs_up)
    copy()
    assert copy.copied == CONTENT
    assert server.count("USER") > 2


def test_F10_226_though_only_part_was_sent(copy: Copying, server: FaultyFtp, caplog: pytest.LogCaptureFixture) -> None:
    cuts(server, says_226)
    with caplog.at_level(logging.WARNING):
        copy()
    assert copy.copied == CONTENT
    assert "says that this was all, but 327,680 of 1,000,000 bytes came" in caplog.text
    # Each time it goes on 64 KiB before what is here, and compares.
    assert restarts(server)[0] == f"REST {327_680 - 65_536}"


def test_F10_226_though_nothing_was_sent_is_given_up(copy: Copying, server: FaultyFtp) -> None:
    server.cuts = repeat(Cut(0, says_226))
    with pytest.raises(SourceUnavailable, match=r"0 of 1,000,000 bytes .*given up after 10 tries"):
        copy()
    assert copy.copied is None


def test_F11_a_stalled_transfer_ends_at_the_time_limit(copy: Copying, server: FaultyFtp) -> None:
    server.cuts = iter([Cut(CUT_AT, stalls)] * 2)
    copy()
    assert copy.copied == CONTENT


def test_F11_a_server_that_stalls_for_ever_is_given_up_and_the_part_stays(copy: Copying, server: FaultyFtp) -> None:
    server.cuts = repeat(Cut(0, stalls))
    with pytest.raises(SourceUnavailable, match=r"silent for longer than the time limit.*after 10 tries"):
        copy()
    assert (copy.copied, len(copy.parts)) == (None, 1)


def test_F11_a_connection_that_somebody_opened_without_a_limit_gets_one(server: FaultyFtp, tmp_path: Path) -> None:
    def opened() -> ftplib.FTP:
        ftp = ftplib.FTP()  # noqa: S321 - loopback
        ftp.connect(server.host, server.port)
        ftp.login(USER, PASSWORD)
        return ftp

    server.cuts = iter([Cut(CUT_AT, stalls)])
    part = PartialFile(tmp_path, "flights.csv")
    fetch(opened, file(), PATH, part, QUICK)
    assert part.read(0, SIZE) == CONTENT
    part.close()


def test_F12_226_is_missing_and_the_size_agrees(copy: Copying, server: FaultyFtp) -> None:
    cuts(server, is_mute_at_the_end)
    assert copy().remarks == ("the server's last word is missing; the size agrees",)
    assert copy.copied == CONTENT
    assert server.count("RETR") == 1


def test_F20_a_wrong_size_fails_after_two_equal_copies(copy: Copying, server: FaultyFtp) -> None:
    server.answers["SIZE"] = repeat("213 1001000")
    with pytest.raises(BadData, match=r"says 1,001,000 bytes and sent 1,000,000 twice.*is_size_unreliable=True"):
        copy()
    assert (copy.copied, copy.parts) == (None, [])


def test_F20_a_wrong_size_is_accepted_where_the_spec_says_so(copy: Copying, server: FaultyFtp) -> None:
    server.answers["SIZE"] = repeat("213 1001000")
    remarks = copy(file(is_size_unreliable=True)).remarks
    assert remarks == ("the server says 1,001,000 bytes; two equal copies have 1,000,000",)
    assert copy.copied == CONTENT


def test_F20_a_size_that_is_too_small(copy: Copying, server: FaultyFtp) -> None:
    server.answers["SIZE"] = repeat("213 999000")
    with pytest.raises(BadData, match="says 999,000 bytes and sent 1,000,000 twice"):
        copy()


def test_F21_no_size_and_no_time_but_a_listing_for_programs(copy: Copying, server: FaultyFtp) -> None:
    server.answers |= {"SIZE": repeat("502 no"), "MDTM": repeat("502 no")}
    fetched = copy()
    assert (fetched.remote.size_bytes, len(fetched.remote.modified_at), fetched.remarks) == (SIZE, 14, ())
    assert server.count("RETR") == 1


def no_facts(server: FaultyFtp) -> None:
    """Have the server know neither SIZE, MDTM nor the listing for programs."""
    server.answers |= {name: repeat("502 no") for name in ("SIZE", "MDTM", "FEAT", "MLST", "MLSD")}


def test_F21_no_size_but_a_listing_for_people(copy: Copying, server: FaultyFtp) -> None:
    no_facts(server)
    cuts(server, says_226)
    assert copy().remote.size_bytes == SIZE
    assert copy.copied == CONTENT


def test_F21_no_size_anywhere_takes_two_equal_copies(copy: Copying, server: FaultyFtp) -> None:
    no_facts(server)
    server.answers["LIST"] = repeat("502 no")
    server.cuts = iter([Cut(CUT_AT, says_226), Cut(CUT_AT, says_426)])
    assert copy().remarks == ("the server tells no size; two copies are equal",)
    assert copy.copied == CONTENT
    assert restarts(server) == []


def test_F22_no_REST_starts_again_from_the_first_byte(copy: Copying, server: FaultyFtp) -> None:
    server.answers["REST"] = repeat("502 no")
    server.cuts = iter([Cut(CUT_AT, says_426)] * 3)
    copy()
    assert copy.copied == CONTENT
    assert len(restarts(server)) == 1


def test_F22_no_REST_and_always_cut_is_given_up(copy: Copying, server: FaultyFtp) -> None:
    server.answers["REST"] = repeat("502 no")
    cuts(server, says_426)
    with pytest.raises(SourceUnavailable, match="after 10 tries"):
        copy()
    assert copy.copied is None


def test_F23_REST_that_is_ignored_is_seen_and_the_copy_starts_again(
    copy: Copying, server: FaultyFtp, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers["REST"] = repeat("350 restarting, says the liar")
    server.cuts = iter([Cut(CUT_AT, says_426)])
    with caplog.at_level(logging.WARNING):
        copy()
    assert copy.copied == CONTENT
    assert "ignores where to start" in caplog.text


def test_F23_REST_that_is_ignored_in_a_file_that_repeats_itself(copy: Copying, server: FaultyFtp) -> None:
    (server.root / PATH).write_bytes(b"0123456789abcdef" * 62_500)
    server.answers["REST"] = repeat("350 restarting, says the liar")
    server.cuts = iter([Cut(CUT_AT, says_426)])
    copy()
    assert copy.copied == b"0123456789abcdef" * 62_500


def test_F24_bytes_stay_as_they_are(copy: Copying, server: FaultyFtp) -> None:
    content = bytes(range(256)) + b"\r\n\n\r\r\n\x1a\xff\xf4\xff\xf2" * 100
    (server.root / PATH).write_bytes(content)
    copy()
    assert copy.copied == content


def test_a_file_without_a_byte_is_copied_as_such(copy: Copying, server: FaultyFtp) -> None:
    (server.root / PATH).write_bytes(b"")
    assert copy().remote.size_bytes == 0
    assert copy.copied == b""


def test_C70_G14_a_file_over_the_limit_is_refused_before_a_byte_is_read(copy: Copying, server: FaultyFtp) -> None:
    with pytest.raises(BadData, match=r"1,000,000 bytes, the limit is 999,999; not copied"):
        copy(file(size_limit_bytes=999_999))
    assert server.count("RETR") == 0


def test_C70_G14_a_file_of_unknown_size_is_refused_at_the_limit(copy: Copying, server: FaultyFtp) -> None:
    no_facts(server)
    server.answers["LIST"] = repeat("502 no")
    with pytest.raises(BadData, match="the limit is 400,000"):
        copy(file(size_limit_bytes=400_000))
    assert copy.parts == []


NO, RESTARTS = "502 no", "350 restarting, says the liar"
# What the server answers, and how each transfer ends after some bytes.
FAULTS: dict[str, tuple[dict[str, str], Callable[[Any], None] | None]] = {
    "426 in the middle": ({}, says_426),
    "226 in the middle": ({}, says_226),
    "a reset": ({}, resets),
    "both connections die": ({}, hangs_up),
    "a stall": ({}, stalls),
    "no 226": ({}, is_mute_at_the_end),
    "no SIZE and no MDTM": ({"SIZE": NO, "MDTM": NO}, None),
    "a wrong SIZE": ({"SIZE": "213 1001000"}, None),
    "a wrong SIZE and 226 in the middle": ({"SIZE": "213 1001000"}, says_226),
    "no REST": ({"REST": NO}, says_426),
    "no REST and 226 in the middle": ({"REST": NO}, says_226),
    "REST that is ignored": ({"REST": RESTARTS}, says_426),
    "REST that is ignored and 226 in the middle": ({"REST": RESTARTS}, says_226),
    "SIZE that wants another mode": ({"SIZE": "550 SIZE not allowed in ASCII mode"}, None),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_N1_the_whole_file_or_an_error_and_never_something_else(copy: Copying, server: FaultyFtp, fault: str) -> None:
    answers, how = FAULTS[fault]
    server.answers |= {command: repeat(reply) for command, reply in answers.items()}
    server.cuts = repeat(Cut(CUT_AT, how)) if how else repeat(None)
    try:
        copy(patience=replace(QUICK, time_limit_s=0.2))
    except (BadData, SourceUnavailable):
        assert copy.copied is None
    else:
        assert copy.copied == CONTENT
