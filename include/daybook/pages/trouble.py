"""What is wrong with a day, or what it waits for: what happened, what to do, and the command to run again. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from daybook.alerts.late import why_late
from daybook.alerts.mends import mend_of, run_again
from daybook.days import due_at, why_not
from daybook.errors import NOT_KEPT
from daybook.ledger.known_day import KnownDay, RunOfDay
from daybook.pages.run_page import waits_in_words
from daybook.pages.run_state import RunState

# What is said of an error that is not Daybook's.
NOT_OURS = "{}: an error that is not Daybook's; its text may quote a row, so that only the task's log has it"
ROWS = "row_count"


class Noticed(NamedTuple):
    """A failure of a task as Airflow noticed it, also of a killed one. kinds: the names of the error's classes."""

    step: str
    kinds: tuple[str, ...]
    error: str


class Trouble(NamedTuple):
    """What a person has to know first.

    kind: failed, held, waiting, late, behind, owed, rolled_back, running, not_begun or unfinished. run: whose, if it
    is one's. error: its line. notes: further sentences. again: the command. step: the task, if it is one's. numbers:
    of a held day, beside those of the days before it: a header, and a row for each day.
    """

    kind: str
    title: str
    error: str = ""
    notes: tuple[str, ...] = ()
    mend: str = ""
    again: str = ""
    step: str = ""
    run: str = ""
    numbers: tuple[tuple[str, ...], ...] = ()

    @property
    def is_alarm(self) -> bool:
        """Return whether somebody has to do something."""
        return self.kind in ("failed", "held", "late", "behind")


class Try(NamedTuple):
    """The last try of a day, or the run whose tab it is. run: as the ledger knows it; None if it does not. name: its
    own; "" if no run is known."""

    state: RunState
    known: KnownDay
    run: RunOfDay | None
    name: str

    @property
    def again(self) -> str:
        """Return the command that does the day again."""
        return run_again(self.state.pipeline.name, [self.state.day], "")

    @property
    def waits(self) -> tuple[str, ...]:
        """Return what it waits for, in sentences: by its files, or else as the ledger knows it."""
        known = [f"{step.step} waits: {step.error}" for step in self.run.waits] if self.run else []
        return tuple(waits_in_words(self.state) or known)

    @property
    def is_over(self) -> bool:
        """Return whether nothing more is to come of it."""
        return self.run is not None and bool(self.run.outcome or self.run.failure)


def troubles(state: RunState, known: KnownDay, noticed: Mapping[str, Noticed], run: str | None) -> list[Trouble]:
    """Return what is wrong, the worst first; nothing if the day is published and its last try was well.

    state: of the last try, or of the run. noticed: the failures that Airflow noticed, by run. run: the one whose tab
    this is; without it, the last run of the day counts.
    """
    last = known.named(run) if run else next(iter(known.runs), None)
    tried = Try(state, known, last, run or (last.run if last else ""))
    found = [*_failed(tried, noticed.get(tried.name)), *_waiting(tried), *_unfinished(tried)]
    return found if run else [*found, *_rolled_back(known), *_late(tried), *_owed(tried), *_not_begun(tried)]


def _failed(tried: Try, noticed: Noticed | None) -> Iterator[Trouble]:
    failure, left_out = tried.run.failure if tried.run else None, tried.state.left_out
    if failure:
        yield _of_error(tried, failure.step, (failure.error_kind or "",), failure.error or "")
    elif left_out and left_out.kind != "decided":
        yield _of_error(tried, left_out.step, (left_out.kind,), left_out.why)
    elif noticed and not tried.is_over:
        yield _of_error(tried, noticed.step, noticed.kinds, noticed.error)


def _of_error(tried: Try, step: str, kinds: tuple[str, ...], said: str) -> Trouble:
    kind, is_held = kinds[0] if kinds else "", "Implausible" in kinds
    return Trouble(
        kind="held" if is_held else "failed",
        title=f"{step} holds the day" if is_held else f"{step} failed",
        error=NOT_OURS.format(kind) if said == NOT_KEPT else f"{kind}: {said}" if kind else said,
        notes=(_seen_meanwhile(tried.known),),
        mend=mend_of(kinds),
        again="" if kind == "Superseded" else run_again(tried.state.pipeline.name, [tried.state.day], kind),
        step=step,
        run=tried.name,
        numbers=_numbers(tried) if is_held else (),
    )


