"""The work to do for each day, and why: decided from the ledger and the current state of the sources.

It reads and asks nothing itself (see planning/observe.py). A day is skipped if nothing that its publication depends on
has changed; otherwise the plan names the first step that has, and that step and all after it are done again.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from statistics import median
from typing import Literal, NamedTuple

from daybook.ledger import fingerprint
from daybook.ledger.chain import broken, content_sha256, files_read
from daybook.ledger.code import digest
from daybook.ledger.raw_files import raw_sha256
from daybook.ledger.receipt import STEPS, Receipt
from daybook.postgres.day_state import DayState
from daybook.refused.mends import as_inputs as mends_as_inputs
from daybook.spec import LATER, Pipeline
from daybook.text import one_line

Action = Literal["run", "skip", "blocked"]
SHOWN_KEYS = 5
# The kinds of failure that the same bytes, spec and code bring again: a retry cannot mend them.
FAILS_AGAIN = ("BadData", "Implausible")


class FileState(NamedTuple):
    """A file's size and time, as the server writes them."""

    size_bytes: int | None
    modified_at: str


class Failure(NamedTuple):
    """The last try of a day, if it failed after the last deployment: the step, the kind of error, its message, when.

    inputs_sha256, spec_sha256, code_sha256, libraries: the parts of the step's fingerprint, each None if unknown."""

    step: str
    kind: str
    message: str
    failed_at: datetime
    spec_sha256: str | None = None
    code_sha256: str | None = None
    libraries: str | None = None
    inputs_sha256: str | None = None


class Standing(NamedTuple):
    """The state of a day. deployed: the receipts, by step, of the last finished run, whether or not it changed anything
    for readers. files: by source, or for parts by "source.1" and so on, with their "source.manifest"; None if the
    server does not have it. failed: the receipts, by step, of the last failed run. mends: their hashes, by source and
    by the raw file's hash; None if unknown. rolled_back: by whom and why, if a rollback still stands. changed_keys: for
    a lookup whose table has changed, the keys of changed rows that the day's facts have; left out if unknown.
    published_content: the hash of what readers see; None if unknown. beside: what lies on the server instead of a
    missing file, in words, by the names of files. slices: the day's rows of each table that is read by day. unmarked:
    in words, the tables whose mark of the day is not there. settled: the sources of which the day keeps a copy."""

    day: date
    is_published: bool
    deployed: dict[str, Receipt]
    failure: Failure | None
    files: dict[str, FileState | None]
    failed: dict[str, Receipt] = {}
    mends: dict[str, dict[str, str]] | None = None
    rolled_back: str | None = None
    changed_keys: dict[str, tuple[str, ...]] = {}
    published_content: str | None = None
    beside: dict[str, str] = {}
    slices: dict[str, DayState] = {}
    unmarked: tuple[str, ...] = ()
    settled: frozenset[str] = frozenset()


class Planned(NamedTuple):
    """One day of a plan: the action and its reason, the steps that are not reused from an earlier run, and how long
    they took on other days (None if no day is known)."""

    day: date
    action: Action
    reason: str
    steps: tuple[str, ...]
    seconds: float | None


class Limited(NamedTuple):
    """A plan with a limit of days to run: the days kept in it, and the days to run that are left out. remarks: what a
    person should know of the sources, a sentence each."""

    planned: list[Planned]
    left_out: list[Planned]
    remarks: tuple[str, ...] = ()


def plan(
    pipeline: Pipeline,
    standings: Iterable[Standing],
    tables: dict[str, DayState],
    *,
    is_forced: bool = False,
    overrides: Mapping[str, object] | None = None,
) -> list[Planned]:
    """Return the plan for each day, newest first.

    tables: what the rows are of each table that is read whole, by source. is_forced: also run days that have
    not changed. overrides: values of the spec that the runs will set otherwise, by their paths; without any, a day is
    planned with those of its last run.
    """
    known = sorted(standings, key=lambda standing: standing.day, reverse=True)
    costs, asked = seconds_by_step(known), pipeline.overridden(overrides or {})
    specs = (asked if overrides else _as_it_ran(pipeline, standing.deployed) for standing in known)
    return [_planned(spec, one, tables, costs, is_forced) for spec, one in zip(specs, known, strict=True)]


