"""docs/tutorial.md as a reader follows it: types its commands, makes its changes, and sees what it shows."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

from deployment.home import REPOSITORY

DOCUMENT = (REPOSITORY / "docs" / "tutorial.md").read_text()
# It runs until `down`, in a terminal of its own.
UP = "./daybook up"
# The first `init` asks.
ENDS_WITH = {"init departures --file .daybook/ftp/flights/flights_2013-02-01.csv": 2}


def follow(type_command: Callable[[str], subprocess.CompletedProcess[str]], checkout: Path) -> None:
    """Follow the tutorial in a checkout in which `./daybook up` runs."""
    printed, blocks = "", re.findall(r"```(console|text|diff)\n(.*?)```", DOCUMENT, re.DOTALL)
    assert [kind for kind, _ in blocks].count("diff") > 1
    for kind, block in blocks:
        if kind == "console":
            printed = "".join(_typed(line[2:], type_command) for line in block.splitlines() if line != f"$ {UP}")
        elif kind == "text":
            said = [line.rstrip() for line in printed.splitlines()]
            assert [line for line in block.splitlines() if line.rstrip() not in said] == [], printed
        else:
            _change(checkout / "include" / "pipelines" / "departures.py", block)


def _typed(command: str, type_command: Callable[[str], subprocess.CompletedProcess[str]]) -> str:
    done = type_command(command)
    assert done.returncode == ENDS_WITH.get(command.removeprefix("./daybook "), 0), (command, done.stdout[-3000:])
    return done.stdout


def _change(module: Path, block: str) -> None:
    lines = block.splitlines(keepends=True)
    old, new = ("".join(line[1:] for line in lines if line[0] in signs) for signs in (" -", " +"))
    text = module.read_text()
    assert text.count(old) == 1, (old, text)
    module.write_text(text.replace(old, new))
