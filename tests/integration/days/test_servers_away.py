"""Commands whose server does not run: they say that they do not try again, and what to do, and end."""

import html
import json
import os
import re
import socket
from dataclasses import replace
from typing import Any

import pytest

from daybook import steps
from daybook.errors import BadData, NotYet
from daybook.ftp.connect import FtpServer
from daybook.pages.run_state import read_day
from daybook.run.step_run import run_step
from tests.support.days import page_of

from .conftest import Days


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("words", [["plan"], ["status"], ["why", "2013-01-01"]])
def test_a_command_whose_warehouse_is_down_says_that_it_does_not_try_again(
    days: Days, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    take_away("warehouse", monkeypatch)
    assert_told(*days.command(*words))


def test_a_plan_whose_file_server_is_down_says_that_it_does_not_try_again(
    days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_away("ftp", monkeypatch)
    assert_told(*days.command("plan"))


def test_a_day_that_waits_is_told_by_status_and_why_in_the_words_of_the_report_tab(days: Days) -> None:
    work = replace(days.servers.work(days.pipeline, "2013-01-02", "run_1"), attempt=1)
    run_step(steps.extract_tables, work)
    with pytest.raises(NotYet):
        run_step(steps.extract_files, replace(work, ftp=nobody_listens))
    page = html.unescape(page_of(read_day(work.data, days.pipeline, "run_1", work.day)))
    [waits, again] = days.json("why", "2013-01-02")["waiting"]
    assert re.fullmatch(
        r"extract_files waits for the servers of flights since .*, until .* \(America/New_York\); "
        r"the last look, at .*, found: .*refused.*",
        waits,
    )
    assert again.startswith("the next look is at ")
    assert waits in page
    status = days.json("status")
    assert (status["waiting"], status["waits"]) == (["2013-01-02"], {"2013-01-02": [waits, again]})
    assert f"2013-01-02: {waits}; {again}" in days.command("status")[1]
    assert waits in days.command("why", "2013-01-02")[1]
    run_step(steps.extract_files, work)
    assert days.json("status")["waits"] == {}


def test_a_day_that_failed_after_its_wait_waits_no_more(days: Days) -> None:
    work = replace(days.servers.work(days.pipeline, "2013-01-02", "run_1"), attempt=1)
    with pytest.raises(NotYet):
        run_step(steps.extract_files, replace(work, ftp=nobody_listens))
    days.file("2013-01-02").unlink()
    with pytest.raises(BadData, match="late"):
        run_step(steps.extract_files, work)
    status = days.json("status")
    assert (status["waiting"], status["failed"], status["waits"]) == ([], ["2013-01-02"], {})


def nobody_listens(_: str) -> Any:
    """Open an FTP connection to a port on which nothing listens."""
    return FtpServer(host="127.0.0.1", port=free_port(), insecure=True).open(1)


def take_away(connection: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a connection lead to a port on which nothing listens."""
    variable = f"AIRFLOW_CONN_{connection.upper()}"
    stored = json.loads(os.environ[variable])
    monkeypatch.setenv(variable, json.dumps({**stored, "host": "127.0.0.1", "port": free_port()}))


def assert_told(code: int, printed: str) -> None:
    assert code == 40
    assert "this command does not try again" in printed
    assert "./daybook doctor" in printed
    assert "is tried again" not in printed
    assert "the task" not in printed
