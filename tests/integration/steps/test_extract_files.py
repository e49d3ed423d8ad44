"""extract_files: the file, and what the receipt and the report say of the way it came."""

import ftplib
from dataclasses import replace

import pytest

from daybook import steps
from daybook.errors import BadData, BadSpec
from daybook.run.run_step import run_step
from daybook.spec import Pipeline
from tests.support.servers import Servers, published_files

from .conftest import Run

PATH = "flights/flights_2013-01-05.csv"


def test_the_file_is_what_the_server_has(run: Run, servers: Servers) -> None:
    work = run("2013-01-05", until="extract_files")
    folder = work.folder / "extract_files"
    with folder.open("flights.csv") as file:
        assert file.read() == (servers.ftp.root / PATH).read_bytes()
    assert folder.names() == ["flights.csv", "receipt.json"]
    origin = work.receipt("extract_files").origins["flights"]
    assert (origin.place, origin.is_encrypted, origin.remarks) == (f"ftp: {PATH}", False, "")


def test_G19_a_file_in_clear_stands_in_red_in_the_report(run: Run) -> None:
    report = (published_files(run("2013-01-05")) / "report.html").read_text()
    assert '<strong class="alarm">not encrypted on its way</strong>' in report


def test_a_day_without_a_file_is_late(servers: Servers, pipeline: Pipeline) -> None:
    work = servers.work(pipeline, "2012-01-05", "run_1")
    with pytest.raises(BadData, match=r"late: ftp: flights/flights_\d+-01-05.csv is not there"):
        run_step(steps.extract_files, work)
    assert (work.folder / "extract_files").names() == ["looks.json"]


def test_a_login_that_is_refused_leaves_no_file(servers: Servers, pipeline: Pipeline) -> None:
    work = servers.work(pipeline, "2013-01-05", "run_1")

    def refused(connection: str) -> ftplib.FTP:
        return replace(servers, ftp=replace(servers.ftp, password="canary-wrong")).connect_ftp(connection)

    with pytest.raises(BadSpec, match="refuses the login") as raised:
        run_step(steps.extract_files, replace(work, ftp=refused))
    assert "canary" not in str(raised.value)
    assert not (work.folder / "extract_files").exists()
