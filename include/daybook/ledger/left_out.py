"""The note of a day that a run of several days left out: which step, and why.

It lies in the run's folder of the day.
"""

from typing import NamedTuple

from daybook.storage.folder import Folder

FILE = "left_out.txt"


class LeftOut(NamedTuple):
    """Why a day was left out: the step that failed, the kind of its error, and the message."""

    step: str
    kind: str
    why: str


def leave_out(run: Folder, left_out: LeftOut) -> None:
    """Note that a day is left out. run: the run's folder of the day."""
    with run.new_file(FILE) as file:
        file.write(f"{left_out.step} {left_out.kind}\n{left_out.why}".encode())


def left_out_of(run: Folder) -> LeftOut | None:
    """Return why a day was left out; None if it was not."""
    content = run.content(FILE)
    if content is None:
        return None
    head, _, why = content.decode(errors="replace").partition("\n")
    step, _, kind = head.partition(" ")
    return LeftOut(step, kind, why)


def take_in(run: Folder) -> None:
    """Forget that a day was left out."""
    run.remove_file(FILE)
