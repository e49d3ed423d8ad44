"""What a server says to each command, and what is done about it (F1 to F6, F13 to F15, N2, N6)."""

import socket
import threading
import time
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path

import pytest

from daybook.errors import BadSpec, SourceUnavailable
from daybook.ftp.listing import UNIX, WINDOWS
from daybook.ftp.replies import NotThere
from daybook.ftp.retry import Patience
from tests.support.faulty_ftp import PASSWORD, Answer, Cut, FaultyFtp, says_426

from .conftest import CONTENT, PATH, QUICK, Copying, file


def then_as_usual(*answers: Answer) -> Iterator[Answer]:
    """Return some answers, and then the server's own."""
    return chain(answers, repeat(None))


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_F1_nothing_listens(copy: Copying) -> None:
    with pytest.raises(SourceUnavailable, match=r"127.0.0.1:\d+: the line .*Connection.*refused.*after 10 tries"):
        copy(port=free_port())


def test_F1_no_such_host(copy: Copying) -> None:
    with pytest.raises(SourceUnavailable, match=r"nowhere.invalid:21: the line to the FTP server broke"):
        copy(host="nowhere.invalid", port=21, patience=Patience(tries=1))


def test_F1_a_server_that_accepts_and_says_nothing(copy: Copying) -> None:
    given_up = pytest.raises(SourceUnavailable, match="silent for longer than the time limit")
    with socket.create_server(("127.0.0.1", 0)) as silent, given_up:
        copy(port=silent.getsockname()[1], patience=Patience(tries=2, time_limit_s=0.2, first_pause_s=0))


def test_N6_the_server_comes_up_later(copy: Copying, root: Path) -> None:
    port = free_port()
    later = FaultyFtp(root, port=port)

    def start() -> None:
        time.sleep(0.3)
        later.__enter__()

    thread = threading.Thread(target=start)
    thread.start()
    try:
        copy(port=port, patience=Patience(tries=100, first_pause_s=0.05, longest_pause_s=0.05))
    finally:
        thread.join()
        later.__exit__(None, None, None)
    assert copy.copied == CONTENT


def test_F2_421_is_tried_again_after_the_longer_pause(copy: Copying, server: FaultyFtp) -> None:
    server.answers["CONNECT"] = then_as_usual("421 too many connections", "421 too many connections")
    start = time.monotonic()
    copy(patience=Patience(first_pause_s=0, longest_pause_s=0.2))
    assert copy.copied == CONTENT
    assert time.monotonic() - start >= 0.4
    assert server.count("USER") == 1


def test_F2_the_pause_after_421_is_a_minute() -> None:
    assert Patience().longest_pause_s == 60
    assert list(Patience().pauses()) == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_F3_530_is_for_a_person_to_mend_and_tried_once(copy: Copying, server: FaultyFtp) -> None:
    with pytest.raises(BadSpec, match=r"530 .*so as not to lock the account; mend the connection's user and password"):
        copy(password="wrong")
    assert server.count("PASS") == 1


def test_F4_530_that_demands_TLS(copy: Copying, server: FaultyFtp) -> None:
    server.answers["USER"] = repeat("530 Non-anonymous sessions must use encryption.")
    with pytest.raises(BadSpec, match=r"wants TLS.*mend `insecure` in the connection's extra"):
        copy()
    assert server.count("PASS") == 0


def test_F5_425_is_tried_again(copy: Copying, server: FaultyFtp) -> None:
    server.answers["RETR"] = then_as_usual("425 Can't open data connection.")
    copy()
    assert copy.copied == CONTENT


def test_F5_425_for_ever_says_what_it_may_be(copy: Copying, server: FaultyFtp) -> None:
    server.answers["RETR"] = repeat("425 Unable to build data connection: Operation not permitted")
    with pytest.raises(SourceUnavailable, match="a firewall in between, or over TLS a server"):
        copy()


def test_F6_G19_a_private_address_for_the_data_is_not_followed(root: Path, copy: Copying) -> None:
    with FaultyFtp(root, settings={"masquerade_address": "10.255.255.1"}) as server:
        copy(port=server.port)
    assert copy.copied == CONTENT


def test_F13_550_because_the_file_is_not_there(copy: Copying, server: FaultyFtp) -> None:
    (server.root / PATH).unlink()
    with pytest.raises(NotThere, match=f"ftp: {PATH}: the FTP server shows no such file"):
        copy()
    assert server.count("RETR") == 0


def test_F13_550_because_the_file_is_not_for_us(copy: Copying, server: FaultyFtp) -> None:
    server.answers["RETR"] = repeat("550 Permission denied.")
    with pytest.raises(BadSpec, match=r"shows the file and does not give it;.*have the right to read it given"):
        copy()


def test_F13_550_because_SIZE_is_not_wanted(copy: Copying, server: FaultyFtp) -> None:
    server.answers["SIZE"] = repeat("550 SIZE not allowed.")
    server.cuts = iter([Cut(300_000, says_426)])
    copy()
    assert copy.copied == CONTENT


