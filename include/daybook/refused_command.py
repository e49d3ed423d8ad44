"""`python -m daybook refused [PIPELINE] DAY`: the refused rows of the last run of a day, counted; --out to mend them.

It asks the ledger and reads the data folder. Values are shown nowhere but in the file of --out, which is its owner's
only. The exit code is 0.
"""

import argparse
from datetime import date
from functools import partial
from pathlib import Path

import pyarrow as pa

from daybook import connections
from daybook.asked import parser, pipeline_named, with_pipeline
from daybook.ledger.raw_files import raw_sha256
from daybook.postgres.session import at_once
from daybook.refused.file import write_refused
from daybook.refused.rows import LastRun, last_run, refused_rows
from daybook.spec import Pipeline
from daybook.telling import tell_json, tell_table
from daybook.text import spans

GROUPED = ("step", "source", "column", "reason")
SPANS_SHOWN = 60  # characters; --json gives every line


def main(words: list[str]) -> int:
    """Print which rows of the day of the command line were refused. Returns the exit code."""
    asked = _parser().parse_args(with_pipeline(words))
    pipeline = pipeline_named(asked.pipeline)
    last = _last_run(pipeline, asked.day)
    rows = refused_rows(last)
    if asked.out:
        write_refused(asked.out, rows, raw_sha256(pipeline, last.receipts))
    if asked.json:
        shown = rows.select(["step", "source", "line", "column", "reason"]).to_pylist()
        words_of_run = {"run": last.run, "became": last.became, "mended": last.mended}
        tell_json({"pipeline": pipeline.name, "day": asked.day, **words_of_run, "refused": shown})
    else:
        tell(f"{pipeline.name} {asked.day}", last, rows, asked.out)
    return 0


def tell(what: str, last: LastRun, rows: pa.Table, out: Path | None) -> None:
    """Print what became of a run, its refused rows by reason with their lines, and who had mended others."""
    print(f"{what}: run {last.run}, {last.became}; refused rows: {rows.num_rows:,}")
    if rows.num_rows:
        tell_table((*GROUPED, "rows", "lines"), _counted(rows))
    for mended in last.mended:
        print(mended.told)
    if out:
        print(f"written to {out}: fill `mended` with the whole record of a row, then replay the file")


def _parser() -> argparse.ArgumentParser:
    made = parser("refused", "Say which rows of a day were refused, and why; --out writes them to be mended.")
    made.add_argument("day", type=date.fromisoformat, help="the day, such as 2013-01-05")
    made.add_argument("--out", type=Path, metavar="FILE", help="write the rows there, as CSV with a column to mend in")
    return made


def _last_run(pipeline: Pipeline, day: date) -> LastRun:
    connect, data = partial(connections.postgres, pipeline.target.connection), connections.data()
    return at_once(connect, lambda connection: last_run(connection, data, pipeline, day))


def _counted(rows: pa.Table) -> list[tuple[str, ...]]:
    lines: dict[tuple[str, ...], list[int]] = {}
    for row in rows.select([*GROUPED, "line"]).to_pylist():
        lines.setdefault(tuple(row[name] or "" for name in GROUPED), []).append(row["line"])
    return [(*of, f"{len(found):,}", _shown(spans(found))) for of, found in lines.items()]


def _shown(lines: str) -> str:
    return lines if len(lines) <= SPANS_SHOWN else f"{lines[:SPANS_SHOWN].rpartition(',')[0]}, …"
