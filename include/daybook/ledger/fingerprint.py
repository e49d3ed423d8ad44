"""All that a step's result depends on: the bytes it reads, its part of the spec, its code, and the libraries.

Equal fingerprints mean equal outputs, so a step whose fingerprint was seen on this day reuses the earlier output. The
parts are kept apart, so a plan can say which of them changed. One version does a whole run: if the code, the spec or a
library changes while a run is under way, no step uses the results of the run's earlier steps.
"""

import sys
from collections.abc import Callable, Sequence
from functools import cache
from importlib.metadata import version
from typing import Any

from daybook.errors import BadSpec
from daybook.ledger import code
from daybook.ledger.code import digest
from daybook.ledger.receipt import Fingerprint, Receipt
from daybook.spec import (
    LIBRARIES,
    Column,
    Expression,
    Made,
    Pipeline,
    Rule,
    Source,
    Writing,
    day_is_of_instant,
    derived_in_clean,
    derived_in_index,
    fact_columns,
    needs_zone,
    takes_narwhals,
)
from daybook.spec.needed import needed_after_clean
from daybook.spec.work import group_columns, measures_per_summary, rules_in_clean, rules_in_index

# The steps whose result depends only on the hashed parts. `save` and `deploy` act on the world instead.
FINGERPRINTED_STEPS = ("extract_tables", "extract_files", "load", "clean", "index", "aggregate", "summarize")
# The earlier steps whose files a step reads.
READS = {
    "extract_tables": (),
    "extract_files": (),
    "load": ("extract_tables", "extract_files"),
    "clean": ("extract_tables", "extract_files", "load"),
    "index": ("extract_tables", "extract_files", "clean"),
    "aggregate": ("index",),
    "summarize": ("aggregate",),
}


def fingerprint(step: str, pipeline: Pipeline) -> Fingerprint:
    """Return the fingerprint of a step without inputs; `with_inputs` adds them."""
    return Fingerprint(
        inputs=digest({}),
        spec=spec_of(step, pipeline),
        code=code_of(step),
        libraries=libraries_of(step, pipeline),
    )


def spec_of(step: str, pipeline: Pipeline) -> str:
    """Return the hash of the part of the spec that a step uses."""
    return digest(_PARTS[step](pipeline))


def changed_part(step: str, was: Fingerprint | None, now: Fingerprint) -> str | None:
    """Return the first part of a step's fingerprint that has changed, inputs not compared, or None."""
    # How bytes are fetched does not change them: for the extracts, only the spec of their sources counts.
    parts = ("spec", "code", "libraries") if READS[step] else ("spec",)
    return next((part for part in parts if was is None or getattr(was, part) != getattr(now, part)), None)


def code_of(step: str) -> str:
    """Return the hash of a step's function and of every definition of ours that it reaches."""
    return code.code_of("daybook.steps", step)


def libraries_of(step: str, pipeline: Pipeline) -> str:
    """Return the libraries that can change a step's result, with their versions, and Python's own."""
    frames = ["pyarrow"] if step in ("load", "extract_tables", "extract_files") else _frame_libraries(pipeline)
    python = f"python {sys.version_info.major}.{sys.version_info.minor}"
    return ", ".join([python, *(f"{name} {version_of(name)}" for name in frames)])


# Cached, as each call reads the library's files; a process imports a library only once.
version_of = cache(version)


def _frame_libraries(pipeline: Pipeline) -> list[str]:
    with_transform = ["pandas"] if pipeline.transform and not takes_narwhals(pipeline.transform) else []
    return sorted({"narwhals", "pyarrow", LIBRARIES[pipeline.engine], *with_transform})


_WRITING = set(Writing.model_fields)
_FOUND = {"header", "position", "aliases"}
_OLDER = {"kind", "digits", "scale", "format", "true_tokens", "false_tokens", "null_tokens"}
_TYPING = {*_FOUND, *_OLDER, "missing_day", "date_column", *_WRITING}


# Which rows are read and when: whatever they say shows in the bytes that later steps read.
_READING = {"day", "where", "changed_by", "ready"}


def _typing(source: Source) -> Any:
    words = source.model_dump(exclude={"columns", "connection", "twins", *_READING})
    return words | {"columns": [column.model_dump(include=_typing_words(column)) for column in source.columns]}


def _typing_words(column: Column) -> set[str]:
    # It came later than the others; a spec without it keeps its fingerprint.
    return _TYPING | ({"extra_zeros"} if column.extra_zeros != "refuse" else set())


def _clean_part(pipeline: Pipeline) -> Any:
    words = {"sources", "facts", "day_columns", "transform_gives", "engine"}
    sources = [source.model_dump(exclude=_READING) for source in pipeline.sources]
    transform = pipeline.transform and code.code_of_function(pipeline.transform)
    made = derived_in_clean(pipeline)
    # Of the schedule, only a day that is cut out of instants depends on its zone.
    rules = rules_in_clean(pipeline)
    zone = [pipeline.schedule.time_zone] if day_is_of_instant(pipeline) else _zone(made, rules, pipeline)
    # Which days are before a file's, and may have late rows in it.
    schedule = pipeline.schedule
    days = [schedule.model_dump(include={"time_zone", "cron", "holidays", "closed"})] if has_late_rows(pipeline) else []
    said = pipeline.model_dump(include=words) | {"derived": _dumped(made)}
    handed_on = needed_after_clean(pipeline)
    return [said, sources, transform, *zone, *([_ruled(rules)] if rules else []), *days, handed_on]


