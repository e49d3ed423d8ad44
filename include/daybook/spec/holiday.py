"""Public holidays, by the package `holidays`: of a country, such as "ES", or of a part of one, such as "ES-MD"."""

from collections.abc import Collection, Mapping
from datetime import date
from functools import cache

from daybook.text import nearest


def holiday_on(day: date, where: str) -> str | None:
    """Return the name of the public holiday on a day, or None."""
    return _holidays(where).get(day)


def why_closed(day: date, where: str | None, closed: Collection[date]) -> str | None:
    """Return why a day is closed, or None. where: a calendar of holidays. closed: further days."""
    if day in closed:
        return "it is one of the days in `closed`"
    if where and (name := holiday_on(day, where)):
        return f"it is a public holiday in {where} ({name})"
    return None


def problem(where: str) -> str | None:
    """Return why `where` is no calendar of holidays, or None if it is one."""
    import holidays

    country, _, part = where.partition("-")
    known = holidays.list_supported_countries(include_aliases=False)
    if country not in known:
        return (
            f"there is no calendar of that country; it takes a code of ISO 3166, such as 'ES'{nearest(country, known)}"
        )
    if part and part not in known[country]:
        return f"{country} has no part {part!r}{nearest(part, known[country])}"
    return None


@cache
def _holidays(where: str) -> Mapping[date, str]:
    # Imported here, as few pipelines ask, and every task builds the spec anew.
    import holidays

    country, _, part = where.partition("-")
    return holidays.country_holidays(country, subdiv=part or None)
