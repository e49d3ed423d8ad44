"""The rows of single steps in the ledger: one for each step of a run on a day, with its outcome. They are only written
here; ledger/turns.py says when, and ledger/step_log.py asks for them."""

import json
import logging
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

import psycopg

from daybook.errors import NOT_KEPT, DaybookError, NotYet
from daybook.ledger.code import digest
from daybook.ledger.receipt import Fingerprint, Receipt
from daybook.postgres.session import Connection

log = logging.getLogger(__name__)


class Trying(NamedTuple):
    """One try of a step: of which run on which day, started by whom or what, and when."""

    pipeline: str
    day: date
    run: str
    step: str
    started_by: str
    started_at: datetime


class StepRow(NamedTuple):
    """The row of a step: its try, and the words of the table's other columns; a column without one becomes null."""

    trying: Trying
    words: dict[str, Any]


KEY = ("pipeline", "day", "run", "step")
COLUMNS = (
    *Trying._fields,
    *("state", "inputs_sha256", "spec_sha256", "code_sha256", "libraries", "outputs_sha256"),
    *("rows_read", "rows_refused", "receipt", "error_kind", "error"),
)
# All rows in one statement: a statement for each of a task's days takes longer than what it writes.
WRITE = (
    f"insert into step ({', '.join(COLUMNS)}) "  # noqa: S608 - our own words
    f"select {', '.join(COLUMNS)} from jsonb_populate_recordset(null::step, %s::jsonb) "
    f"on conflict ({', '.join(KEY)}) do update set "
    f"{', '.join(f'{name} = excluded.{name}' for name in COLUMNS if name not in KEY)}, "
    "attempts = step.attempts + 1, ended_at = clock_timestamp()"
)


def done(trying: Trying, receipt: Receipt) -> StepRow:
    """Return the row of a step that was done, or reused from an earlier run."""
    rows = receipt.rows.values()
    words = {
        "state": "reused" if receipt.reused_from else "done",
        "outputs_sha256": digest({name: output.sha256 for name, output in receipt.outputs.items()}),
        "rows_read": sum(row.read for row in rows),
        "rows_refused": receipt.refused,
        "receipt": receipt.model_dump(mode="json"),
    }
    return StepRow(trying, words | _ground(receipt.fingerprint))


def failed(trying: Trying, error: Exception, ground: Fingerprint | None) -> StepRow:
    """Return the row of a step that failed, or waits. ground: the step's fingerprint."""
    is_ours = isinstance(error, DaybookError)
    message = str(error).replace("\0", "") if is_ours else NOT_KEPT
    state = "waiting" if isinstance(error, NotYet) else "failed"
    return StepRow(trying, {"state": state, "error_kind": type(error).__name__, "error": message} | _ground(ground))


def _ground(ground: Fingerprint | None) -> dict[str, str | None]:
    parts = ground.model_dump() if ground else {}
    hashes = {f"{part}_sha256": parts.get(part) for part in ("inputs", "spec", "code")}
    return {**hashes, "libraries": parts.get("libraries")}


def write(session: Connection, rows: Sequence[StepRow]) -> None:
    """Write rows, one for each try, in the session's open transaction.

    Raises psycopg.Error if the session is broken, or the only row cannot be written; of several, such a row is left
    out, and the log says so.
    """
    if not rows:
        return
    try:
        _execute(session, rows)
    except psycopg.Error:
        if len(rows) == 1 or session.broken:
            raise
        for row in rows:
            _write_alone(session, row)


def _write_alone(session: Connection, row: StepRow) -> None:
    try:
        _execute(session, [row])
    except psycopg.Error as error:
        named, kind = row.trying, type(error).__name__
        log.warning("%s %s, %s: not written into the ledger: %s", named.pipeline, named.day, named.step, kind)


def _execute(session: Connection, rows: Sequence[StepRow]) -> None:
    said = json.dumps([{**row.trying._asdict(), **row.words} for row in rows], default=str, ensure_ascii=False)
    # A message may quote bytes of a file's name that are no text.
    words = [said.encode(errors="replace").decode()]
    with session.transaction():
        session.execute(WRITE.encode(), words)
