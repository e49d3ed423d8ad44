"""The step `clean`: typed rows in, clean rows out, and for every other row the reason why it was refused or dropped.

Cleaning empties declared tokens, drops wholly empty rows, drops or refuses twins (rules/twins.py), checks the day, the
columns' rules and the key, derives columns (derive.py), checks the rules of rows (row_rules.py), and runs the
pipeline's own transform. It guesses nothing.

Rows are cleaned a batch at a time. All but three things about a row can be told from the row alone: whether it is a
twin, whether another row has its key, and what a transform makes of all rows. The first two are found before
(rules/first_look.py, rules/twins.py, `in_conflict`), so that nothing but a transform holds a day's rows.
"""

from collections.abc import Collection, Iterable
from datetime import date
from decimal import Decimal
from functools import reduce
from typing import Any, NamedTuple

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from daybook.rules.coded import codes_of, is_coded, plain_table, without_texts
from daybook.rules.derive import REFUSED_BY_RULE, derive
from daybook.rules.frames import (
    close_frame,
    open_frame,
    ordered,
    under_names,
    units_at_least,
    units_at_most,
    without,
)
from daybook.rules.late_rows import LateFiles, is_of_days_before, is_other_day
from daybook.rules.patterns import whole
from daybook.rules.row_rules import keep_to_rules
from daybook.rules.transform import transformed
from daybook.spec import Column, Pipeline, Source, clean_columns, day_is_of_instant, derived_in_clean
from daybook.spec.work import rules_in_clean

# No column of a source has these names.
IS_EMPTY, IS_TWIN = "is_empty of daybook", "is_twin of daybook"
IS_OTHER_DAY, IS_LATE = "is_other_day of daybook", "is_late of daybook"
NO_RULE = -1  # instead of the number of a rule: no rule took the row out
_LINES = pa.schema([("line", pa.int64())])
_NUMBERS = _LINES.append(pa.field("rule", pa.int64()))


class Cleaned(NamedTuple):
    """The result of `clean`: the clean rows, the refused ones (line, column, reason), and counts of dropped ones."""

    kept: pa.Table
    refused: pa.Table
    dropped: dict[str, int]


class Cleaning(NamedTuple):
    """What a source's rows are cleaned by: its spec, and the day that facts must have."""

    source: Source
    pipeline: Pipeline
    day: date

    @property
    def is_of_facts(self) -> bool:
        """Return whether the rows are facts."""
        return self.source.name == self.pipeline.facts


class Known(NamedTuple):
    """What no batch can tell alone: the lines of the equal rows that are to be taken out, and of the rows whose key
    another row has too, though no other rule takes them out."""

    twins: Collection[int] = ()
    in_conflict: Collection[int] = ()


class Rule(NamedTuple):
    """A reason to take a row out: the column it is about (or None), the reason's code, and its condition."""

    column: str | None
    reason: str
    holds: nw.Expr


class _Rules(NamedTuple):
    """Rules in the order in which they count; the first `drops` of them drop a row, the others refuse it."""

    all: list[Rule]
    drops: int


_EMPTY = [Rule(None, "empty_row", nw.col(IS_EMPTY))]
_TWINS = [Rule(None, "twin", nw.col(IS_TWIN))]
_LATE = [Rule(None, "other_day", nw.col(IS_LATE))]
_IN_CONFLICT = "key_conflict"
# Why rows are dropped, in the order in which the reasons count.
DROPPED_FOR = ("empty_row", "twin", "other_day", "transform")


def clean(
    rows: pa.Table,
    source: Source,
    pipeline: Pipeline,
    day: date,
    twins: Collection[int] = (),
    late: LateFiles | None = None,
) -> Cleaned:
    """Clean all rows of one source.

    rows: `line` and the source's columns under their headers, as `load` returns them. day: that the facts must have.
    twins: the lines of equal rows, to be dropped or refused as the source says. late: the files of the facts, if rows
    may be late. Returns rows named as in the spec, the facts with their derived columns, ordered by line.
    Raises BadSpec if the pipeline's transform does not return what the spec declares, and BadData if a derived value
    does not fit.
    """
    by = Cleaning(source, pipeline, day)
    conflicts = in_conflict(keys_left(rows, by, late), by, twins) if source.key else ()
    cleaned = clean_batch(rows, by, Known(twins, conflicts), late)
    return with_transform(cleaned, pipeline) if by.is_of_facts else cleaned


