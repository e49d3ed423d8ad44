"""Commands whose server does not run: they say that they do not try again, and what to do, and end."""

import json
import os
import socket

import pytest

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