def _seen_meanwhile(known: KnownDay) -> str:
    if known.seen:
        return f"Meanwhile readers see run {known.seen.run_id}, as it was published before"
    return "Readers see nothing of this day"


def _numbers(tried: Try) -> tuple[tuple[str, ...], ...]:
    """Return the totals of a held day beside those of the days before it: a header, and a row for each day."""
    aggregated = tried.state.receipts.get("aggregate") or tried.known.receipts.get("aggregate")
    totals = {**tried.known.days_before, tried.state.day: aggregated.totals if aggregated else {}}
    found = {name for of_day in totals.values() for name in of_day}
    names = sorted(found, key=lambda name: (name != ROWS, name))
    head = ("day", *("rows" if name == ROWS else name for name in names))
    return (head, *(_of_day(day, of_day, names) for day, of_day in sorted(totals.items())))


def _of_day(day: date, totals: Mapping[str, Decimal], names: list[str]) -> tuple[str, ...]:
    return (f"{day:%Y-%m-%d %a}", *(f"{totals[name]:,}" if name in totals else "" for name in names))


def _waiting(tried: Try) -> Iterator[Trouble]:
    if tried.waits and not tried.is_over:
        mend = "nothing, if it comes until then; else ask who delivers the file, or runs the server"
        yield Trouble("waiting", "Waiting", notes=tried.waits, mend=mend, again=tried.again, run=tried.name)


def _unfinished(tried: Try) -> Iterator[Trouble]:
    runs, state = tried.known.runs, tried.state
    if tried.is_over or tried.waits or not tried.name or state.left_out:
        return
    following = f"next is {state.next_step}" if state.next_step else "all steps are done"
    if tried.known.is_at_work and (not runs or runs[0].run == tried.name):
        yield Trouble("running", "Running", notes=(f"A step of this day is at work now; {following}",))
    elif state.is_begun and state.next_step:
        said = f"No step of this day is at work this moment; {following}"
        yield Trouble("unfinished", "Not finished", notes=(said,), again=tried.again)


def _rolled_back(known: KnownDay) -> Iterator[Trouble]:
    if known.rollback:
        seen = f"Readers see run {known.seen.run_id} now" if known.seen else "Readers see no run now"
        yield Trouble("rolled_back", "Rolled back", notes=(str(known.rollback), seen))


def _late(tried: Try) -> Iterator[Trouble]:
    schedule, day, now = tried.state.pipeline.schedule, tried.state.day, tried.state.read_at
    due = due_at(schedule, day)
    if due is None or tried.known.seen or now < due or why_not(schedule, day, now):
        return
    yield Trouble(
        kind="late",
        title="Late",
        error=f"{day}: {why_late(tried.state.pipeline)}",
        notes=(f"It was due at {due.astimezone(ZoneInfo(schedule.time_zone)):%Y-%m-%d %H:%M} ({schedule.time_zone})",),
        mend="look at what the day waits for, or run it",
        again=tried.again,
    )


def _owed(tried: Try) -> Iterator[Trouble]:
    """Yield what readers of other places do not see yet; they are an alarm if a try has failed."""
    owed, name = tried.known.owed, tried.state.pipeline.name
    if owed:
        yield Trouble(
            kind="behind" if any(debt.error for debt in owed) else "owed",
            title="Still to be sent",
            notes=tuple(map(str, owed)),
            mend="nothing: the next run of any day sends it; or send it now",
            again=f"./daybook export {tried.state.day} --pipeline {name}",
        )


def _not_begun(tried: Try) -> Iterator[Trouble]:
    state, known = tried.state, tried.known
    if known.runs or known.published or state.is_begun or known.rollback:
        return
    why = why_not(state.pipeline.schedule, state.day, state.read_at)
    said = f"Nothing is to be done: {why}" if why else "No run has begun this day"
    yield Trouble("not_begun", "Not due" if why else "Missing", notes=(said,), again="" if why else tried.again)
