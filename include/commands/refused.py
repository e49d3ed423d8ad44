"""`./daybook refused DAY`: the refused rows of the last run of a day, and the dropped ones, counted; --out writes the
refused ones, to be mended.

It asks the ledger and reads the data folder. Only the file of --out shows values, and only its owner can read it.
"""

from collections import Counter
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import typer

from commands import connections, exit_codes
from commands.arguments import Day, Json, PipelineName, Quiet, check_is_over, pipeline_named
from commands.output import say, tell_json, tell_table
from commands.renamed import as_known
from commands.servers import servers_of
from daybook.ledger.raw_files import raw_sha256
from daybook.loader.layout import heights, lines_of_refused
from daybook.loader.line_numbers import own_line
from daybook.postgres.session import at_once
from daybook.refused.file import write_refused
from daybook.refused.rows import LastRun, last_run, lost_files, refused_rows
from daybook.spec import Pipeline
from daybook.text import first_spans, one_line

GROUPED = ("step", "source", "column", "reason")

Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="Write the rows there, as CSV with a column to mend in.")
]


def refused(day: Day, out: Out = None, pipeline: PipelineName = None, json: Json = False, quiet: Quiet = False) -> int:
    """Say which rows of a day were refused, and why.

    To mend rows, write them to a file with --out, fill in its column mended, and replay the file.

    Example: ./daybook refused 2013-01-05 --out refused.csv
    """
    chosen = pipeline_named(pipeline)
    check_is_over(chosen, day)
    with servers_of(chosen, "refused"):
        last = _last_run(as_known(chosen), day)
        rows, lost = refused_rows(last), lost_files(last, chosen)
        if out:
            write_refused(out, rows, raw_sha256(chosen, last.receipts))
    if json:
        tell_json({"pipeline": chosen.name, "day": day, **_in_words(last, rows), "unchecked": lost})
    else:
        tell(f"{chosen.name} {day}", last, rows, out)
        for path, fault in lost.items():
            say(f"not checked: {path} is {fault} since the run read it, so do not look these lines up there")
    return exit_codes.DONE


def tell(what: str, last: LastRun, rows: pa.Table, out: Path | None) -> None:
    """Print the state of a run, its refused rows by reason with their lines, the dropped ones, and who mended rows."""
    lines, dropped = lines_of_refused(rows), sum(one.rows for one in last.dropped)
    more = f", of {lines:,} lines" if lines != rows.num_rows else ""
    counts = f"refused rows: {rows.num_rows:,}{more}; dropped rows: {dropped:,}"
    say(f"{what}: run {last.run}, {last.became}; {counts}")
    if rows.num_rows:
        tell_table((*GROUPED, "rows", "lines"), _counted(last, rows))
    for one in last.dropped:
        say(f"dropped in {one.step}: {one.source}, {one.reason}: {one.rows:,}")
    for mended in last.mended:
        say(mended.sentence)
    if out:
        say(f"written to {out}: fill `mended` with the whole record of a row, then replay the file")


def _in_words(last: LastRun, rows: pa.Table) -> dict[str, object]:
    of_rows = rows.select(["step", "source", "line", "column", "reason"]).to_pylist()
    files = [last.file_of(row["source"], row["line"]) for row in of_rows]
    shown = [
        {**row, "lines": lines, **({"file": file, "line_in_file": own_line(row["line"])} if file else {})}
        for row, lines, file in zip(of_rows, heights(rows), files, strict=True)
    ]
    words = {"run": last.run, "became": last.became, "mended": last.mended}
    return {**words, "refused": shown, "dropped": [one._asdict() for one in last.dropped]}


def _last_run(pipeline: Pipeline, day: date) -> LastRun:
    connect, data = partial(connections.postgres, pipeline.target.connection), connections.data()
    return at_once(connect, lambda connection: last_run(connection, data, pipeline, day))


def _counted(last: LastRun, rows: pa.Table) -> list[tuple[str, ...]]:
    lines: dict[tuple[str, ...], list[int]] = {}
    counts = Counter[tuple[str, ...]]()
    for row, height in zip(rows.select([*GROUPED, "line"]).to_pylist(), heights(rows), strict=True):
        file, own = last.file_of(row["source"], row["line"]), own_line(row["line"])
        of = tuple(row[name] or "" for name in GROUPED)
        of = (of[0], f"{of[1]}, {one_line(file)}" if file else of[1], *of[2:])
        counts[of] += 1
        lines.setdefault(of, []).extend(range(own, own + height))
    return [(*of, f"{counts[of]:,}", first_spans(found)) for of, found in lines.items()]
