"""What a spec says of days and sources, in sentences of plain text."""

from daybook.spec import Column, File, Pipeline, Source, Table, View
from daybook.text import counted


def days(pipeline: Pipeline) -> str:
    """Return which days a pipeline has, and when they run."""
    schedule = pipeline.schedule
    end = f" to {schedule.end}" if schedule.end else " on"
    holidays = f", without the public holidays of {schedule.holidays}" if schedule.holidays else ""
    closed = f", without {', '.join(map(str, schedule.closed))}" if schedule.closed else ""
    return (
        f"Its days are those of {schedule.time_zone} from {schedule.start}{end} that the cron {schedule.cron!r} means"
        f"{holidays}{closed}; a day is run at that time after it is over."
    )


def plausible(pipeline: Pipeline) -> str:
    """Return which days are held, in one sentence."""
    plausible = pipeline.plausible
    least = f"A day with fewer than {counted(plausible.min_rows, 'row')} is held until a person releases it"
    if plausible.within_pct is None:
        return f"{least}."
    compared = ", ".join(("its rows", *plausible.measures))
    return (
        f"{least}; so is one that differs by more than {plausible.within_pct} % from the days before it ({compared})."
    )


def published_as(pipeline: Pipeline) -> str:
    """Return as what its numbers are published: of roll-ups there are files of each finished period."""
    periods = sorted({f" and of each finished {summary.every}" for summary in pipeline.summaries if summary.every})
    also = [f"; the same views, a little later, in {target}" for target in pipeline.also]
    return f"as views, and as files of each day{''.join(periods)}{''.join(also)}"


def rows_of(view: View) -> str:
    """Return what a row of a view is for, as in "one row for each day and shop"."""
    return f"one row for each {' and '.join((view.names[0], *view.by))}"


def sentences(source: Source) -> list[str]:
    """Return where a source comes from, its key, and how a missing value is written."""
    key = [f"Its key: {', '.join(source.key)}."] if source.key else []
    tokens = ", ".join(repr(token) for token in source.null_tokens)
    missing = [f"A missing value is written {tokens}."] if source.is_written and tokens else []
    return [_origin(source), *key, *missing]


def kind(column: Column) -> str:
    """Return the kind of a column, with its digits or its format."""
    if column.kind == "decimal":
        return f"decimal({column.digits},{column.scale})"
    kind = "clock time" if column.is_clock else column.kind
    return f"{kind} as {column.format}" if column.format else kind


def _origin(source: Source) -> str:
    if isinstance(source, Table):
        by_day = f", by the day in {source.day}" if source.day else ""
        return f"The table {source.relation} of the connection {source.connection}{by_day}."
    named = isinstance(source, File) and (source.path or source.manifest)
    return f"The file {named} of the connection {source.connection}."
