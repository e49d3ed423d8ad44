"""The work to do for each day, and why: decided from the ledger and the current state of the sources.

It reads and asks nothing itself (see planning/observe.py). A day is skipped if nothing that its publication depends on
has changed; otherwise the plan names the first step that has, and that step and all after it are done again.
"""

from collections.abc import Iterable
from datetime import date
from statistics import median
from typing import Literal, NamedTuple

from daybook.ledger import fingerprint
from daybook.ledger.chain import broken, content_sha256
from daybook.ledger.receipt import STEPS, Receipt
from daybook.planning.changed_inputs import changed_input, mends_unread, new_mends
from daybook.planning.ground import Ground, Grounds
from daybook.planning.standing import Failure, Standing
from daybook.postgres.day_state import DayState
from daybook.spec import Pipeline

Action = Literal["run", "skip", "blocked"]
# The kinds of failure that the same bytes, spec and code bring again: a retry cannot mend them.
FAILS_AGAIN = ("BadData", "Implausible")


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
    pipeline: Pipeline, standings: Iterable[Standing], tables: dict[str, DayState], *, is_forced: bool = False
) -> list[Planned]:
    """Return the plan for each day, newest first.

    tables: what the rows are of each table that is read whole, by source. is_forced: also run days that have
    not changed.
    """
    known = sorted(standings, key=lambda standing: standing.day, reverse=True)
    costs, grounds = seconds_by_step(known), Grounds(pipeline)
    return [_planned(grounds.of(one.deployed), one, tables, costs, is_forced) for one in known]


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
    ground: Ground, standing: Standing, tables: dict[str, DayState], costs: dict[str, float], is_forced: bool
) -> Planned:
    missing = [name for name, file in standing.files.items() if file is None]
    if missing:
        paths = ", ".join(
            _path(ground.pipeline, name, standing.day) + standing.beside.get(name, "") for name in missing
        )
        return Planned(standing.day, "blocked", f"file not there: {paths}", (), None)
    changed = _first_change(ground, standing, tables) or (("extract_tables", "forced") if is_forced else None)
    if (blocked_by := _blocked_by(ground, standing, tables)) and not is_forced:
        return Planned(standing.day, "blocked", blocked_by, (), None)
    if changed is None:
        return Planned(standing.day, "skip", standing.rolled_back or "nothing changed", (), 0.0)
    if standing.unmarked:
        return Planned(standing.day, "blocked", "; ".join(standing.unmarked), (), None)
    first, reason = changed
    steps = STEPS if first in STEPS[:2] else (*STEPS[:2], *STEPS[min(STEPS.index(first), STEPS.index("save")) :])
    seconds = sum(costs.get(step, 0.0) for step in steps) if costs else None
    return Planned(standing.day, "run", reason, steps, seconds)


def _path(pipeline: Pipeline, name: str, day: date) -> str:
    source, _, number = name.partition(".")
    file = pipeline.file(source)
    day = pipeline.delivered_on(file, day) or day
    if file.parts:
        return file.path_on(day, file.label(int(number)))
    return file.path_on(day) + (f", part {number}" if number.isdecimal() and file.has_parts else "")


def _blocked_by(ground: Ground, standing: Standing, tables: dict[str, DayState]) -> str | None:
    """Return why a day would be held, or fail, as it did before; None once something has changed that could mend it."""
    failure = standing.failure
    # Of an extract that failed it is not known which bytes it read, so they may be others now.
    if failure is None or failure.kind not in FAILS_AGAIN or failure.step in STEPS[:2]:
        return None
    if _mended(ground, standing, failure, tables):
        return None
    is_held = failure.kind == "Implausible"
    return f"held: {failure.message}" if is_held else f"failed: {failure.step}, {failure.kind}: {failure.message}"


def _mended(
    ground: Ground, standing: Standing, failure: Failure, tables: dict[str, DayState]
) -> tuple[str, str] | None:
    """Return what changed since the last failed run: an input, mends of rows, or the spec, the code or a library of the
    failed step or one before it."""
    before = STEPS[: STEPS.index(failure.step)]
    return (
        changed_input(ground.pipeline, standing, standing.failed, tables, {})
        or new_mends(ground.pipeline, standing.failed, standing.mends)
        or _broken_link(standing.failed, before)
        or ground.changed(standing.failed, before)
        or ground.changed_since(failure)
        or mends_unread(ground.pipeline, standing, failure)
    )


def _broken_link(receipts: dict[str, Receipt], steps: tuple[str, ...] = STEPS) -> tuple[str, str] | None:
    # Before the second extract there is only the first, which it does not rest on.
    found = broken(receipts, steps) if len(steps) > 1 else None
    return (found.step, found.reason) if found else None


def _first_change(ground: Ground, standing: Standing, tables: dict[str, DayState]) -> tuple[str, str] | None:
    """Return the first step that has to be done again, and why; None if nothing has."""
    if standing.failure:
        failed = standing.failure.step, f"failed before: {standing.failure.step}, {standing.failure.kind}"
        return _mended(ground, standing, standing.failure, tables) or failed
    # A person may have taken the publication back: then nothing is seen, and nothing is to be done.
    is_settled = standing.is_published or standing.rolled_back
    if not is_settled or "deploy" not in standing.deployed:
        return "extract_tables", "never done"
    return (
        changed_input(ground.pipeline, standing, standing.deployed, tables, standing.changed_keys)
        or new_mends(ground.pipeline, standing.deployed, standing.mends)
        or _broken_link(standing.deployed)
        or ground.changed(standing.deployed, fingerprint.FINGERPRINTED_STEPS)
        or _unseen(ground.pipeline, standing)
    )


def _unseen(pipeline: Pipeline, standing: Standing) -> tuple[str, str] | None:
    """Return that readers see another result than the last run's: its `deploy` found the day published already, and
    changed nothing. A person's rollback is no reason."""
    if standing.published_content is None or standing.rolled_back:
        return None
    if standing.published_content == content_sha256(pipeline, standing.deployed["summarize"]):
        return None
    return "save", "readers see another result than the last run's"
