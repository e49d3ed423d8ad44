"""A pipeline whose summary has a row for each of its facts, and one for all of them."""

from datetime import date

from daybook.spec import Pipeline, Schedule, Summary

from .sales import sales

DAY = date(2013, 1, 5)


def wide(name: str) -> Pipeline:
    """Return the pipeline: pieces by shop, with a shop in each row, and of the day."""
    summaries = (
        Summary(name="by_shop", by=("shop",), columns=("pieces",)),
        Summary(name="by_day", columns=("pieces",)),
    )
    return sales(name, Schedule(time_zone="UTC", start=DAY), summaries=summaries)


def file_of(rows: int, pieces: int) -> bytes:
    """Return the day's file: so many shops, each with as many pieces."""
    return ("day,shop,pieces\n" + "".join(f"{DAY},S{number},{pieces}\n" for number in range(rows))).encode()


def asked(schema: str, rows: int) -> str:
    """Return the question for the last shop's pieces and those of the day, which belong together."""
    day = f"day = '{DAY}'"
    return (
        f"select (select pieces from {schema}.by_shop where {day} and shop = 'S{rows - 1}')::int, "
        f"(select pieces from {schema}.by_day where {day})::int"
    )
