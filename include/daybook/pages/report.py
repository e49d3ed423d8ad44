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


def report(
    pipeline: Pipeline, summaries: dict[str, pa.Table], receipts: dict[str, Receipt], changes: Changes | None = None
) -> bytes:
    """Return the page.

    summaries: published columns, by name. receipts: of the steps before `deploy`, by step. changes: for readers.
    """
    page = template("report").render(
        pipeline=pipeline,
        day=receipts["load"].day,
        summaries=[(name, _table(summaries[name])) for name in (s.name for s in reversed(pipeline.summaries))],
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
    return {"columns": shown.column_names, "rows": [list(row.values()) for row in shown.to_pylist()]}


def _sources(pipeline: Pipeline, receipts: dict[str, Receipt]) -> list[dict[str, Any]]:
    return [
        {
            "name": source.name,
            "files": _files(receipts[step], source.name),
            "lines": [(name, receipts[name].rows[source.name]) for name in ("load", "clean", "index")],
        }
        for step, sources in (("extract_tables", pipeline.tables), ("extract_files", pipeline.files))
        for source in sources
    ]


def _files(extracted: Receipt, source: str) -> list[dict[str, Any]]:
    is_plain = extracted.origins[source].is_encrypted is False
    files = raw_files(extracted, source, source)
    return [
        {
            "name": f"{source}, part {file.number} of {len(files)}" if file.number else source,
            "written": extracted.outputs[file.file],
            "origin": extracted.origins[file.stem].place,
            "is_plain": is_plain,
            "checked_by": extracted.origins[file.stem].checked_by,
            "is_as_of_day": bool(extracted.origins[file.stem].as_of),
            "without_day": extracted.origins[file.stem].without_day,
        }
        for file in files
    ]
