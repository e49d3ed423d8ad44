"""The step `clean`: typed rows in, clean rows out, and for every other row the reason why it was refused or dropped.

Cleaning empties declared tokens, drops wholly empty rows, drops or refuses twins (rules/twins.py), checks the day, the
columns' rules and the key, derives columns (derive.py), checks the rules of rows (row_rules.py), and runs the
pipeline's own transform. It guesses nothing.
"""

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import narwhals as nw
import pyarrow as pa
import pyarrow.compute as pc

from daybook.rules.derive import REFUSED_BY_RULE, derive
from daybook.rules.frames import (
    add_columns,
    close_frame,
    open_frame,
    ordered,
    rows_schema,
    under_names,
    units_at_least,
    units_at_most,
)
from daybook.rules.late_rows import LateFiles, is_of_days_before, is_other_day
from daybook.rules.patterns import whole
from daybook.rules.row_rules import keep_to_rules
from daybook.rules.transform import transformed
from daybook.spec import Column, Pipeline, Source, clean_columns, day_is_of_instant, derived_in_clean
from daybook.spec.work import rules_in_clean

# No column of a source has these names.
IS_TWIN, IS_OTHER_DAY, IS_LATE = "is_twin of daybook", "is_other_day of daybook", "is_late of daybook"
NO_RULE = -1  # instead of the number of a rule: no rule took the row out


class Cleaned(NamedTuple):
    """The result of `clean`: the clean rows, the refused ones (line, column, reason), and counts of dropped ones."""

    kept: pa.Table
    refused: pa.Table
    dropped: dict[str, int]


class Rule(NamedTuple):
    """A reason to take a row out: the column it is about (or None), the reason's code, and its condition."""

    column: str | None
    reason: str
    holds: nw.Expr


_TWINS = [Rule(None, "twin", nw.col(IS_TWIN))]
_LATE = [Rule(None, "other_day", nw.col(IS_LATE))]


def clean(
    rows: pa.Table,
    source: Source,
    pipeline: Pipeline,
    day: date,
    twins: Collection[int] = (),
    late: LateFiles | None = None,
) -> Cleaned:
    """Clean the rows of one source.

    rows: `line` and the source's columns under their headers, as `load` returns them. day: that the facts must have.
    twins: the lines of equal rows, to be dropped or refused as the source says. late: the files of the facts, if rows
    may be late. Returns rows named as in the spec, the facts with their derived columns, ordered by line.
    Raises BadSpec if the pipeline's transform does not return what the spec declares, and BadData if a derived value
    does not fit.
    """
    is_facts = source.name == pipeline.facts
    named = under_names(rows, source)
    named = named.append_column(IS_TWIN, pc.is_in(named["line"], pa.array(twins, pa.int64())))
    if is_facts and day_is_of_instant(pipeline):
        named = named.append_column(IS_OTHER_DAY, is_other_day(named[pipeline.day_columns[0]], pipeline, day))
    if late:
        named = named.append_column(IS_LATE, is_of_days_before(named, late, pipeline))
    frame = _without_tokens(open_frame(named, pipeline.engine), source)
    needed = {*source.key, *(pipeline.day_columns if is_facts else ())}
    of_day = _day_rules(pipeline, day) if is_facts else []
    drops = [*_drops(source), *(of_day if source.has_other_days else _LATE if late else [])]
    rules = [*drops, *_rules(source, needed), *([] if source.has_other_days else of_day)]
    marked = _marked(_numbered(frame, rules), source, number_of_rules=len(rules))
    rules.append(Rule(None, "key_conflict", nw.lit(True)))
    cleaned = _split(marked, rules, len(drops))
    return _finished(cleaned, pipeline) if is_facts else cleaned


def _finished(cleaned: Cleaned, pipeline: Pipeline) -> Cleaned:
    """Return clean facts with their derived columns, as the pipeline's transform leaves them."""
    columns = clean_columns(pipeline)
    derived = derive(cleaned.kept, derived_in_clean(pipeline), columns, pipeline)
    ruled = keep_to_rules(derived.kept, rules_in_clean(pipeline), columns, pipeline)
    refused = ordered(pa.concat_tables([cleaned.refused, derived.refused, ruled.refused]), ["line"])
    if pipeline.transform is None:
        return cleaned._replace(kept=ruled.kept, refused=refused)
    kept = transformed(ruled.kept, pipeline)
    gone = ruled.kept.num_rows - kept.num_rows
    return Cleaned(kept, refused, cleaned.dropped | ({"transform": gone} if gone else {}))


def _without_tokens(frame: nw.LazyFrame[Any], source: Source) -> nw.LazyFrame[Any]:
    texts = [column for column in source.columns if column.kind == "text" and source.tokens(column)]
    return add_columns(frame, (_without(column.name, source.tokens(column)) for column in texts))


def _without(name: str, tokens: tuple[str, ...]) -> nw.Expr:
    return nw.when(~nw.col(name).is_in(tokens)).then(nw.col(name)).alias(name)


def _drops(source: Source) -> list[Rule]:
    names = [column.name for column in source.columns]
    is_empty = nw.all_horizontal(*(nw.col(name).is_null() for name in names), ignore_nulls=False)
    return [Rule(None, "empty_row", is_empty), *(_TWINS if source.on_twins == "drop" else [])]


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


def _marked(frame: nw.LazyFrame[Any], source: Source, *, number_of_rules: int) -> pa.Table:
    if source.key:
        frame = _key_conflicts_marked(frame, source.key, number_of_rules)
    schema = rows_schema(source.columns).append(pa.field("rule", pa.int64()))
    return close_frame(frame, schema, ["line"])


def _key_conflicts_marked(frame: nw.LazyFrame[Any], key: tuple[str, ...], number: int) -> nw.LazyFrame[Any]:
    # Only rows that no other rule took out can conflict; of those, all are refused, not all but one.
    is_kept = nw.when(nw.col("rule") == NO_RULE).then(nw.lit(1)).otherwise(nw.lit(0))
    in_conflict = (nw.col("rule") == NO_RULE) & (nw.col("kept").sum().over(*key) > 1)
    marked = nw.when(in_conflict).then(nw.lit(number)).otherwise(nw.col("rule"))
    return frame.with_columns(kept=is_kept).with_columns(rule=marked)


def _split(marked: pa.Table, rules: list[Rule], drops: int) -> Cleaned:
    """Split the rows. drops: how many of the first rules drop a row; the others refuse it."""
    number = marked["rule"]
    dropped = {rule.reason: pc.sum(pc.equal(number, place)).as_py() or 0 for place, rule in enumerate(rules[:drops])}
    taken_out = marked.filter(pc.greater_equal(number, drops))
    kept = marked.filter(pc.equal(number, NO_RULE)).drop_columns(["rule"])
    return Cleaned(kept, _refused(taken_out, rules), {reason: count for reason, count in dropped.items() if count})


def _refused(taken_out: pa.Table, rules: list[Rule]) -> pa.Table:
    columns = pa.array([rule.column for rule in rules], pa.string())
    reasons = pa.array([rule.reason for rule in rules], pa.string())
    number = taken_out["rule"].combine_chunks()
    return pa.table([taken_out["line"], columns.take(number), reasons.take(number)], schema=REFUSED_BY_RULE)
