"""What a pipeline is: frozen values that refuse unknown words and say which word was meant.

A module of pipelines/ builds one `Pipeline` from the words imported here.

    value.py     the base of all words: frozen, checked when built
    format.py    what the format of a date or a timestamp has to tell
    cron.py      days that a cron means
    holiday.py   public holidays
    alerts.py    who is told of a day that fails or is late
    zones.py     names of time zones
    writing.py   how values are written: words of a column, or of a source for all of its columns
    form.py      how a file is written, and how much of it may be wrong
    column.py    columns: how each is written, its name, its kind, its rules
    source.py    sources, which are tables or files
    table.py     tables: whole or by day, and when a day's rows are there
    file.py      the files that a source is delivered in, and when they count as whole
    lookup.py    sources that facts are joined to by key
    expression.py  what is computed for a row, such as col("price") * 2
    literal.py   plain values in it
    choice.py    when(…).then(…).otherwise(…)
    written.py   how an expression is written
    kinds.py     what an expression gives: its kind and digits
    derived.py   derived columns of the facts
    rule.py      what has to hold for a row
    measure.py   measures and ratios
    roll_up.py   what adds up over days
    summary.py   summaries: what is published
    clean_rows.py  the accepted facts, if they are published too
    schedule.py  the days, and when they run
    export.py    copies of a day's published files at other places
    target.py    where it is published, and databases that follow
    parts.py     the pools, what is plausible
    transform.py a function of the pipeline's own
    override.py  values that one run may set otherwise
    source_checks.py, day_columns.py, former_names.py  what is wrong with parts of it that have to fit
    pipeline.py  all of it together, and the check that every name exists and fits
    work.py      what the steps ask of it, imported from there
    needed.py    the columns of the facts that `clean` hands on
"""

from daybook.spec.alerts import Alerts
from daybook.spec.choice import when
from daybook.spec.clean_rows import CleanRows, View
from daybook.spec.column import (
    Column,
    arrow_type,
    boolean,
    clock_time,
    day_date,
    decimal,
    integer,
    text,
    timestamp,
)
from daybook.spec.derived import Derived, Made, needs_zone
from daybook.spec.export import Export
from daybook.spec.expression import Expression, col, instant, lit
from daybook.spec.file import LATER, MOST_PARTS, File
from daybook.spec.form import Form, Limits
from daybook.spec.kinds import Result, column_of, result
from daybook.spec.lookup import Lookup
from daybook.spec.measure import Measure, Ratio
from daybook.spec.override import Place
from daybook.spec.parts import LIBRARIES, RESERVED, Engine, Plausible, Pools
from daybook.spec.pipeline import (
    Pipeline,
    clean_columns,
    day_is_of_instant,
    derived_in_clean,
    derived_in_index,
    fact_columns,
    former_names,
)
from daybook.spec.roll_up import stored_numbers
from daybook.spec.rule import Rule
from daybook.spec.schedule import Schedule
from daybook.spec.source import Source, Twins
from daybook.spec.summary import DAYS_DUE, DAYS_PUBLISHED, Every, Summary, Top, own_columns
from daybook.spec.table import Table, TableReady, Where
from daybook.spec.target import STATE, STORE, Target
from daybook.spec.transform import narwhals_transform, takes_narwhals
from daybook.spec.value import Name, Value
from daybook.spec.writing import Kind, Writing, said
from daybook.text import nearest

__all__ = [
    "DAYS_DUE",
    "DAYS_PUBLISHED",
    "LATER",
    "LIBRARIES",
    "MOST_PARTS",
    "RESERVED",
    "STATE",
    "STORE",
    "Alerts",
    "CleanRows",
    "Column",
    "Derived",
    "Engine",
    "Every",
    "Export",
    "Expression",
    "File",
    "Form",
    "Kind",
    "Limits",
    "Lookup",
    "Made",
    "Measure",
    "Name",
    "Pipeline",
    "Place",
    "Plausible",
    "Pools",
    "Ratio",
    "Result",
    "Rule",
    "Schedule",
    "Source",
    "Summary",
    "Table",
    "TableReady",
    "Target",
    "Top",
    "Twins",
    "Value",
    "View",
    "Where",
    "Writing",
    "arrow_type",
    "boolean",
    "clean_columns",
    "clock_time",
    "col",
    "column_of",
    "day_date",
    "day_is_of_instant",
    "decimal",
    "derived_in_clean",
    "derived_in_index",
    "fact_columns",
    "former_names",
    "instant",
    "integer",
    "lit",
    "narwhals_transform",
    "nearest",
    "needs_zone",
    "own_columns",
    "result",
    "said",
    "stored_numbers",
    "takes_narwhals",
    "text",
    "timestamp",
    "when",
]
