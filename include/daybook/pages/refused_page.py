"""The page of the refused rows of a day: by rule, with their counts and lines, and how to mend and replay them.

plugins/ serves it. The text of a row, and what is said of its values, is only for people who may read the logs of the
day's tasks; for the others the page has counts and lines alone.
"""

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import pyarrow as pa

from daybook.loader.layout import heights, lines_of_refused
from daybook.loader.line_numbers import own_line
from daybook.pages.templates import template
from daybook.refused.file import written
from daybook.refused.rows import LastRun
from daybook.spec import Pipeline
from daybook.text import counted, first_spans, lines_from

# Of a rule, with their text. The others are in the file to download.
SHOWN_ROWS = 20
SHOWN_CHARACTERS = 500


class Rule(NamedTuple):
    """Rows that one step refused for one reason: the source, and its file if it is in parts."""

    step: str
    source: str
    file: str
    column: str
    reason: str


class Row(NamedTuple):
    """A refused row: the lines that it takes, what is said of it, and its text."""

    lines: str
    detail: str
    text: str
    is_cut: bool


class Refused(NamedTuple):
    """The rows that a rule refused: how many, on which lines, and the first of them with their text.

    rows: none for people who may not read it.
    """

    rule: Rule
    row_count: int
    lines: str
    rows: list[Row]


def refused_page(pipeline: Pipeline, day: date, last: LastRun, rows: pa.Table, *, shows_text: bool) -> bytes:
    """Return the page. last, rows: of `last_run` and `refused_rows`. shows_text: whether it is for somebody who may see
    what is in the rows.
    """
    page = template("refused_page").render(
        title=f"{pipeline.name} {day}: refused rows",
        pipeline=pipeline,
        day=day,
        last=last,
        rules=list(_by_rule(last, rows, shows_text=shows_text)),
        shows_text=shows_text,
        in_words=_in_words(rows.num_rows, lines_of_refused(rows)),
    )
    return page.encode()


def _in_words(rows: int, lines: int) -> str:
    return counted(rows, "refused row") + (f", of {lines:,} lines" if lines != rows else "")


def _by_rule(last: LastRun, rows: pa.Table, *, shows_text: bool) -> Iterator[Refused]:
    """Yield the rules in the order of the work, each with its rows in the order of their lines."""
    places: dict[Rule, list[int]] = {}
    for number, words in enumerate(rows.select(["step", "source", "line", "column", "reason"]).to_pylist()):
        file = last.file_of(words["source"], words["line"])
        rule = Rule(words["step"], words["source"], file, words["column"] or "", words["reason"])
        places.setdefault(rule, []).append(number)
    high = heights(rows)
    lines = [own_line(line) for line in rows["line"].to_pylist()]
    for rule, found in places.items():
        spanned = [line for number in found for line in range(lines[number], lines[number] + high[number])]
        shown = found[:SHOWN_ROWS] if shows_text else []
        texts = rows.take(pa.array(shown, pa.int64())).select(["detail", "raw"]).to_pylist()
        kept = [_row(lines[number], high[number], **words) for number, words in zip(shown, texts, strict=True)]
        yield Refused(rule, len(found), first_spans(spanned), kept)


def _row(line: int, height: int, *, detail: str | None, raw: bytes | None) -> Row:
    text = written(raw or b"").rstrip("\r\n")
    return Row(lines_from(line, height), detail or "", text[:SHOWN_CHARACTERS], len(text) > SHOWN_CHARACTERS)
