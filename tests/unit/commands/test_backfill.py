"""`./daybook backfill`: what it asks on a terminal, and which of its words go together."""

import os
import pty
import subprocess
import sys

import pytest

from commands.__main__ import main
from deployment.home import REPOSITORY

ASKS = "from commands.backfill import _asked; print('reason:', repr(_asked(3)))"


def answered(answer: bytes) -> str:
    """Return what a terminal shows if a person answers the question about held days."""
    here, there = pty.openpty()
    environment = os.environ | {"PYTHONPATH": f"{REPOSITORY}/include"}
    with subprocess.Popen([sys.executable, "-c", ASKS], stdin=there, stdout=there, stderr=there, env=environment):
        os.close(there)
        os.write(here, answer)
        shown = b""
        while b"reason: '" not in shown or not shown.endswith(b"\n"):
            shown += os.read(here, 1000)
    os.close(here)
    return shown.decode()


def test_a_terminal_is_asked_once_and_the_answer_is_the_reason() -> None:
    shown = answered(b"the shop grew\n")
    assert "Publish the 3 days that are held? Say why their numbers are right, or nothing to leave them" in shown
    assert "reason: 'the shop grew'" in shown
    assert "reason: ''" in answered(b"\n")


def test_without_a_terminal_nobody_is_asked() -> None:
    environment = os.environ | {"PYTHONPATH": f"{REPOSITORY}/include"}
    done = subprocess.run([sys.executable, "-c", ASKS], stdin=subprocess.DEVNULL, capture_output=True, env=environment)
    assert done.stdout == b"reason: ''\n"


@pytest.mark.parametrize("words", [["--release-held"], ["--why", "x"], ["--release-held", "--why", " "]])
def test_a_release_needs_a_reason_and_a_reason_a_release(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backfill", *words]) == 2
    assert "--release-held and --why go together" in capsys.readouterr().err


@pytest.mark.parametrize("verb", ["backfill", "plan"])
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("plausible.min_rows",), "expected PATH=VALUE, such as plausible.within_pct=80"),
        (("plausible.min_rows=5",), "a run may not set 'plausible.min_rows'"),
        (("plausible.within_pct=1", "plausible.within_pct=2"), "plausible.within_pct stands twice"),
    ],
    ids=["no_value", "not_named", "twice"],
)
def test_a_value_that_no_run_may_set_is_refused_before_anything_starts(
    verb: str, words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([verb, *(part for word in words for part in ("--set", word))]) == 2
    assert says in capsys.readouterr().err
