"""The report of a day: one HTML page with the summaries and the counts of all rows.

It is made from the summaries and the receipts and holds no clock time, so equal inputs give equal bytes.
"""

from typing import Any

import pyarrow as pa

from daybook.ledger.raw_files import raw_files
from daybook.ledger.receipt import Receipt
from daybook.ledger.runs import Changes
from daybook.pages.templates import template
from daybook.spec import Pipeline

# Of a summary. A page of a million rows takes minutes to write, and no browser shows it.
SHOWN_ROWS = 1_000


def report(
    pipeline: Pipeline, summaries: dict[str, pa.Table], receipts: dict[str, Receipt], changes: Changes | None = None
) -> bytes:
    """Return the page.

    summaries: published columns, by name; roll-ups, which are not of one day, are left out. receipts: of the steps
    before `deploy`, by step. changes: for readers.
    """
    page = template("report").render(
        pipeline=pipeline,
        day=receipts["load"].day,
        summaries=[(s.name, _table(summaries[s.name])) for s in reversed(pipeline.summaries) if not s.every],
        receipts=receipts,
        changes=changes or {},
        held=receipts["summarize"].held,
        is_empty=not receipts["summarize"].totals["row_count"] and not receipts["summarize"].held,
        mended=receipts["load"].mended,
        set_aside=receipts["load"].mends_set_aside,
        sources=_sources(pipeline, receipts),
    )
    return page.encode()


def _table(rows: pa.Table) -> dict[str, Any]:
    shown = rows.drop_columns(["day"])
    rows_of_page = [list(row.values()) for row in shown.slice(0, SHOWN_ROWS).to_pylist()]
    return {"columns": shown.column_names, "rows": rows_of_page, "more": max(0, rows.num_rows - SHOWN_ROWS)}


def _sources(pipeline: Pipeline, receipts: dict[str, Receipt]) -> list[dict[str, Any]]:
    return [
        {
            "name": source.name,
            "files": _files(receipts[step], source.name, receipts["clean"].rows[source.name].by_file),
            "lines": [(name, receipts[name].rows[source.name]) for name in ("load", "clean", "index")],
        }
        for step, sources in (("extract_tables", pipeline.tables), ("extract_files", pipeline.files))
        for source in sources
    ]


def _files(extracted: Receipt, source: str, rows: dict[str, int]) -> list[dict[str, Any]]:
    is_plain = extracted.origins[source].is_encrypted is False
    files = raw_files(extracted, source, source)
    return [
        {
            "name": f"{source}, part {place} of {len(files)}" if file.number else source,
            "written": extracted.outputs[file.file],
            "origin": extracted.origins[file.stem].place,
            "is_plain": is_plain,
            "checked_by": extracted.origins[file.stem].checked_by,
            "is_as_of_day": bool(extracted.origins[file.stem].as_of),
            "without_day": extracted.origins[file.stem].without_day,
            "rows_of_day": rows.get(file.name),
        }
        for place, file in enumerate(files, 1)
    ]