def clean_batch(
    rows: pa.Table,
    by: Cleaning,
    known: Known,
    late: LateFiles | None = None,
    columns: Collection[str] | None = None,
) -> Cleaned:
    """Clean some rows of one source, as `clean` does, but for the transform.

    late: of these rows. columns: of those that the result has, the ones to keep; without a word all of them. Raises
    BadData if a derived value does not fit.
    """
    named, rules = _named(rows, by), _rules_of(by, has_late_rows=late is not None)
    number = _numbers(named, by, rules, known.twins, late)
    if known.in_conflict:
        is_in_conflict = pc.and_(pc.equal(number, NO_RULE), _is_at(named, known.in_conflict))
        number = pc.if_else(is_in_conflict, len(rules.all), number)
    cleaned = _split(_kept_columns(named, by, columns), number, rules)
    return _finished(cleaned, by.pipeline, columns) if by.is_of_facts else cleaned


def keys_left(rows: pa.Table, by: Cleaning, late: LateFiles | None = None) -> pa.Table:
    """Return the line and the key of each row that no rule takes out, but perhaps the one about twins.

    rows: some of a source with a key. late: of these rows.
    """
    named = _named(rows, by)
    number = _numbers(named, by, _rules_of(by, has_late_rows=late is not None), (), late)
    return without(named.select(["line", *by.source.key]), pc.not_equal(number, NO_RULE))


def in_conflict(left: pa.Table, by: Cleaning, twins: Collection[int]) -> list[int]:
    """Return the lines of rows that share their key with another, twins aside: all of them, not all but one.

    left: what `keys_left` tells of all rows that may share a key.
    """
    left = without(left, _is_at(left, twins))
    frame = open_frame(left, by.pipeline.engine).with_columns(count=nw.col("line").count().over(*by.source.key))
    shared = close_frame(frame.filter(nw.col("count") > 1), _LINES, ["line"])
    lines: list[int] = shared["line"].to_pylist()
    return lines


def with_transform(cleaned: Cleaned, pipeline: Pipeline) -> Cleaned:
    """Return clean facts as the pipeline's transform leaves them. Raises BadSpec as `transformed`."""
    if pipeline.transform is None:
        return cleaned
    kept = transformed(plain_table(cleaned.kept), pipeline)
    gone = cleaned.kept.num_rows - kept.num_rows
    return Cleaned(kept, cleaned.refused, cleaned.dropped | ({"transform": gone} if gone else {}))


def _named(rows: pa.Table, by: Cleaning) -> pa.Table:
    """Return rows in the order of their lines, named as in the spec, with nothing instead of declared tokens."""
    named = ordered(under_names(rows, by.source), ["line"])
    for place, column in enumerate(by.source.columns, 1):
        tokens = by.source.tokens(column) if column.kind == "text" else ()
        if tokens:
            rest = without_texts(named[place], pa.array(tokens, pa.string()))
            named = named.set_column(place, column.name, rest)
    return named


def _numbers(
    named: pa.Table, by: Cleaning, rules: _Rules, twins: Collection[int], late: LateFiles | None
) -> pa.ChunkedArray:
    """Return the number of the first rule that takes each row out, or NO_RULE."""
    # Only what rules look at goes to the engine.
    asked = {*(rule.column for rule in rules.all), *(by.pipeline.day_columns if by.is_of_facts else ())}
    table = named.select(["line", *(column.name for column in by.source.columns if column.name in asked)])
    table = _with_numbers(table, by.source).append_column(IS_EMPTY, _is_empty(named))
    table = table.append_column(IS_TWIN, _is_at(named, twins))
    if by.is_of_facts and day_is_of_instant(by.pipeline):
        table = table.append_column(IS_OTHER_DAY, is_other_day(named[by.pipeline.day_columns[0]], by.pipeline, by.day))
    if late:
        table = table.append_column(IS_LATE, is_of_days_before(named, late, by.pipeline))
    frame = _numbered(open_frame(table, by.pipeline.engine), rules.all)
    return close_frame(frame, _NUMBERS, ["line"])["rule"]


def _with_numbers(table: pa.Table, source: Source) -> pa.Table:
    """Return rows with the numbers of codes instead of texts if it is only asked whether there is one."""
    unread = [column.name for column in source.columns if not (column.allowed or column.pattern)]
    for name in set(table.column_names).intersection(unread):
        if is_coded(table[name]):
            table = table.set_column(table.column_names.index(name), name, codes_of(table[name]).numbers)
    return table


def _is_empty(named: pa.Table) -> pa.ChunkedArray:
    columns = named.columns[1:]
    if any(column.null_count == 0 for column in columns):
        return pa.chunked_array([pa.repeat(pa.scalar(False), named.num_rows)])
    return reduce(pc.and_, map(pc.is_null, columns))


def _is_at(named: pa.Table, lines: Collection[int]) -> pa.ChunkedArray:
    return pc.is_in(named["line"], pa.array(lines, pa.int64()))


