"""The copies of lookups that stay with a day: what was read when it was first published, for lookups as of the day.

A run takes them from the run that readers see, which took them from the one before it, back to the first. A run that
was forced began anew with the rows of its time. So the copy that is needed is always that of a run that cleanup keeps.
"""

import json
from datetime import date
from typing import NamedTuple

from daybook.ledger.receipt import Origin, Output, Receipt, Rows
from daybook.postgres.day_state import DayState
from daybook.postgres.session import Connection
from daybook.spec import Pipeline

EXTRACTS = '$[*] ? (@.step == "extract_tables" || @.step == "extract_files")'


class Copied(NamedTuple):
    """The copy of a source: the step and the run that have it, its files by name, its origins, and what was counted."""

    step: str
    run: str
    files: dict[str, Output]
    origins: dict[str, Origin]
    rows: Rows | None
    state: DayState | None


def copies(connection: Connection, pipeline: Pipeline, first: date, last: date) -> dict[date, dict[str, Copied]]:
    """Return the copies that each published day keeps, by source; none of a day that never was published.

    The run of a day is the one that readers see; if a person took the day back, the last one that they saw.
    """
    rows = connection.execute(
        "select distinct on (ledger.day) ledger.day, run.started_by, jsonb_path_query_array(receipts, %s::jsonpath) "
        "from ledger join run using (run_id) left join published using (run_id) "
        "where ledger.pipeline = %s and ledger.day between %s and %s "
        "order by ledger.day, published.run_id is null, published_at desc, ledger.run_id desc",
        [EXTRACTS, pipeline.name, first, last],
    )
    return {day: _copies(pipeline, run, stored) for day, run, stored in rows}


def _copies(pipeline: Pipeline, run: str, stored: list[object]) -> dict[str, Copied]:
    receipts = [Receipt.model_validate_json(json.dumps(receipt)) for receipt in stored]
    found = (_copied(name, receipt, run) for name in sorted(pipeline.as_of_day) for receipt in receipts)
    return {name: copied for name, copied in found if copied}


def _copied(source: str, receipt: Receipt, run: str) -> tuple[str, Copied | None]:
    files = {name: output for name, output in receipt.outputs.items() if name.partition(".")[0] == source}
    if not files:
        return source, None
    origins = {name: origin for name, origin in receipt.origins.items() if name.partition(".")[0] == source}
    words = (receipt.step, run, files, origins, receipt.rows.get(source), receipt.slices.get(source))
    return source, Copied(*words)
