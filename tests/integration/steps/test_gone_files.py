"""A file of a run that is gone, although the receipt beside it is whole: one error says so, and what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from daybook import steps
from daybook.errors import BrokenChain
from daybook.ledger.receipt import STEPS
from daybook.run.day_run import DayRun
from daybook.run.run_step import run_step

from .conftest import Run

LATER = STEPS[2:8]


@contextmanager
def without(file: Path) -> Iterator[None]:
    """Take a file away for the length of a block."""
    aside = file.rename(file.with_name("aside"))
    yield
    aside.rename(file)


def first_error(work: DayRun, after: str) -> str:
    """Do the steps after one again; return the error of the first that misses a file, or "" if none does."""
    for step in (step for step in LATER if STEPS.index(step) > STEPS.index(after)):
        try:
            run_step(getattr(steps, step), work)
        except BrokenChain as error:
            return str(error)
    return ""


def test_each_file_of_a_run_that_is_gone_is_named_by_the_step_that_needs_it_with_what_to_do(run: Run) -> None:
    # Forced: each step reads its files, and takes over none of an earlier run.
    work = replace(run("2013-01-05", until="save"), is_forced=True)
    said: dict[str, str] = {}
    for step in STEPS[:7]:
        for name in work.receipt(step).outputs:
            gone = Path(work.folder.path) / step / name
            with without(gone):
                said[str(gone)] = first_error(work, step)
    needed = {path: error for path, error in said.items() if error}
    assert {Path(path).parent.name for path in needed} == {*STEPS[:7]}
    for path, error in needed.items():
        assert error.startswith(f"{path}: the file is gone; sha256 ")
        assert error.endswith("clear the run's first tasks, or run the day again (./daybook day DAY), to make it again")
