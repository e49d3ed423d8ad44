"""Names of time zones, checked for the schedule and for the local times of columns."""

from zoneinfo import ZoneInfo, available_timezones

from daybook.text import nearest


def known_zone(name: str) -> str:
    """Return an IANA name of a time zone. Raises ValueError with the nearest one if there is no such zone."""
    # Every task builds the spec anew. Listing all names reads a thousand files, so only a wrong name does it.
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"no time zone of that name{nearest(name, available_timezones())}") from None
    return name
