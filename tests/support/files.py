"""Files as the steps leave them, made by hand: receipts in a run's folder, and a published day."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from upath import UPath

from daybook.errors import Awaited
from daybook.ledger.left_out import LeftOut, leave_out
from daybook.ledger.receipt import Output, Receipt, Rows
from daybook.ledger.waiting import Waiting, note
from daybook.storage.data_folder import DataFolder

DAY = date(2013, 1, 5)
LOOKED_AT = datetime(2013, 1, 6, 11, tzinfo=UTC)
CANARY = "<script>alert('canary')</script>\"'><img src=x onerror=alert(1)>"
MADE = Output(rows=3, size_bytes=100, sha256="made first")
MADE_ANEW = Output(rows=3, size_bytes=100, sha256="made anew")


def data_folder(folder: Path) -> DataFolder:
    """Return a folder as the plugin gets it."""
    return DataFolder(UPath(folder.as_uri()))


def leave_receipt(data: Path, run: str, step: str, day: date = DAY, **words: Any) -> None:
    """Leave the receipt of a step of a run of `flights`, with these words in it."""
    folder = data_folder(data).run("flights", day, run)
    told = {"pipeline": "flights", "day": day, "run": run, "step": step, "seconds": 0.25, "peak_memory_mib": 200}
    with (folder / step).new_file("receipt.json") as file:
        file.write(Receipt(**told | words).model_dump_json().encode())


def leave_wait(data: Path, run: str, day: date = DAY, **words: Any) -> None:
    """Leave the note of a run whose `extract_files` waits, with these words in it."""
    known = {"attempt": 1, "since": LOOKED_AT, "looked_at": LOOKED_AT, "again_at": LOOKED_AT + timedelta(minutes=1)}
    awaited = (Awaited("flights", "ftp: flights/a.csv is not there", LOOKED_AT + timedelta(hours=6)),)
    folder = data_folder(data).run("flights", day, run) / "extract_files"
    note(folder, Waiting(**{**known, "awaited": awaited, **words}))


def publish(data: Path, run_id: int, report: bytes = b"<p>the report</p>", day: date = DAY) -> None:
    """Let readers of a day of `flights` see a run."""
    with data_folder(data).published_files("flights", day, run_id).new_file("report.html") as file:
        file.write(report)
    data_folder(data).publish("flights", day, run_id)


def leave_canary(data: Path, run: str, day: date = DAY) -> None:
    """Leave receipts in which every text is an attack."""
    rows = {CANARY: Rows(read=2, kept=0, refused={CANARY: 1}, dropped={CANARY: 1})}
    leave_receipt(data, run, "index", day, rows=rows, unknown={CANARY: 1}, mends_set_aside=CANARY)
    leave_receipt(data, run, "extract_files", day, outputs={CANARY: Output(size_bytes=1, sha256=CANARY)})
    leave_receipt(data, run, "deploy", day, outcome=CANARY, run_id=1)
    leave_wait(data, run, day, awaited=(Awaited(CANARY, CANARY, LOOKED_AT),))
    leave_out(data_folder(data).run("flights", day, run), LeftOut("load", "BadData", CANARY))


def snapshot(folder: Path) -> dict[str, str | bytes]:
    """Return all that lies in a folder: the bytes of each file, and the target of each link."""
    return {
        str(path.relative_to(folder)): str(path.readlink()) if path.is_symlink() else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }
