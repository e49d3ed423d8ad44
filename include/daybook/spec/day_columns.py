"""What is wrong with the columns that hold a fact's day: their kinds, days of UTC, and days of another column."""

from collections.abc import Iterator, Mapping

from daybook.spec.column import Column
from daybook.spec.format import tells_of_utc
from daybook.spec.source import Source
from daybook.spec.value import unknown


def day_column_problems(
    day_columns: tuple[str, ...], facts: Source, read_by: str | None, time_zone: str
) -> Iterator[str]:
    """Yield what is wrong with `day_columns`, one line a problem.

    read_by: the column by whose day the facts are read, if they are. time_zone: of the schedule.
    """
    columns = {column.name: column for column in facts.columns}
    kinds = [columns[name].kind for name in day_columns if name in columns]
    for number, name in enumerate(day_columns):
        yield from unknown(f"day_columns[{number}]", name, columns, "column of the facts")
    if len(kinds) == len(day_columns) and kinds not in (["date"], ["timestamp"], ["integer"] * 3):
        yield (
            f"day_columns: {kinds} are not a day: it takes one date, one timestamp, or integers for year, month "
            "and day of month"
        )
    yield from _days_of_utc(day_columns, columns, time_zone)
    yield from _other_days(day_columns, facts, read_by)


def _days_of_utc(day_columns: tuple[str, ...], columns: Mapping[str, Column], zone: str) -> Iterator[str]:
    for name in day_columns if zone != "UTC" else ():
        column = columns.get(name)
        if column and column.kind == "date" and column.format and tells_of_utc(column.format):
            yield (
                f"day_columns: {name!r} is the day of an instant ({column.format!r}), which may be another one in the "
                f"schedule's time zone, {zone}: declare a timestamp, whose local day counts; let the local day be "
                "delivered; or set time_zone to UTC"
            )


def _other_days(day_columns: tuple[str, ...], facts: Source, read_by: str | None) -> Iterator[str]:
    if read_by and day_columns != (read_by,):
        yield (
            f"day_columns: {facts.name} is read by the day in {read_by!r}, so its rows may be of other days by "
            f"{', '.join(map(repr, day_columns))}: write day_columns=({read_by!r},), or leave out `day`"
        )