def _kept_columns(named: pa.Table, by: Cleaning, columns: Collection[str] | None) -> pa.Table:
    """Return rows without the columns that neither the result has nor a derived column or a rule needs."""
    if columns is None:
        return named
    made, rules = derived_in_clean(by.pipeline), rules_in_clean(by.pipeline)
    expressions = [*(one.derived.of for one in made), *(rule.holds for rule in rules)] if by.is_of_facts else []
    wanted = {"line", *columns}.union(*(expression.names() for expression in expressions))
    return named.select([name for name in named.column_names if name in wanted])


def _finished(cleaned: Cleaned, pipeline: Pipeline, columns: Collection[str] | None) -> Cleaned:
    """Return clean facts with their derived columns, without those that break a rule of rows."""
    known = clean_columns(pipeline)
    derived = derive(cleaned.kept, derived_in_clean(pipeline), known, pipeline)
    ruled = keep_to_rules(derived.kept, rules_in_clean(pipeline), known, pipeline)
    refused = ordered(pa.concat_tables([cleaned.refused, derived.refused, ruled.refused]), ["line"])
    names = [name for name in ruled.kept.column_names if columns is None or name == "line" or name in columns]
    return Cleaned(ruled.kept.select(names), refused, cleaned.dropped)


def _rules_of(by: Cleaning, *, has_late_rows: bool) -> _Rules:
    source, pipeline = by.source, by.pipeline
    needed = {*source.key, *(pipeline.day_columns if by.is_of_facts else ())}
    of_day = _day_rules(pipeline, by.day) if by.is_of_facts else []
    drops = [*_EMPTY, *(_TWINS if source.on_twins == "drop" else [])]
    drops += of_day if source.has_other_days else _LATE if has_late_rows else []
    return _Rules([*drops, *_rules(source, needed), *([] if source.has_other_days else of_day)], len(drops))


def _rules(source: Source, needed: set[str]) -> list[Rule]:
    rules = [rule for column in source.columns for rule in _column_rules(column, column.name in needed)]
    return [*_TWINS, *rules] if source.on_twins == "refuse" else rules


def _column_rules(column: Column, is_needed: bool) -> list[Rule]:
    value, name = nw.col(column.name), column.name
    rules = [Rule(name, "missing", value.is_null())] if column.is_required or is_needed else []
    if column.minimum is not None:
        rules.append(Rule(name, "below_minimum", value < units_at_least(column.minimum, column)))
    if column.maximum is not None:
        rules.append(Rule(name, "above_maximum", value > units_at_most(column.maximum, column)))
    if column.allowed:
        rules.append(Rule(name, "not_allowed", ~value.is_in(_allowed(column))))
    if column.pattern:
        rules.append(Rule(name, "no_match", ~value.str.contains(whole(column.pattern))))
    return rules


def _allowed(column: Column) -> list[str] | list[int]:
    if column.kind == "text":
        return list(column.allowed)
    return [units_at_most(Decimal(text), column) for text in column.allowed]


def _day_rules(pipeline: Pipeline, day: date) -> list[Rule]:
    if day_is_of_instant(pipeline):
        return [Rule(None, "other_day", nw.col(IS_OTHER_DAY))]
    wanted: list[date | int] = [day] if len(pipeline.day_columns) == 1 else [day.year, day.month, day.day]
    is_other = (nw.col(name) != nw.lit(value) for name, value in zip(pipeline.day_columns, wanted, strict=True))
    return [Rule(None, "other_day", nw.any_horizontal(*is_other, ignore_nulls=False))]


def _numbered(frame: nw.LazyFrame[Any], rules: list[Rule]) -> nw.LazyFrame[Any]:
    # coalesce instead of nested when/then: narwhals translates these in half the time.
    numbered = [nw.when(rule.holds).then(nw.lit(number)) for number, rule in enumerate(rules)]
    return frame.with_columns(rule=nw.coalesce(*numbered, nw.lit(NO_RULE)))


def _split(named: pa.Table, number: pa.ChunkedArray, rules: _Rules) -> Cleaned:
    reasons = [rule.reason for rule in rules.all[: rules.drops]]
    dropped = {reason: pc.sum(pc.equal(number, place)).as_py() or 0 for place, reason in enumerate(reasons)}
    is_refused = pc.greater_equal(number, rules.drops)
    refused = _refused(named["line"].filter(is_refused), number.filter(is_refused), rules.all)
    kept = without(named, pc.not_equal(number, NO_RULE))
    return Cleaned(kept, refused, {reason: count for reason, count in dropped.items() if count})


def _refused(lines: pa.ChunkedArray, number: pa.ChunkedArray, rules: Iterable[Rule]) -> pa.Table:
    told = [*((rule.column, rule.reason) for rule in rules), (None, _IN_CONFLICT)]
    columns, reasons = (pa.array(words, pa.string()) for words in zip(*told, strict=True))
    place = number.combine_chunks()
    return pa.table([lines, columns.take(place), reasons.take(place)], schema=REFUSED_BY_RULE)
