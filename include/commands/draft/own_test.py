"""The test of a drafted pipeline: `check` accepts as many rows of the sample, which lies beside it, as it did.

A table has no sample: its test is of one made-up row.
"""

import csv
import gzip
import io
from datetime import date, datetime, time

from commands.check_form import head_of
from commands.draft.literals import text_literal
from commands.draft.place import TESTS
from commands.draft.sample import Sample
from daybook.spec import Table

# A larger sample is cut to its first rows.
LARGEST_BYTES, CUT_BYTES = 2**18, 2**16
TEST = '''"""The pipeline {name} reads its sample as `./daybook init` saw it."""

import json
from pathlib import Path

import pytest

from commands.__main__ import main

SAMPLE = Path(__file__).parent / {folder} / {sample}


def test_as_many_rows_of_the_sample_are_accepted_as_at_first(capsys: pytest.CaptureFixture[str]) -> None:
    main(["check", str(SAMPLE), "--pipeline", {pipeline}, "--day", "{day}", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["message"] {message}
    assert (found["rows"], found["accepted"], found["refused"]) == {counts}
'''


def sample_file(name: str, sample: str) -> str:
    """Return where the copy of a sample lies, below the checkout. sample: its name."""
    return f"{TESTS}/{name}/{sample}"


def copy_of(sample: Sample) -> bytes:
    """Return the sample as it is; if it is large, its first rows in the same form."""
    form = sample.source.form
    is_cut = (
        form.format == "csv" and form.compression in ("none", "gzip") and form.line_end == "lf" and not form.has_footer
    )
    if sample.path.stat().st_size <= LARGEST_BYTES or not is_cut:
        return sample.path.read_bytes()
    first = _first_lines(sample).decode().encode(form.encoding)
    return gzip.compress(first, mtime=0) if form.compression == "gzip" else first


def _first_lines(sample: Sample) -> bytes:
    """Return whole records from the start of the file, with the lines above them."""
    head, end, line = head_of(sample.path, sample.source), 0, 1
    refused = (row.line for row in sample.checked.refused)
    for start in sorted({*sample.checked.table["line"].to_pylist(), *refused}):
        while line < start:
            end, line = head.index(b"\n", end) + 1, line + 1
        if end > CUT_BYTES:
            break
    return head[:end]


def made_up(table: Table, day: date) -> bytes:
    """Return a row that the contract of a table accepts, with its header, as CSV."""
    values = {"integer": "1", "decimal": "1", "boolean": "true", "text": "a"}
    noon = datetime.combine(day, time(12))
    row = [noon.strftime(column.format) if column.format else values[column.kind] for column in table.columns]
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows([[column.header for column in table.columns], row])
    return written.getvalue().encode()


def own_test(name: str, sample: str, day: date, *, message: str | None, counts: tuple[int, int, int]) -> str:
    """Return the text of the test.

    message: why the sample would be refused as a whole. counts: its rows, and those accepted and refused.
    """
    return TEST.format(
        name=name,
        folder=text_literal(name),
        sample=text_literal(sample),
        pipeline=text_literal(name),
        day=day,
        message="is None" if message is None else "is not None",
        counts=counts,
    )
