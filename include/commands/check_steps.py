"""What the steps after `load` would do about a file that `./daybook check` has loaded: by their own functions.

Called by check.py. It knows no ledger, and of the lookups only those whose files are given: it says what it does not
know.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pyarrow as pa

from commands.check_file import Checked, Refused, check
from daybook.days import days_between
from daybook.errors import BadData
from daybook.ledger.receipt import Rows, by_reason
from daybook.ledger.refused_limits import excess
from daybook.rules.aggregate import aggregate
from daybook.rules.clean import clean
from daybook.rules.index import Indexed, index
from daybook.rules.per_summary import per_summary
from daybook.rules.plausible import ROWS, doubts, totals
from daybook.rules.summarize import summarize
from daybook.spec import File, Lookup, Pipeline, Source, clean_columns


class DayMeant(NamedTuple):
    """The day that the rows of a file must have, and how it was found."""

    day: date
    why: str


class Held(NamedTuple):
    """Why a day would be held as implausible, as far as its published days before it are not needed to know.

    is_known: whether there is no more to know.
    """

    doubts: list[str]
    is_known: bool


class Stepped(NamedTuple):
    """What `clean` and `index` would do.

    steps: the rows of each source in each step, `load` too; `index` and `held` are about facts alone. refused: by
    source, in the order of the steps. unknown: the kept facts without a match, by lookup. message: why the day would
    not be published, or None. unchecked: the lookups whose files were not given, or are refused.
    """

    meant: DayMeant
    steps: dict[str, dict[str, Rows]]
    refused: dict[str, list[Refused]]
    unknown: Mapping[str, int]
    message: str | None
    unchecked: tuple[str, ...]
    held: Held


class Given(NamedTuple):
    """A file that was loaded, and the source whose contract it was loaded by."""

    source: Source
    checked: Checked


def loaded(path: Path, source: Source, out: Path | None = None) -> Given:
    """Load a file, and keep its rows."""
    return Given(source, check(path, source, out, is_table_kept=True))


def after_load(pipeline: Pipeline, given: Given, lookups: Mapping[str, Given], meant: DayMeant) -> Stepped:
    """Do the steps after `load` with a file. lookups: the files given for lookups, by the name of the source.

    Raises BadSpec if the pipeline's transform does not return what the spec declares.
    """
    work = _Work(pipeline, {given.source.name: given, **lookups}, meant)
    work.clean()
    if given.source.name != pipeline.facts or given.checked.message:
        return work.stepped({}, (), Held([], True))
    unchecked = tuple(lookup.label for lookup in pipeline.lookups if lookup not in work.pipeline.lookups)
    try:
        indexed = work.index()
    except BadData as error:
        work.messages.append(str(error))
        return work.stepped({}, unchecked, Held([], True))
    return work.stepped(indexed.unknown, unchecked, work.held(indexed.facts, is_whole=not unchecked))


class _Work:
    """The steps done so far with the files given: the rows kept, their counts, and what the limits say."""

    def __init__(self, pipeline: Pipeline, files: Mapping[str, Given], meant: DayMeant) -> None:
        self.files, self.meant = files, meant
        self.pipeline = _only(pipeline, [name for name, file in files.items() if not file.checked.message])
        self.kept: dict[str, pa.Table] = {}
        self.steps = {"load": {name: _loaded_rows(file.checked) for name, file in files.items()}}
        self.refused = {name: list(file.checked.refused) for name, file in files.items()}
        self.messages = [file.checked.message for file in files.values() if file.checked.message]

    def clean(self) -> None:
        """Clean every source, and judge them."""
        self.steps["clean"] = {}
        for source in self.pipeline.sources:
            table, twins = self.files[source.name].checked.table, self.files[source.name].checked.twins
            cleaned = clean(table, source, self.pipeline, self.meant.day, twins)
            self.kept[source.name] = cleaned.kept
            self._count("clean", source.name, table, cleaned.kept, cleaned.refused, cleaned.dropped)
        self.messages += excess(self.pipeline, self.steps)

    def index(self) -> Indexed:
        """Join the facts to the lookups given, and judge them. Raises BadData if two rows of one hold on the day."""
        facts = self.pipeline.facts
        indexed = index(self.kept[facts], self.kept, self.pipeline, self.meant.day)
        self.steps["index"] = {name: Rows(read=rows.num_rows, kept=rows.num_rows) for name, rows in self.kept.items()}
        self._count("index", facts, self.kept[facts], indexed.facts, indexed.refused, {})
        self.messages += excess(self.pipeline, self.steps)
        return indexed

    def held(self, facts: pa.Table, *, is_whole: bool) -> Held:
        """Judge the day without the days before it. is_whole: all lookups are given, so its sums are known too."""
        if self.messages:
            return Held([], True)
        try:
            return _held(self.pipeline, self.meant.day, facts, is_whole=is_whole)
        except BadData as error:
            self.messages.append(str(error))
            return Held([], True)

    def stepped(self, unknown: Mapping[str, int], unchecked: tuple[str, ...], held: Held) -> Stepped:
        """Return all of it; of the limits that are exceeded, the message of the first step that they stop."""
        message = self.messages[0] if self.messages else None
        return Stepped(self.meant, self.steps, self.refused, unknown, message, unchecked, held)

    def _count(
        self, step: str, name: str, read: pa.Table, kept: pa.Table, refused: pa.Table, dropped: dict[str, int]
    ) -> None:
        rows = refused.to_pylist()
        counts = by_reason([{"column": row["column"], "reason": row["reason"]} for row in rows])
        self.steps[step][name] = Rows(read=read.num_rows, kept=kept.num_rows, refused=counts, dropped=dropped)
        self.refused[name] += [Refused(row["line"], row["column"], row["reason"], step=step) for row in rows]


def _loaded_rows(checked: Checked) -> Rows:
    blank, refused = checked.counted.blank, len(checked.refused)
    return Rows(
        read=checked.accepted + refused + blank,
        kept=checked.accepted,
        refused=by_reason([{"column": row.column, "reason": row.reason} for row in checked.refused]),
        dropped={"blank": blank} if blank else {},
        lines=checked.counted,
    )


def _only(pipeline: Pipeline, names: Collection[str]) -> Pipeline:
    """Return the pipeline with these sources alone, and the lookups in them whose keys are there without others."""
    lookups: list[Lookup] = []
    there = {column.name for column in clean_columns(pipeline)}
    for lookup in pipeline.lookups:
        if lookup.source in names and there.issuperset(lookup.keys.values()):
            lookups.append(lookup)
            there.update(lookup.gives.values())
    known = {
        "tables": tuple(table for table in pipeline.tables if table.name in names),
        "files": tuple(file for file in pipeline.files if file.name in names),
        "lookups": tuple(lookups),
    }
    return pipeline.model_copy(update=known)


def _held(pipeline: Pipeline, day: date, facts: pa.Table, *, is_whole: bool) -> Held:
    found = {ROWS: Decimal(facts.num_rows)}
    if is_whole:
        aggregates = aggregate(facts, pipeline)
        summarize(aggregates, pipeline, day, per_summary(facts, pipeline))
        found = totals(aggregates, pipeline)
    why = doubts(day, found, {}, pipeline)
    is_compared = pipeline.plausible.within_pct is not None and facts.num_rows > 0
    return Held(why, bool(why) or (is_whole and not is_compared))


def day_meant(pipeline: Pipeline, given: Given, path: Path, day: date | None, today: date) -> DayMeant:
    """Return the day that the rows of a file must have: the one given, or that of its name, or that of most rows.

    today: the last day that a name may mean, if the schedule has no end.
    """
    if day:
        return DayMeant(day, "as --day says")
    counts = _days_of_rows(pipeline, given) if given.source.name == pipeline.facts else Counter[date]()
    schedule = pipeline.schedule
    days = sorted({*counts, *days_between(schedule.start, schedule.end or today)})
    named = [one for one in days if isinstance(given.source, File) and _is_name(given.source, one, path.name)]
    if len(named) == 1:
        return DayMeant(named[0], "from its name")
    most = max(sorted(counts), key=lambda one: counts[one], default=schedule.start)
    return DayMeant(most, "the day of most of its rows; --day says another")


def _is_name(file: File, day: date, name: str) -> bool:
    pattern = file.path_on(day).rpartition("/")[2]
    return fnmatchcase(name, pattern) if file.is_in_parts else name == pattern


def _days_of_rows(pipeline: Pipeline, given: Given) -> Counter[date]:
    """Count the rows of facts by their day."""
    names = [column.header for name in pipeline.day_columns if (column := given.source.column(name))]
    groups = given.checked.table.group_by(names).aggregate([([], "count_all")])
    days = Counter[date]()
    for row in groups.to_pylist():
        if day := _as_date([row[name] for name in names], pipeline.schedule.time_zone):
            days[day] += row["count_all"]
    return days


def _as_date(values: list[Any], time_zone: str) -> date | None:
    try:
        if isinstance(values[0], datetime):
            return values[0].astimezone(ZoneInfo(time_zone)).date()
        return values[0] if len(values) == 1 else date(*values)
    except (TypeError, ValueError, OverflowError):
        return None
