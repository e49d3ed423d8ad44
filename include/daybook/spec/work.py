"""What the steps ask of a pipeline beside its columns: which rules they check, and what they group and measure."""

from daybook.spec.measure import Measure
from daybook.spec.pipeline import Pipeline, derived_in_clean, fact_columns
from daybook.spec.rule import Rule
from daybook.spec.summary import Summary


def rules_in_clean(pipeline: Pipeline) -> list[Rule]:
    """Return the rules that need only columns of the facts' source, and derived ones of them."""
    made = [made.column.name for made in derived_in_clean(pipeline)]
    known = {*(column.name for column in pipeline.source(pipeline.facts).columns), *made}
    return [rule for rule in pipeline.rules if known.issuperset(rule.holds.names())]


def rules_in_index(pipeline: Pipeline) -> list[Rule]:
    """Return the other rules: those that need a column of the transform or of a lookup."""
    early, known = {rule.name for rule in rules_in_clean(pipeline)}, fact_columns(pipeline).keys()
    return [rule for rule in pipeline.rules if rule.name not in early and known >= set(rule.holds.names())]


def group_columns(pipeline: Pipeline) -> list[str]:
    """Return the columns of the finest grain: all that the summaries group by, in order of first use."""
    return list(dict.fromkeys(name for summary in pipeline.summaries for name in summary.by))


def measures_per_summary(pipeline: Pipeline) -> dict[str, list[Measure]]:
    """Return the measures that do not add up by the summary that uses them, itself or in a ratio; others have none."""
    measures = [measure for measure in pipeline.measures if not measure.is_additive]
    used = {summary.name: _used(pipeline, summary) for summary in pipeline.summaries}
    found = {summary: [one for one in measures if one.name in names] for summary, names in used.items()}
    return {summary: wanted for summary, wanted in found.items() if wanted}


def _used(pipeline: Pipeline, summary: Summary) -> set[str]:
    parts = ((ratio.of, ratio.over) for ratio in pipeline.ratios if ratio.name in summary.numbers)
    return summary.numbers.union(*parts)