@pytest.mark.parametrize("reply", ["553 Requested action not taken: file name not allowed", "501 Syntax error"])
@pytest.mark.parametrize("command", ["SIZE", "RETR"])
def test_F14_a_path_that_is_refused(copy: Copying, server: FaultyFtp, command: str, reply: str) -> None:
    server.answers[command] = repeat(reply)
    with pytest.raises(BadSpec, match=rf"refuses what it is asked \({reply}\); not tried again; mend the path"):
        copy()
    assert server.count(command) == 1


@pytest.mark.parametrize("reply", ["450 File busy.", "451 Local error.", "452 No room."])
def test_F15_a_busy_file_is_tried_again(copy: Copying, server: FaultyFtp, reply: str) -> None:
    server.answers["RETR"] = then_as_usual(reply, reply)
    copy()
    assert copy.copied == CONTENT


TRANSIENT, CONFIG, FINE = "is tried again", "is for a person", "does not matter"
SAYS = {
    ("CONNECT", "421"): TRANSIENT,
    ("CONNECT", "500"): CONFIG,
    ("USER", "421"): TRANSIENT,
    ("USER", "530"): CONFIG,
    ("USER", "451"): TRANSIENT,
    ("PASS", "530"): CONFIG,
    ("PASS", "421"): TRANSIENT,
    ("TYPE", "451"): TRANSIENT,
    ("TYPE", "502"): CONFIG,
    ("SIZE", "450"): TRANSIENT,
    ("SIZE", "502"): FINE,
    ("SIZE", "553"): CONFIG,
    ("MDTM", "421"): TRANSIENT,
    ("MDTM", "502"): FINE,
    ("MDTM", "550"): FINE,
    ("FEAT", "502"): FINE,
    ("MLST", "502"): CONFIG,
    ("PASV", "425"): TRANSIENT,
    ("PASV", "502"): CONFIG,
    ("RETR", "425"): TRANSIENT,
    ("RETR", "450"): TRANSIENT,
    ("RETR", "553"): CONFIG,
}


@pytest.mark.parametrize(("command", "code"), SAYS, ids=lambda word: word)
def test_N2_a_reply_to_a_command(copy: Copying, server: FaultyFtp, command: str, code: str) -> None:
    server.answers[command] = repeat(f"{code} so it is") if SAYS[command, code] == CONFIG else iter([f"{code} no"] * 2)
    if SAYS[command, code] == CONFIG:
        with pytest.raises(BadSpec):
            copy()
        assert copy.copied is None
        return
    copy()
    assert copy.copied == CONTENT


def test_N2_a_reply_that_is_none(copy: Copying, server: FaultyFtp) -> None:
    server.answers["SIZE"] = then_as_usual("xyz what is this", "213 many")
    copy()
    assert copy.copied == CONTENT


def test_a_server_that_does_not_write_utf_8(copy: Copying, root: Path) -> None:
    with FaultyFtp(root, settings={"banner": "Gr\xfc\xdf Gott", "encoding": "latin-1"}) as server:
        with pytest.raises(BadSpec, match=r'does not write utf-8.*"encoding": "latin-1"'):
            copy(port=server.port)
        copy(port=server.port, encoding="latin-1")
    assert copy.copied == CONTENT


def test_C72_G15_a_path_holds_no_line_end() -> None:
    for path in ("a{day}\r\nDELE b", "a{day:%n}", "a\x00{day}"):
        with pytest.raises(BadSpec, match="a control character is not part of a path"):
            file(path=path)


def test_C72_G15_the_local_name_is_the_source_s(copy: Copying, server: FaultyFtp) -> None:
    (server.root / "~").mkdir()
    (server.root / "~" / "-rf ?.csv").write_bytes(b"x")
    copy(file(path="~/-rf ?.csv"))
    assert [path.name for path in copy.folder.iterdir()] == ["flights.csv"]


@pytest.mark.parametrize("command", ["CONNECT", "USER", "PASS"])
@pytest.mark.parametrize("code", ["421", "426", "500", "530", "550"])
def test_S1_G9_no_message_holds_the_password(
    copy: Copying, server: FaultyFtp, command: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.answers[command] = repeat(f"{code} not with {PASSWORD}")
    with pytest.raises((BadSpec, SourceUnavailable), match=f"{code} not with ") as raised:
        copy(patience=Patience(tries=2, first_pause_s=0, longest_pause_s=0))
    assert PASSWORD not in str(raised.value) + caplog.text + repr(copy.connection())


def test_G16_a_reply_is_quoted_in_one_printable_line(copy: Copying, server: FaultyFtp) -> None:
    server.answers["RETR"] = repeat("553 \x1b[31mred\x07 " + "x" * 1000)
    with pytest.raises(BadSpec) as raised:
        copy()
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 500


def test_F24_listings_for_people_are_read_in_their_two_forms() -> None:
    unix = UNIX.fullmatch("-rw-r--r--   1 ftp      ftp       1000000 Jan 05 03:00 a file.csv")
    windows = WINDOWS.fullmatch("01-05-13  03:00AM              1000000 a file.csv")
    assert {found and found["size"] + found["name"] for found in (unix, windows)} == {"1000000a file.csv"}


def test_what_is_tried_at_most() -> None:
    assert (Patience().tries, Patience().total_s, Patience().time_limit_s) == (10, 1800, 60)
    assert len(list(Patience(total_s=-1).pauses())) == 1
    assert QUICK.tries == 10
