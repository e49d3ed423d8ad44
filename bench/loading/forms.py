"""The forms in which suppliers write values: `python -m loading.forms FORM ROWS` measures one, `--names` lists all.

Each is a file of eight columns with the same values; only how numbers, days and instants are written differs. Prints a
line of JSON: the CPU seconds of the loader, and the rows that it kept.
"""

import io
import json
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from random import Random
from typing import Any, NamedTuple

from daybook.loader.load import load
from daybook.spec import Column, File, Form, boolean, day_date, decimal, integer, text, timestamp

DISTINCT_ROWS, SEED = 100_000, 20130101
# Of every column of the form of fixed width: wide enough for the widest.
WIDTH = 20
START = datetime(2024, 1, 1)  # noqa: DTZ001 - a local time


class Written(NamedTuple):
    """How a form writes an amount in cents, a day and an instant, and the words that declare it."""

    amount: Callable[[int], str] = lambda cents: f"{cents / 100:.2f}"
    day: str = "%Y-%m-%d"
    instant: str = "%Y-%m-%d %H:%M:%S"
    amounts: dict[str, Any] = {}
    days: dict[str, Any] = {}
    instants: dict[str, Any] = {}
    file: dict[str, Any] = {}
    is_quoted: bool = False
    is_fixed_width: bool = False


def _german(cents: int) -> str:
    return f"{cents / 100:,.2f}".translate(str.maketrans(",.", ".,"))


def _negative(frame: str) -> Callable[[int], str]:
    return lambda cents: frame.format(f"{-cents / 100:.2f}") if cents < 0 else f"{cents / 100:.2f}"


SEMICOLON = {"delimiter": ";"}
FORMS = {
    "plain": Written(),
    "decimal comma": Written(lambda c: f"{c / 100:.2f}".replace(".", ","), file=SEMICOLON | {"decimal_mark": ","}),
    "and points for thousands": Written(_german, file=SEMICOLON | {"decimal_mark": ",", "thousands_mark": "."}),
    "narrow blanks for thousands": Written(
        lambda c: f"{c / 100:,.2f}".replace(",", "\u202f"), file={"thousands_mark": "\u202f"}
    ),
    "a currency after it": Written(lambda c: f"{c / 100:.2f} EUR", amounts={"units": ("EUR",)}),
    "trailing minus": Written(_negative("{}-"), amounts={"negatives": ("trailing",)}),
    "parentheses": Written(_negative("({})"), amounts={"negatives": ("parentheses",)}),
    "percent, divided": Written(lambda c: f"{c / 100:.2f}%", amounts={"percent": "divide", "scale": 4}),
    "a plus": Written(lambda c: f"{c / 100:+.2f}"),
    "exponents": Written(lambda c: f"{c / 100:.6e}", amounts={"exponents": "read", "scale": 8}),
    "extra zeros": Written(lambda c: f"{c / 100:.4f}", amounts={"extra_zeros": "ignore"}),
    "scale 4": Written(lambda c: f"{c / 100:.4f}", amounts={"scale": 4}),
    "days without zeros": Written(day="%-d/%-m/%Y"),
    "two-digit years": Written(day="%d.%m.%y"),
    "names of months": Written(day="%d-%b-%Y"),
    "AM/PM": Written(instant="%m/%d/%Y %I:%M:%S %p"),
    "an offset": Written(instant="%Y-%m-%d %H:%M:%S+02:00", instants={"format": "%Y-%m-%d %H:%M:%S%z"}),
    "fractions of any length": Written(
        instant="%Y-%m-%d %H:%M:%S.%f", instants={"missing_fraction": "zero", "long_fraction": "cut"}
    ),
    "local time": Written(file={"time_zone": "Europe/Madrid", "repeated_hour": "first", "skipped_hour": "shift"}),
    "Excel's days": Written(day="excel"),
    "unix seconds": Written(instant="unix"),
    "fixed width": Written(file={"form": Form(is_fixed_width=True, header_line=1)}, is_fixed_width=True),
    "every field in quotes": Written(file={"null_tokens": ("",)}, is_quoted=True),
}


def main(name: str, rows: str = "0") -> None:
    """Load a file of a form, and print; or print the names of all forms."""
    if name == "--names":
        print("\n".join(FORMS))
        return
    written = FORMS[name]
    content, source = _file(written, int(rows)), _source(written)
    began = time.process_time()
    kept = sum(batch.kept.num_rows for batch in load(io.BytesIO(content), source))
    print(json.dumps({"cpu_s": time.process_time() - began, "kept": kept}))


def _source(written: Written) -> File:
    columns: tuple[Column, ...] = (
        integer("id"),
        text("shop"),
        decimal("amount", **{"digits": 16, "scale": 2} | written.amounts),
        decimal("tax", **{"digits": 16, "scale": 2} | written.amounts),
        day_date("day", format=written.day, **written.days),
        timestamp("at", **{"format": written.instant} | written.instants),
        boolean("is_paid"),
        text("note"),
    )
    if written.is_fixed_width:
        columns = tuple(column.model_copy(update={"width": WIDTH}) for column in columns)
    return File(name="f", connection="ftp", path="f.csv", columns=columns, **written.file)


def _file(written: Written, rows: int) -> bytes:
    delimiter = str(written.file.get("delimiter", ","))
    random = Random(SEED)  # noqa: S311 - the same bytes each time
    lines = [delimiter.join(_row(written, random)) + "\n" for _ in range(min(rows, DISTINCT_ROWS))]
    header = delimiter.join(("id", "shop", "amount", "tax", "day", "at", "is_paid", "note")) + "\n"
    return (header + "".join(lines) * (rows // len(lines))).encode()


def _row(written: Written, random: Random) -> list[str]:
    at = START + timedelta(microseconds=random.randrange(365 * 86_400 * 10**6))
    cells = [
        str(random.randrange(10**8)),
        f"S{random.randrange(500)}",
        written.amount(random.randrange(-(10**7), 10**9)),
        written.amount(random.randrange(10**7)),
        _moment(at, written.day),
        _moment(at, written.instant),
        random.choice(["true", "false"]),
        random.choice(["", "a note of some words"]),
    ]
    if written.is_fixed_width:
        return ["".join(cell.ljust(WIDTH) for cell in cells)]
    return [f'"{cell}"' for cell in cells] if written.is_quoted else cells


def _moment(at: datetime, form: str) -> str:
    match form:
        case "excel":
            return str((at - datetime(1899, 12, 30)).days)  # noqa: DTZ001 - a local time
        case "unix":
            return str(int((at - datetime(1970, 1, 1)).total_seconds()))  # noqa: DTZ001 - a local time
    return at.strftime(form)[: None if "%f" not in form else -(at.second % 6) or None]


if __name__ == "__main__":
    main(*sys.argv[1:])
