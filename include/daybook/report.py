"""The report of a day: one HTML page with the summaries and where every row went.

It is made from the summaries and the receipts and holds no clock time, so equal inputs give equal bytes.
"""

from typing import Any

import pyarrow as pa

from daybook import mends
from daybook.changes import Changes
from daybook.pages import template
from daybook.receipt import Receipt
from daybook.spec import Pipeline


def report(
    pipeline: Pipeline, summaries: dict[str, pa.Table], receipts: dict[str, Receipt], changes: Changes | None = None
) -> bytes:
    """Give the page.

    summaries: published columns, by name. receipts: of the steps before `deploy`, by step. changes: of what readers
    saw before.
    """
    page = template("report").render(
        pipeline=pipeline,
        day=receipts["load"].day,
        summaries=[(name, _table(summaries[name])) for name in (s.name for s in reversed(pipeline.summaries))],
        receipts=receipts,
        changes=changes or {},
        release=receipts["summarize"].notes,
        mended=mends.noted(receipts["load"].notes),
        set_aside=receipts["load"].notes.get("mends_set_aside"),
        sources=_sources(pipeline, receipts),
    )
    return page.encode()


def _table(rows: pa.Table) -> dict[str, Any]:
    shown = rows.drop_columns(["day"])
    return {"columns": shown.column_names, "rows": [list(row.values()) for row in shown.to_pylist()]}


def _sources(pipeline: Pipeline, receipts: dict[str, Receipt]) -> list[dict[str, Any]]:
    return [
        {
            "name": source.name,
            "file": receipts[step].outputs[f"{source.name}.csv"],
            "origin": receipts[step].notes[source.name],
            "is_plain": receipts[step].notes.get(f"{source.name}_is_encrypted", True) == 0,
            "lines": [(name, receipts[name].rows[source.name]) for name in ("load", "clean", "index")],
        }
        for step, sources in (("extract_tables", pipeline.tables), ("extract_files", pipeline.files))
        for source in sources
    ]
