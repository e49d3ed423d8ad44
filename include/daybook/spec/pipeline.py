"""A pipeline: sources in, summaries out. Building one checks that all names in it exist and fit.

BadSpec lists every problem with a column, measure or source, one per line: path, value, reason, and the nearest right
name. So a wrong spec shows when the DAG file is parsed, not at night.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from daybook.errors import BadSpec
from daybook.spec import derived as derivations
from daybook.spec import lookup as lookups
from daybook.spec.alerts import Alerts
from daybook.spec.clean_rows import CleanRows, View, clean_rows_problems, published_columns
from daybook.spec.column import Column
from daybook.spec.day_columns import day_column_problems
from daybook.spec.derived import Derived, Made
from daybook.spec.engine import engine_problems
from daybook.spec.export import Export, export_problems
from daybook.spec.file import File
from daybook.spec.former_names import former_name_problems
from daybook.spec.kept import kept
from daybook.spec.lookup import Lookup
from daybook.spec.measure import (
    Measure,
    Ratio,
    measure_problems,
    ratio_problems,
    total_problems,
)
from daybook.spec.override import Place, changed, places
from daybook.spec.parts import Engine, Plausible, Pools
from daybook.spec.roll_up import not_additive
from daybook.spec.rule import Rule, rule_problems
from daybook.spec.schedule import Schedule
from daybook.spec.source import Source
from daybook.spec.source_checks import source_problems
from daybook.spec.summary import Summary, day_problems, summary_problems
from daybook.spec.table import Table
from daybook.spec.target import Target, target_problems
from daybook.spec.value import Name, Value, twice, unknown
from daybook.text import nearest


class Pipeline(Value):
    """A pipeline: sources in, summaries out. See docs/glossary.md for the words.

    `facts` names the source whose rows are counted; `day_columns` the columns that hold a fact's day: one date; one
    timestamp, whose day in the schedule's time zone counts; or year, month and day of month.
    `transform` is the pipeline's own function at the end of `clean`: it takes a pandas frame of the facts, or with
    `@narwhals_transform` a narwhals LazyFrame of the engine, and returns one, with the columns of `transform_gives`
    added; it may drop rows. What it gives is not rounded or cut: it rounds floats itself.
    `look_back_days`: how many earlier days a daily run checks, to run those again whose sources have changed.
    `catch_up_days`: how many earlier days a daily run checks, to run those that were missed while the scheduler was
    down; 0 leaves them to a backfill.
    """

    added_later: ClassVar[frozenset[str]] = frozenset({"clean_rows", "also", "keep_files_days"})
    # Who is told, and when no more is begun, changes no number.
    for_readers: ClassVar[frozenset[str]] = frozenset({"alerts", "max_failed_runs"})

    name: Name
    """The name of its DAG, and of its folder of published files."""
    description: str
    """One line for Airflow and for readers."""
    owner: str = ""
    """Who answers for it: a person, a team or an address; Airflow shows it."""
    alerts: Alerts | None = None
    """Who is told if a day fails or is late; else the owner's places and the deployment's count."""
    tags: tuple[str, ...] = ()
    """Words by which Airflow's list of DAGs is filtered, beside "daybook"."""
    tables: tuple[Table, ...] = ()
    """Sources that are read from a PostgreSQL database."""
    files: tuple[File, ...] = ()
    """Sources that are delivered as files."""
    facts: str
    day_columns: tuple[str, ...] = Field(min_length=1, max_length=3)
    derived: tuple[Derived, ...] = ()
    """Columns that are computed for each row: `{name: expression}`, or a tuple of Derived."""
    rules: tuple[Rule, ...] = ()
    """What has to hold for each row: `{name: expression}`, or a tuple of Rule."""
    transform: Callable[[Any], Any] | None = None
    transform_gives: tuple[Column, ...] = ()
    lookups: tuple[Lookup, ...] = ()
    """What `index` joins to the facts, in this order."""
    measures: tuple[Measure, ...] = Field(min_length=1)
    """The numbers of a group."""
    ratios: tuple[Ratio, ...] = ()
    """One measure divided by another."""
    summaries: tuple[Summary, ...] = Field(min_length=1)
    """What is published, each as a view and as files."""
    clean_rows: CleanRows | None = None
    """The accepted facts, published beside the summaries."""
    target: Target
    """Where it is published."""
    also: tuple[Target, ...] = ()
    """Further databases that show the same to readers of their own, a little later."""
    exports: tuple[Export, ...] = ()
    """Copies of a day's published files at other places."""
    schedule: Schedule
    """Its days, and when they run."""
    pools: Pools = Pools()
    """The Airflow pools of its tasks."""
    engine: Engine = "polars"
    """What computes `clean` to `summarize`; each gives the same numbers. "pyspark" is for a day that is too large for a
    machine: see scale.md."""
    look_back_days: int = Field(default=0, ge=0)
    catch_up_days: int = Field(default=7, ge=0)
    max_active_runs: int = Field(default=8, ge=1)
    """How many of its runs may be at work at a time."""
    max_failed_runs: int = Field(default=0, ge=0)
    """After how many failed runs in a row Airflow pauses the DAG; with 0 it never does."""
    plausible: Plausible = Plausible()
    """What a day must look like to be published."""
    keep_runs: int = Field(default=3, ge=0)
    """How many runs before the published one are kept for a rollback."""
    keep_files_days: int | None = Field(default=None, ge=7)
    """After how many days the files of a run's steps go, raw and refused rows with them; what is published stays."""
    may_override: tuple[str, ...] = ()
    """The values that one run may set otherwise, for its own days, by their paths, such as "plausible.within_pct",
    "sales.limits.refused_rows" or "sales.price.maximum"."""
    renamed_from: Name | None = None
    """The name that it had before; its days, ledger and folders go on under the new one. It may go after a run."""

    @field_validator("derived", mode="before")
    @classmethod
    def _short_for_derived(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return tuple(Derived(name=name, of=expression) for name, expression in given.items())

    @field_validator("rules", mode="before")
    @classmethod
    def _short_for_rules(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return tuple(Rule(name=name, holds=expression) for name, expression in given.items())

    @model_validator(mode="after")
    def _names_meet(self) -> Self:
        check(self)
        return self

    @property
    def sources(self) -> tuple[Source, ...]:
        """Return the tables, then the files."""
        return (*self.tables, *self.files)

    def delivered_on(self, file: File, day: date) -> date | None:
        """Return the day whose file a run of a day reads; None if it is the facts' and none is due for the day."""
        if file.name == self.facts:
            return day if file.is_due(day) else None
        return file.last_due(day)

    @property
    def as_of_day(self) -> frozenset[str]:
        """Return the names of the sources whose rows stay those of when a day was first published."""
        return lookups.as_of_day(self.lookups)

    @property
    def views(self) -> tuple[View, ...]:
        """Return all that is published: the summaries, and the clean rows with the names of all their columns."""
        if self.clean_rows is None:
            return self.summaries
        columns = published_columns(self.clean_rows, fact_columns(self), self.day_columns)
        return (*self.summaries, self.clean_rows.model_copy(update={"columns": columns}))

    @property
    def of_days(self) -> tuple[str, ...]:
        """Return the names of the summaries that are no roll-ups."""
        return tuple(summary.name for summary in self.summaries if not summary.every)

    @property
    def roll_ups(self) -> tuple[str, ...]:
        """Return the names of the summaries that have a row per period."""
        return tuple(summary.name for summary in self.summaries if summary.every)

    def source(self, name: str) -> Source:
        """Return the source of that name."""
        return next(source for source in self.sources if source.name == name)

    @property
    def places(self) -> dict[str, Place]:
        """Return every value that `may_override` could name, by its path."""
        return places(self.plausible, self.sources)

    def overridden(self, values: Mapping[str, object]) -> Self:
        """Return the pipeline with other values at some paths. Raises BadSpec for a path or a value that is refused."""
        pipeline = self
        for path, value in values.items():
            if path not in self.may_override:
                named = ", ".join(self.may_override) or "none"
                raise BadSpec(
                    f"{self.name}: a run may not set {path!r}{nearest(path, self.may_override)}; may_override of the "
                    f"spec names {named}"
                )
            words = changed(pipeline.places[path], value, dict(pipeline))
            pipeline = pipeline.model_copy(update=words)
        return pipeline

    def file(self, name: str) -> File:
        """Return the file of that name."""
        return next(file for file in self.files if file.name == name)


def check(pipeline: Pipeline) -> None:
    """Check that all names exist and fit. Raises BadSpec with one line per problem."""
    problems = [f"{pipeline.name}.{problem}" for problem in _problems(pipeline)]
    if problems:
        raise BadSpec("\n".join(problems))


@kept
def fact_columns(pipeline: Pipeline) -> Mapping[str, Column]:
    """Return the columns of the facts after `index`: their own, the transform's, the looked up and the derived."""
    there = (*clean_columns(pipeline), *_looked_up(pipeline))
    return {column.name: column for column in (*there, *(made.column for made in derived_in_index(pipeline)))}


@kept
def derived_in_clean(pipeline: Pipeline) -> Sequence[Made]:
    """Return the derived columns that need only columns of the facts' source."""
    return derivations.made_from(pipeline.derived, pipeline.source(pipeline.facts).columns)


@kept
def derived_in_index(pipeline: Pipeline) -> Sequence[Made]:
    """Return the other derived columns: those that need a column of the transform or of a lookup."""
    early = {made.derived.name for made in derived_in_clean(pipeline)}
    others = [derived for derived in pipeline.derived if derived.name not in early]
    return derivations.made_from(others, (*clean_columns(pipeline), *_looked_up(pipeline)))


def day_is_of_instant(pipeline: Pipeline) -> bool:
    """Return whether a fact's day is that of an instant, in the schedule's time zone."""
    column = pipeline.source(pipeline.facts).column(pipeline.day_columns[0])
    return column is not None and column.kind == "timestamp"


def clean_columns(pipeline: Pipeline) -> tuple[Column, ...]:
    """Return the columns of the facts after `clean`: their own, the derived, and the transform's."""
    derived = (made.column for made in derived_in_clean(pipeline))
    return (*pipeline.source(pipeline.facts).columns, *derived, *pipeline.transform_gives)


def _looked_up(pipeline: Pipeline) -> Iterator[Column]:
    for lookup in pipeline.lookups:
        yield from _given(lookup, pipeline)


def _given(lookup: Lookup, pipeline: Pipeline) -> Iterator[Column]:
    source = pipeline.source(lookup.source)
    for given, name in lookup.gives.items():
        if column := source.column(given):
            yield column.model_copy(update={"name": name})
    if lookup.unknown_flag:
        yield _flag(lookup.unknown_flag)


def _flag(name: str) -> Column:
    return Column(header=name, name=name, kind="boolean")


def _problems(pipeline: Pipeline) -> list[str]:
    # Later stages rely on the names that earlier ones checked, so the first stage with problems ends the search.
    stages: tuple[Callable[[Pipeline], Iterator[str]], ...] = (_sources, _facts, _lookups, _columns, _measures)
    for stage in stages:
        found = list(stage(pipeline))
        if found:
            return found
    return []


def _sources(pipeline: Pipeline) -> Iterator[str]:
    names = [source.name for source in pipeline.sources]
    yield from twice("sources", names)
    yield from unknown("facts", pipeline.facts, names, "source")
    for number, lookup in enumerate(pipeline.lookups):
        yield from unknown(f"lookups[{number}].source", lookup.source, names, "source")
    for number, path in enumerate(pipeline.may_override):
        yield from unknown(f"may_override[{number}]", path, pipeline.places, "value that a run may set")
    for source in pipeline.sources:
        yield from source_problems(source, is_facts=source.name == pipeline.facts)
    for file in pipeline.files:
        if file.late_days and file.name != pipeline.facts:
            yield f"{file.name}.late_days: {file.late_days} is refused: only the facts have a day"


def _facts(pipeline: Pipeline) -> Iterator[str]:
    facts = pipeline.source(pipeline.facts)
    read_by = facts.day if isinstance(facts, Table) else None
    yield from day_column_problems(pipeline.day_columns, facts, read_by, pipeline.schedule.time_zone)
    later = [column.name for column in (*pipeline.transform_gives, *_looked_up(pipeline))]
    yield from derivations.wrong_kinds(pipeline.derived, facts.columns, later)


def _lookups(pipeline: Pipeline) -> Iterator[str]:
    facts = {column.name: column for column in clean_columns(pipeline)}
    for number, lookup in enumerate(pipeline.lookups):
        yield from lookups.problems(f"lookups[{number}]", lookup, pipeline.source(lookup.source), facts)
        facts |= {column.name: column for column in _given(lookup, pipeline)}
    yield from lookups.moment_problems(pipeline.lookups, pipeline.facts)
    yield from engine_problems(pipeline.engine, pipeline.facts, pipeline.transform, pipeline.lookups)
    labels = [lookup.label for lookup in pipeline.lookups]
    yield from (f"{twice}: give one of them a name of its own" for twice in twice("lookups", labels))


def _columns(pipeline: Pipeline) -> Iterator[str]:
    there = (*pipeline.source(pipeline.facts).columns, *pipeline.transform_gives, *_looked_up(pipeline))
    names = [*(column.name for column in there), *(derived.name for derived in pipeline.derived)]
    yield from derivations.wrong_kinds(pipeline.derived, there, ())
    yield from derivations.out_of_order(pipeline.derived, there)
    numbers = [*(measure.name for measure in pipeline.measures), *(ratio.name for ratio in pipeline.ratios)]
    yield from twice("facts (with derived, transform_gives and lookups)", names)
    yield from twice("measures and ratios", numbers)
    yield from twice("summaries and clean_rows", [view.name for view in pipeline.views])
    views = {view.name: view.renamed_from for view in pipeline.views}
    yield from former_name_problems(pipeline.name, pipeline.renamed_from, views, former_names(pipeline))
    if rows := pipeline.clean_rows:
        yield from clean_rows_problems("clean_rows", rows, fact_columns(pipeline), pipeline.day_columns)


def _measures(pipeline: Pipeline) -> Iterator[str]:
    columns = fact_columns(pipeline)
    yield from rule_problems(pipeline.rules, columns)
    measures = {measure.name: measure for measure in pipeline.measures}
    for number, measure in enumerate(pipeline.measures):
        yield from measure_problems(f"measures[{number}]", measure, columns)
    for number, ratio in enumerate(pipeline.ratios):
        yield from ratio_problems(f"ratios[{number}]", ratio, measures, columns)
    others = {name: measure.how for name, measure in measures.items() if not measure.is_additive}
    for number, summary in enumerate(pipeline.summaries):
        path, is_instant = f"summaries[{number}]", day_is_of_instant(pipeline)
        yield from summary_problems(path, summary, columns, [*measures, *(r.name for r in pipeline.ratios)])
        yield from not_additive(path, summary, others, pipeline.ratios) if summary.every else ()
        yield from day_problems(path, summary, pipeline.day_columns, is_instant=is_instant)
    yield from target_problems(pipeline.target, pipeline.also)
    yield from twice("exports", [export.name for export in pipeline.exports])
    yield from export_problems(pipeline.exports, pipeline.of_days, pipeline.roll_ups)
    for number, name in enumerate(pipeline.plausible.measures):
        yield from total_problems(f"plausible.measures[{number}]", name, measures)


def former_names(pipeline: Pipeline) -> dict[str, str | None]:
    """Return the name that each measure and ratio had before, by its name of now; None if it had no other."""
    measures = {measure.name: measure.renamed_from for measure in pipeline.measures}
    return measures | {ratio.name: ratio.renamed_from for ratio in pipeline.ratios}
