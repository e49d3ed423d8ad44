"""How a command answers: a table, for a terminal or another program; JSON; or only its exit code."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from daybook.text import one_line, printable


@dataclass
class _Manner:
    """How this process was asked to answer; the options --json and --quiet set it."""

    is_json: bool = False
    is_quiet: bool = False


_manner = _Manner()


def reset() -> None:
    """Answer in text again, until an option asks for something else."""
    _manner.is_json = _manner.is_quiet = False


def answer_in_json(is_asked: bool) -> bool:
    """Keep stdout for JSON from here on, if that is asked: progress goes to stderr. Returns its argument."""
    _manner.is_json = is_asked
    return is_asked


def be_quiet(is_asked: bool) -> bool:
    """Print only JSON and errors from here on, if that is asked. Returns its argument."""
    _manner.is_quiet = is_asked
    return is_asked


# Here, because `down` takes no argument about days, and needs no library of days.
Json = Annotated[bool, typer.Option("--json", callback=answer_in_json, help="Answer in JSON.")]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", callback=be_quiet, help="Print only errors; the exit code answers.")
]


def console() -> Console:
    """Return the console for progress: stdout, or stderr if stdout is for JSON. It shows nothing if all is quiet."""
    return Console(stderr=_manner.is_json, quiet=_manner.is_quiet, highlight=False, markup=False, soft_wrap=True)


def progress(text: str) -> None:
    """Print a line about the work in progress."""
    console().print(printable(text))


def say(text: str) -> None:
    """Print text of the answer."""
    if not _manner.is_quiet:
        print(printable(text), flush=True)


def say_error(text: str) -> None:
    """Print an error, in red on a terminal."""
    Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(printable(text), style="red")


def tell_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, cut: str = "") -> None:
    """Print a table: drawn on a terminal; else in lines with even columns, the same everywhere for the same rows.

    cut: the column whose cells are cut on a terminal that is too narrow, so that each row is one line.
    """
    rows = [[one_line(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        draw(columns, rows, cut=cut)
        return
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    for row in (columns, *rows):
        say("  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip())


def tell_json(value: Any) -> None:
    """Print a value as JSON; named tuples as objects, days, instants and decimals as text."""
    print(json.dumps(_plain(value), indent=1, default=str))


def draw(columns: Sequence[str], rows: Sequence[Sequence[str]], *, is_number: bool = False, cut: str = "") -> None:
    """Draw a table. is_number: align all columns but the first to the right. cut: as for tell_table."""
    table = Table()
    for number, title in enumerate(columns):
        # Rich first narrows the columns that may wrap: only the one to be cut, if there is one.
        is_whole = bool(cut) and title != cut
        table.add_column(title, justify="right" if is_number and number else "left", no_wrap=is_whole)
    for row in rows:
        cells = zip(columns, row, strict=True)
        table.add_row(*(Text(cell, no_wrap=True, overflow="ellipsis") if of == cut else cell for of, cell in cells))
    Console(highlight=False, markup=False, quiet=_manner.is_quiet).print(table)


def shown(path: str) -> str:
    """Return a path as a person in the current folder would type it."""
    return path.removeprefix(f"{Path.cwd()}/")


def _plain(value: Any) -> Any:
    if hasattr(value, "_asdict"):
        return _plain(value._asdict())
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(one) for one in value]
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else value