def limited(planned: list[Planned], limit: int | None) -> Limited:
    """Keep the first days to run, up to a limit, and all that are not to run."""
    to_run = [day for day in planned if day.action == "run"]
    left_out = [] if limit is None else to_run[limit:]
    return Limited([day for day in planned if day not in left_out], left_out)


def seconds_by_step(standings: Iterable[Standing]) -> dict[str, float]:
    """Return the median seconds of each step over the days on which it was done and not reused."""
    seconds: dict[str, list[float]] = {}
    for standing in standings:
        for step, receipt in standing.deployed.items():
            if receipt.reused_from is None:
                seconds.setdefault(step, []).append(receipt.seconds)
    return {step: median(taken) for step, taken in seconds.items()}


def _planned(
    pipeline: Pipeline, standing: Standing, tables: dict[str, DayState], costs: dict[str, float], is_forced: bool
) -> Planned:
    missing = [name for name, file in standing.files.items() if file is None]
    if missing:
        paths = ", ".join(_path(pipeline, name, standing.day) + standing.beside.get(name, "") for name in missing)
        return Planned(standing.day, "blocked", f"file not there: {paths}", (), None)
    changed = _first_change(pipeline, standing, tables) or (("extract_tables", "forced") if is_forced else None)
    if (blocked_by := _blocked_by(pipeline, standing, tables)) and not is_forced:
        return Planned(standing.day, "blocked", blocked_by, (), None)
    if changed is None:
        return Planned(standing.day, "skip", standing.rolled_back or "nothing changed", (), 0.0)
    if standing.unmarked:
        return Planned(standing.day, "blocked", "; ".join(standing.unmarked), (), None)
    first, reason = changed
    steps = STEPS if first in STEPS[:2] else (*STEPS[:2], *STEPS[min(STEPS.index(first), STEPS.index("save")) :])
    seconds = sum(costs.get(step, 0.0) for step in steps) if costs else None
    return Planned(standing.day, "run", reason, steps, seconds)


def _as_it_ran(pipeline: Pipeline, receipts: dict[str, Receipt]) -> Pipeline:
    """Return the pipeline with the values that a day's last run had set otherwise, as far as the spec still lets it."""
    had = next((receipt.overrides for receipt in receipts.values() if receipt.overrides), {})
    return pipeline.overridden({path: value for path, value in had.items() if path in pipeline.may_override})


def _path(pipeline: Pipeline, name: str, day: date) -> str:
    source, _, number = name.partition(".")
    file = pipeline.file(source)
    day = pipeline.delivered_on(file, day) or day
    if file.parts:
        return file.path_on(day, file.label(int(number)))
    return file.path_on(day) + (f", part {number}" if number.isdecimal() and file.has_parts else "")


def _blocked_by(pipeline: Pipeline, standing: Standing, tables: dict[str, DayState]) -> str | None:
    """Return why a day would be held, or fail, as it did before; None once something has changed that could mend it."""
    failure = standing.failure
    # Of an extract that failed it is not known which bytes it read, so they may be others now.
    if failure is None or failure.kind not in FAILS_AGAIN or failure.step in STEPS[:2]:
        return None
    if _mended(pipeline, standing, failure, tables):
        return None
    is_held = failure.kind == "Implausible"
    return f"held: {failure.message}" if is_held else f"failed: {failure.step}, {failure.kind}: {failure.message}"


def _mended(
    pipeline: Pipeline, standing: Standing, failure: Failure, tables: dict[str, DayState]
) -> tuple[str, str] | None:
    """Return what changed since the last failed run: an input, mends of rows, or the spec, the code or a library of the
    failed step or one before it."""
    before = STEPS[: STEPS.index(failure.step)]
    return (
        _changed_input(pipeline, standing, standing.failed, tables, {})
        or _new_mends(pipeline, standing.failed, standing.mends)
        or _broken_link(standing.failed, before)
        or _changed_ground(pipeline, standing.failed, before)
        or _changed_step(pipeline, failure)
        or _mends_unread(pipeline, standing, failure)
    )


