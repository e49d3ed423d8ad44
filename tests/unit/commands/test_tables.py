"""The tables of the commands: on a terminal a long reason is cut to its width; another program gets all of it."""

import os
import pty
import subprocess
import sys

import pytest
from rich.text import Text

from deployment.home import REPOSITORY

REASON = f"failed: load, BadData: {'flights.csv: a reason of many words, ' * 9}the end"
PRINTS = f"""
from datetime import date
from commands.plan import tell
from daybook.planning.plan import Limited, Planned
blocked = Planned(date(2026, 1, 2), "blocked", {REASON!r}, (), None)
tell(Limited([blocked, Planned(date(2026, 1, 1), "run", "forced", (), None)], []))
"""


@pytest.mark.parametrize("width", [70, 90, 200])
def test_on_a_terminal_a_day_of_a_plan_is_one_line_whose_reason_alone_is_cut(width: int) -> None:
    lines = on_a_terminal(width)
    (line,) = [line for line in lines if "2026-01-02" in line]
    assert "blocked" in line
    assert "…" in line
    assert max(map(len, lines)) <= width
    assert [line for line in lines if "forced" in line and "2026-01-01" in line]
    assert len(lines) == 7  # four of the table's frame and titles, two days, the counts


def test_another_program_gets_the_whole_reason() -> None:
    printed = subprocess.run([sys.executable, "-c", PRINTS], env=environment(70), capture_output=True, text=True)
    assert printed.returncode == 0, printed.stderr
    assert REASON in printed.stdout


def on_a_terminal(width: int) -> list[str]:
    """Return the lines that the plan shows on a terminal of a width."""
    ours, its = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", PRINTS], env=environment(width), stdout=its) as process:
        os.close(its)
        shown = b""
        while part := _read(ours):
            shown += part
    os.close(ours)
    assert process.returncode == 0
    return [Text.from_ansi(line).plain for line in shown.decode().splitlines()]


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says so at the end of a terminal
        return b""


def environment(width: int) -> dict[str, str]:
    """Return the environment of a command on a terminal of a width."""
    words = {"COLUMNS": str(width), "TERM": "xterm", "PYTHONPATH": str(REPOSITORY / "include")}
    return os.environ | words
