"""Which of a day's inputs are not what its last run read: rows of tables, files, mended rows. Pure."""

from daybook.ledger.chain import files_read
from daybook.ledger.code import digest
from daybook.ledger.raw_files import raw_sha256
from daybook.ledger.receipt import STEPS, Receipt
from daybook.planning.standing import Failure, FileState, Standing
from daybook.postgres.day_state import DayState
from daybook.refused.mends import as_inputs as mends_as_inputs
from daybook.spec import LATER, Pipeline
from daybook.text import one_line

SHOWN_KEYS = 5


def changed_input(
    pipeline: Pipeline,
    standing: Standing,
    receipts: dict[str, Receipt],
    tables: dict[str, DayState],
    changed_keys: dict[str, tuple[str, ...]],
) -> tuple[str, str] | None:
    if not set(STEPS[:2]) <= set(receipts):
        return None
    if changed := _changed_table(pipeline, standing, receipts["extract_tables"], tables, changed_keys):
        return "extract_tables", f"input changed: {changed}"
    extracted = receipts["extract_files"]
    for name, file in standing.files.items():
        if file and _state_at(extracted, name) != file:
            return "extract_files", f"input changed: file {_name_in_words(name)}"
    for name in _gone(extracted, standing.files):
        return "extract_files", f"input changed: file {_name_in_words(name)} is gone"
    return None


def _changed_table(
    pipeline: Pipeline,
    standing: Standing,
    extracted: Receipt,
    tables: dict[str, DayState],
    changed_keys: dict[str, tuple[str, ...]],
) -> str | None:
    """Return in words what of a table is not as it was extracted; of some sources the day keeps its own copy."""
    was = extracted.slices
    for name in (name for name, now in tables.items() if was.get(name) != now and name not in standing.settled):
        # A changed lookup of whose changed rows the facts have no key is no change for the day.
        if changed_keys.get(name) != ():
            return f"table {name}{_keys_in_words(changed_keys.get(name, ()))}"
    for name, now in standing.slices.items():
        if was.get(name) != now and name not in standing.settled:
            return _rows_in_words(pipeline, name, was.get(name), now)
    return None


def _rows_in_words(pipeline: Pipeline, name: str, was: DayState | None, now: DayState) -> str:
    relation = next(table.relation for table in pipeline.tables if table.name == name)
    more = now.rows - was.rows if was else 0
    if not more:
        return f"other rows in {relation}"
    return f"{abs(more):,} row{'' if abs(more) == 1 else 's'} {'more' if more > 0 else 'fewer'} in {relation}"


def _gone(extracted: Receipt, files: dict[str, FileState | None]) -> list[str]:
    """Return the files of the last run that are not among those of now, as of a wildcard that finds fewer."""
    parted = {name.partition(".")[0] for name in files if name.rpartition(".")[2].isdecimal()}
    then = (name for name in extracted.origins if name.rpartition(".")[2].isdecimal())
    return sorted(name for name in then if name not in files and name.partition(".")[0] in parted)


def _keys_in_words(keys: tuple[str, ...]) -> str:
    if not keys:
        return ""
    shown = ", ".join(one_line(key) for key in keys[:SHOWN_KEYS])
    return f", {len(keys)} used key{'' if len(keys) == 1 else 's'}: {shown}{', …' if len(keys) > SHOWN_KEYS else ''}"


def _name_in_words(name: str) -> str:
    source, _, number = name.partition(".")
    if number.isdecimal() and int(number) >= LATER:
        late_by, part = divmod(int(number), LATER)
        return f"{source}, part {part} of {late_by} day{'' if late_by == 1 else 's'} later"
    what = f"part {number}" if number.isdecimal() else "its manifest"
    return f"{source}, {what}" if number else source


def new_mends(
    pipeline: Pipeline, receipts: dict[str, Receipt], mends: dict[str, dict[str, str]] | None
) -> tuple[str, str] | None:
    """Return that rows were mended if a run's raw files have other mends now than when they were loaded."""
    if mends is None or not set(STEPS[:3]) <= set(receipts):
        return None
    raw = raw_sha256(pipeline, receipts)
    now = {f"mends/{source}": by_file.get(raw.get(source, "")) for source, by_file in mends.items()}
    was = {name: sha256 for name, sha256 in receipts["load"].inputs.items() if name.startswith("mends/")}
    return None if {name: sha256 for name, sha256 in now.items() if sha256} == was else ("load", "rows mended")


def mends_unread(pipeline: Pipeline, standing: Standing, failure: Failure) -> tuple[str, str] | None:
    """Return that rows were mended since `load` failed: it has no receipt then, only the hash of what it read."""
    if failure.step != "load" or failure.inputs_sha256 is None or standing.mends is None:
        return None
    raw = raw_sha256(pipeline, standing.failed)
    read = files_read("load", standing.failed) | mends_as_inputs(standing.mends, raw)
    return None if digest(read) == failure.inputs_sha256 else ("load", "rows mended")


def _state_at(extracted: Receipt, name: str) -> FileState | None:
    output = extracted.outputs.get(f"{name}.csv", extracted.outputs.get(name))
    origin = extracted.origins.get(name)
    return FileState(output.size_bytes, origin.modified_at if origin else "") if output else None