def _broken_link(receipts: dict[str, Receipt], steps: tuple[str, ...] = STEPS) -> tuple[str, str] | None:
    # Before the second extract there is only the first, which it does not rest on.
    found = broken(receipts, steps) if len(steps) > 1 else None
    return (found.step, found.reason) if found else None


def _changed_step(pipeline: Pipeline, failure: Failure) -> tuple[str, str] | None:
    """Return what changed of the failed step itself; a part that is not known counts as unchanged."""
    if failure.step not in fingerprint.FINGERPRINTED_STEPS:
        return None
    now = fingerprint.fingerprint(failure.step, pipeline)
    was = {"spec": failure.spec_sha256, "code": failure.code_sha256, "libraries": failure.libraries}
    known = now.model_copy(update={part: value for part, value in was.items() if value is not None})
    part = fingerprint.changed_part(failure.step, known, now)
    return (failure.step, f"{part} changed: {failure.step}") if part else None


def _mends_unread(pipeline: Pipeline, standing: Standing, failure: Failure) -> tuple[str, str] | None:
    """Return that rows were mended since `load` failed: it has no receipt then, only the hash of what it read."""
    if failure.step != "load" or failure.inputs_sha256 is None or standing.mends is None:
        return None
    raw = raw_sha256(pipeline, standing.failed)
    read = files_read("load", standing.failed) | mends_as_inputs(standing.mends, raw)
    return None if digest(read) == failure.inputs_sha256 else ("load", "rows mended")


def _first_change(pipeline: Pipeline, standing: Standing, tables: dict[str, DayState]) -> tuple[str, str] | None:
    """Return the first step that has to be done again, and why; None if nothing has."""
    if standing.failure:
        failed = standing.failure.step, f"failed before: {standing.failure.step}, {standing.failure.kind}"
        return _mended(pipeline, standing, standing.failure, tables) or failed
    # A person may have taken the publication back: then nothing is seen, and nothing is to be done.
    is_settled = standing.is_published or standing.rolled_back
    if not is_settled or "deploy" not in standing.deployed:
        return "extract_tables", "never done"
    return (
        _changed_input(pipeline, standing, standing.deployed, tables, standing.changed_keys)
        or _new_mends(pipeline, standing.deployed, standing.mends)
        or _broken_link(standing.deployed)
        or _changed_ground(pipeline, standing.deployed, fingerprint.FINGERPRINTED_STEPS)
        or _unseen(pipeline, standing)
    )


def _changed_input(
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


def _new_mends(
    pipeline: Pipeline, receipts: dict[str, Receipt], mends: dict[str, dict[str, str]] | None
) -> tuple[str, str] | None:
    """Return that rows were mended if a run's raw files have other mends now than when they were loaded."""
    if mends is None or not set(STEPS[:3]) <= set(receipts):
        return None
    raw = raw_sha256(pipeline, receipts)
    now = {f"mends/{source}": by_file.get(raw.get(source, "")) for source, by_file in mends.items()}
    was = {name: sha256 for name, sha256 in receipts["load"].inputs.items() if name.startswith("mends/")}
    return None if {name: sha256 for name, sha256 in now.items() if sha256} == was else ("load", "rows mended")


def _state_at(extracted: Receipt, name: str) -> FileState | None:
    output = extracted.outputs.get(f"{name}.csv", extracted.outputs.get(name))
    origin = extracted.origins.get(name)
    return FileState(output.size_bytes, origin.modified_at if origin else "") if output else None


def _changed_ground(pipeline: Pipeline, receipts: dict[str, Receipt], steps: tuple[str, ...]) -> tuple[str, str] | None:
    for step in steps:
        if step not in fingerprint.FINGERPRINTED_STEPS or step not in receipts:
            continue
        now = fingerprint.fingerprint(step, pipeline)
        if part := fingerprint.changed_part(step, receipts[step].fingerprint, now):
            return step, f"{part} changed: {step}"
    return None


def _unseen(pipeline: Pipeline, standing: Standing) -> tuple[str, str] | None:
    """Return that readers see another result than the last run's: its `deploy` found the day published already, and
    changed nothing. A person's rollback is no reason."""
    if standing.published_content is None or standing.rolled_back:
        return None
    if standing.published_content == content_sha256(pipeline, standing.deployed["summarize"]):
        return None
    return "save", "readers see another result than the last run's"
