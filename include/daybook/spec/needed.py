"""Which columns of the facts `clean` hands on: those that a later step reads. A row's line leads to the others."""

from daybook.spec.clean_rows import CleanRows
from daybook.spec.pipeline import Pipeline, clean_columns, derived_in_index
from daybook.spec.work import group_columns, rules_in_index


def needed_after_clean(pipeline: Pipeline) -> list[str]:
    """Return the columns that a later step or `./daybook trace` reads, of those that the facts have after `clean`: of
    groups, measures and clean rows; of lookups; and what columns and rules that need a lookup are made of."""
    expressions = [*(one.derived.of for one in derived_in_index(pipeline))]
    expressions += [rule.holds for rule in rules_in_index(pipeline)]
    wanted = {*group_columns(pipeline), *(name for one in pipeline.measures for name in one.needed_columns)}
    wanted.update(name for view in pipeline.views if isinstance(view, CleanRows) for name in view.columns)
    wanted.update(name for one in expressions for name in one.names())
    wanted.update(name for lookup in pipeline.lookups for name in lookup.keys.values())
    own = [lookup for lookup in pipeline.lookups if lookup.source == pipeline.facts]
    wanted.update(name for one in own for name in (*one.keys, *one.gives, one.valid_from, one.valid_to) if name)
    return [column.name for column in clean_columns(pipeline) if column.name in wanted]
