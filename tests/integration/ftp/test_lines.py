"""A line that is slow, cut, reset or silent, between the client and the server (N5)."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import repeat
from pathlib import Path

import pytest

from daybook.errors import SourceUnavailable
from daybook.ftp.retry import Patience
from tests.support.faulty_ftp import FaultyFtp
from tests.support.proxy import Fault, Proxy, cut, half_close, reset, silence

from .conftest import CONTENT, Copying
from .test_replies import free_port

OTHER_ADDRESS = "127.0.0.2"


@pytest.fixture
def behind(root: Path) -> Iterator[FaultyFtp]:
    """A server with one port for data, so that a proxy can stand before that too."""
    port = free_port()
    with FaultyFtp(root, settings={"passive_ports": [port]}) as server:
        yield server


@contextmanager
def proxies(server: FaultyFtp) -> Iterator[tuple[Proxy, Proxy]]:
    """Stand before the control and the data connections of a server, on another address of this machine."""
    data_port = server.settings["passive_ports"][0]
    with (
        Proxy((server.host, server.port), listen=(OTHER_ADDRESS, server.port)) as control,
        Proxy((server.host, data_port), listen=(OTHER_ADDRESS, data_port)) as data,
    ):
        yield control, data


@pytest.mark.parametrize("how", [cut, reset, silence, half_close])
def test_N5_the_data_connection_breaks(behind: FaultyFtp, tmp_path: Path, how: object) -> None:
    copy = Copying(behind, tmp_path / "run")
    with proxies(behind) as (_, data):
        data.faults = iter([Fault(300_000, how)] * 2)  # type: ignore[arg-type]
        copy(host=OTHER_ADDRESS)
    assert copy.copied == CONTENT
    assert data.connections >= 3


@pytest.mark.parametrize("how", [cut, reset, silence, half_close])
@pytest.mark.parametrize("after_bytes", [1, 60, 200, 400])
def test_N5_the_control_connection_breaks(behind: FaultyFtp, tmp_path: Path, how: object, after_bytes: int) -> None:
    copy = Copying(behind, tmp_path / "run")
    with proxies(behind) as (control, _):
        control.faults = iter([Fault(after_bytes, how)])  # type: ignore[arg-type]
        copy(host=OTHER_ADDRESS)
    assert copy.copied == CONTENT


def test_N5_cut_anywhere_the_file_comes_whole(behind: FaultyFtp, tmp_path: Path) -> None:
    chance = random.Random(7)
    copy = Copying(behind, tmp_path / "run")
    with proxies(behind) as (_, data):
        for _ in range(10):
            data.faults = iter([Fault(chance.randrange(1_000_000), chance.choice([cut, reset])) for _ in range(4)])
            copy(host=OTHER_ADDRESS)
            assert copy.copied == CONTENT
            (copy.folder / "flights.csv").unlink()


def test_N5_a_slow_line_is_no_broken_one(behind: FaultyFtp, tmp_path: Path) -> None:
    copy = Copying(behind, tmp_path / "run")
    with proxies(behind) as (control, data):
        control.faults, data.faults = repeat(Fault(latency_s=0.02)), repeat(Fault(bytes_per_s=1_000_000))
        copy(host=OTHER_ADDRESS, patience=Patience(tries=1, time_limit_s=0.5))
    assert copy.copied == CONTENT


def test_N5_a_line_that_stays_silent_is_given_up(behind: FaultyFtp, tmp_path: Path) -> None:
    copy = Copying(behind, tmp_path / "run")
    with proxies(behind) as (control, _):
        control.faults = repeat(Fault(0, silence))
        with pytest.raises(SourceUnavailable, match="silent for longer than the time limit"):
            copy(host=OTHER_ADDRESS, patience=Patience(tries=3, time_limit_s=0.1, first_pause_s=0))


def test_the_proxy_itself_lets_everything_through(behind: FaultyFtp, tmp_path: Path) -> None:
    copy = Copying(behind, tmp_path / "run")
    with proxies(behind) as (control, data):
        copy(host=OTHER_ADDRESS, patience=Patience(tries=1))
    assert (control.connections, data.connections) == (1, 1)
    assert b"RETR flights_2013-01-05.csv" in control.sent
