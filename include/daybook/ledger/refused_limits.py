"""How many rows a day may lose: the limits of the spec over what `load`, `clean` and `index` refuse together.

`load` judges its own refused rows while it reads (loader/limits.py). The steps after it, and `deploy` above all, judge
the sum here, from the counts in the receipts. Pure; the messages hold counts, never a value.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from daybook.errors import BadData
from daybook.ledger.receipt import Rows
from daybook.spec import Lookup, Pipeline, Source
from daybook.text import portion

# By step, and by source: the rows that it read, kept, refused and dropped.
RowsByStep = Mapping[str, Mapping[str, Rows]]
REFUSING = ("load", "clean", "index")
SHOWN_REASONS = 10


def check_refused(pipeline: Pipeline, rows: RowsByStep) -> None:
    """Check the refused rows of each source against its limits, and those of each lookup that has its own.

    rows: of the steps done so far, `load` among them. Raises BadData with the counts by step and reason.
    """
    if found := excess(pipeline, rows):
        raise BadData(f"{pipeline.name}: {'; '.join(found)}; the day is not published; `./daybook refused` has them")


def excess(pipeline: Pipeline, rows: RowsByStep) -> list[str]:
    """Return a phrase for each limit that the refused rows exceed, of `rows` as for check_refused."""
    return [line for source in pipeline.sources for line in _excess(pipeline, source, rows)]


def _excess(pipeline: Pipeline, source: Source, rows: RowsByStep) -> Iterator[str]:
    refused = {step: Counter(rows[step][source.name].refused) for step in REFUSING if step in rows}
    loaded = rows["load"][source.name]
    # A refused record of several lines counts by its lines, as loader/limits.py counts it.
    if (more := loaded.refused_lines - loaded.refused_rows) > 0:
        refused["load"]["further lines of these"] = more
    # Rows of other days are no rows of this day.
    others = rows["clean"][source.name].dropped.get("other_day", 0) if "clean" in rows else 0
    read = loaded.kept + refused["load"].total() - others
    for lookup in _with_own_limit(pipeline, source):
        yield from _excess_of_lookup(lookup, refused, read)
    if verdict := _verdict(source, refused, read):
        reasons = "; ".join(f"{step}: {_most(counts)}" for step, counts in refused.items() if counts)
        yield f"{source.name}: {verdict} ({reasons})"


def _with_own_limit(pipeline: Pipeline, source: Source) -> list[Lookup]:
    return [lookup for lookup in pipeline.lookups if lookup.has_own_limit] if source.name == pipeline.facts else []


def _excess_of_lookup(lookup: Lookup, refused: Mapping[str, Counter[str]], read: int) -> Iterator[str]:
    # Taken out of the counts, so that the limits of the facts do not count these rows again.
    column = lookup.refused_column
    reason = f"{column}_{lookup.reason}" if column else lookup.reason
    count = refused["index"].pop(reason, 0) if "index" in refused else 0
    limit = max(lookup.refused_rows or 0, int((lookup.refused_share or 0) * read))
    if count > limit:
        yield f"{portion(count, read, 'fact', 'has', 'have')} no match in {lookup.label}, limit {limit:,}"


def _verdict(source: Source, refused: Mapping[str, Counter[str]], read: int) -> str | None:
    limits, total = source.limits, sum(counts.total() for counts in refused.values())
    limit = max(limits.refused_rows, int(limits.refused_share * read))
    if total > limit:
        return f"{portion(total, read, 'row')} refused, limit {limit:,}"
    if 2 * total > read:
        return f"{portion(total, read, 'row')} refused, more than half"
    most = max((count for counts in refused.values() for count in counts.values()), default=0)
    if most >= limits.at_least and most > limits.systemic_share * read:
        return f"{portion(most, read, 'row')} refused for one reason, limit {limits.systemic_share:.2%}"
    return None


def _most(counts: Counter[str]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in counts.most_common(SHOWN_REASONS))
