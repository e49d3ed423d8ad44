"""The rules of whole rows: each row for which one is false, or refuses a division by zero, is refused by the first."""

from collections.abc import Iterable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from daybook.rules.derive import REFUSED_BY_RULE, Derivation, fitting
from daybook.rules.frames import ordered, without
from daybook.spec import Column, Pipeline, Rule


def keep_to_rules(rows: pa.Table, rules: Sequence[Rule], columns: Iterable[Column], pipeline: Pipeline) -> Derivation:
    """Return the facts that keep to the rules, and the others with the rule's name as their reason.

    rows: facts with `line` and all columns that are needed. columns: those of the facts in the spec. Raises BadData
    with line and rule if a value does not fit.
    """
    known, refused = {column.name: column for column in columns}, [REFUSED_BY_RULE.empty_table()]
    for rule in rules:
        holds, is_by_zero = fitting(rule.holds, rows, known, pipeline, f"rule {rule.name!r}")
        is_broken = pc.or_(pc.fill_null(pc.invert(holds), fill_value=False), is_by_zero)
        refused.append(_refused(rows["line"].filter(is_broken), rule))
        rows = without(rows, is_broken)
    return Derivation(rows, ordered(pa.concat_tables(refused), ["line"]))


def _refused(lines: pa.ChunkedArray, rule: Rule) -> pa.Table:
    size = len(lines)
    return pa.table([lines, pa.nulls(size, pa.string()), [rule.name] * size], schema=REFUSED_BY_RULE)