def has_late_rows(pipeline: Pipeline) -> bool:
    """Return whether rows of a day may come in the files of later days."""
    return any(file.late_days for file in pipeline.files)


def _dumped(made: Sequence[Made]) -> list[Any]:
    return [one.derived.model_dump() for one in made]


def _ruled(rules: Sequence[Rule]) -> list[Any]:
    return [rule.model_dump() for rule in rules]


def _zone(made: Sequence[Made], rules: Sequence[Rule], pipeline: Pipeline) -> list[str]:
    return _zone_of([*(one.derived.of for one in made), *(rule.holds for rule in rules)], pipeline)


def _zone_of(expressions: Sequence[Expression], pipeline: Pipeline) -> list[str]:
    return [pipeline.schedule.time_zone] if needs_zone(expressions) else []


def _tables_part(pipeline: Pipeline) -> Any:
    tables = [table.model_dump(exclude={"ready"}) for table in pipeline.tables]
    zone = [pipeline.schedule.time_zone] if any(table.day for table in pipeline.tables) else []
    return [*tables, *zone]


def _index_part(pipeline: Pipeline) -> Any:
    facts, words = pipeline.source(pipeline.facts), {"lookups", "facts", "engine"}
    made, rules = derived_in_index(pipeline), rules_in_index(pipeline)
    derived = [_dumped(made), _ruled(rules), *_zone(made, rules, pipeline)] if made or rules else []
    # As of when a lookup was copied shows in the bytes of its copy.
    said = pipeline.model_dump(include=words, exclude={"lookups": {"__all__": {"as_of"}}})
    return [said, facts.limits.model_dump(), _columns(pipeline), *derived, needed_after_clean(pipeline)]


def _words(pipeline: Pipeline, *names: str) -> Any:
    # What a part was called before changes no result.
    former: dict[str, Any] = {name: {"__all__": {"renamed_from"}} for name in ("measures", "ratios")}
    former["summaries"] = {"__all__": {"renamed_from", "by_renamed_from"}}
    return pipeline.model_dump(include=set(names), exclude=former | {"clean_rows": {"renamed_from"}})


def _columns(pipeline: Pipeline) -> list[Any]:
    return [_kind(column) for column in fact_columns(pipeline).values()]


def _per_summary(pipeline: Pipeline) -> list[Any]:
    by = {summary.name: summary.by for summary in pipeline.summaries}
    return [[name, by[name], [one.name for one in wanted]] for name, wanted in measures_per_summary(pipeline).items()]


def _aggregate_part(pipeline: Pipeline) -> Any:
    zone = _zone_of([one for measure in pipeline.measures for one in measure.expressions], pipeline)
    said = _words(pipeline, "measures", "engine", "clean_rows")
    return [said, group_columns(pipeline), _columns(pipeline), *_per_summary(pipeline), *zone]


def _kind(column: Column) -> Any:
    return column.model_dump(include={"name", "kind", "digits", "scale"})


_PARTS: dict[str, Callable[[Pipeline], Any]] = {
    "extract_tables": _tables_part,
    "extract_files": lambda pipeline: [
        file.model_dump(exclude={"columns", "key", "twins", *_WRITING}) for file in pipeline.files
    ],
    "load": lambda pipeline: [_typing(source) for source in pipeline.sources],
    "clean": _clean_part,
    "index": _index_part,
    "aggregate": _aggregate_part,
    "summarize": lambda p: _words(p, "measures", "ratios", "summaries", "engine", "plausible", "clean_rows"),
}


WORDS = {"spec": "another spec", "code": "other code", "libraries": "other libraries"}


def check_one_version(version: Callable[[str], Fingerprint], receipts: dict[str, Receipt], next_step: str) -> None:
    """Check that a run's earlier steps were done by the current spec, code and libraries.

    version: returns a step's current fingerprint, without inputs. receipts: of this run, by step. Raises BadSpec that
    names the first step to be done again.
    """
    for step, receipt in receipts.items():
        if step not in FINGERPRINTED_STEPS:
            continue
        was, now = receipt.fingerprint, version(step)
        if part := changed_part(step, was, now):
            raise BadSpec(
                f"{receipt.pipeline} {receipt.day}: `{step}` of this run was done with {WORDS[part]} than there is now"
                f" ({_difference(part, was, now)}); `{next_step}` was not done, nothing was published;"
                f" clear `{step}` and all after it in this run, or trigger the day again"
            )


def _difference(part: str, was: Fingerprint | None, now: Fingerprint) -> str:
    then, today = (getattr(known, part, "unknown") for known in (was, now))
    return f"{then} then, {today} now" if part == "libraries" else f"{part} {then[:8]} then, {today[:8]} now"
