"""Clocks and time zones: this machine's against those of the databases and of the servers of files.

A server of files tells no time of its own: it is seen to be ahead if a file of it was changed in the future.
"""

from collections.abc import Collection, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

from commands.checks.finding import Finding
from daybook.ftp.listing import Remote
from daybook.postgres.session import Connection

CHECK = "clocks"
MOST_APART = timedelta(seconds=10)
# A sender may name a file by its own clock, and an hour is what a wrong time zone gives at least.
MOST_AHEAD = timedelta(minutes=5)
MEND = "let both machines follow a time server (NTP)"
MONTHS = range(1, 13)


def now() -> datetime:
    """Return this machine's time."""
    return datetime.now(UTC)


def clock_of(session: Connection, connection: str) -> Finding:
    """Compare a database's clock with this machine's."""
    before = now()
    row = session.execute("select clock_timestamp()").fetchone()
    apart = _apart(row[0], before, now()) if row else timedelta()
    if abs(apart) <= MOST_APART:
        return Finding(CHECK, "well", f"{connection}: its clock and this machine's agree")
    return Finding(CHECK, "mend", f"{connection}: its clock is {_in_words(apart)} this machine's", MEND)


def _apart(theirs: datetime, before: datetime, after: datetime) -> timedelta:
    """Return how far a clock that was asked between two moments is ahead of ours; nothing if it is in between."""
    return max(theirs - after, timedelta()) or min(theirs - before, timedelta())


def _in_words(apart: timedelta) -> str:
    return f"{abs(apart).total_seconds():,.0f} s {'ahead of' if apart > timedelta() else 'behind'}"


def zones_of(session: Connection, connection: str, zones: Collection[str]) -> Iterator[Finding]:
    """Compare what a database knows of the pipelines' time zones with what this machine knows, for three years."""
    known = {name for (name,) in session.execute("select name from pg_timezone_names where name = any(%s)", [[*zones]])}
    for zone in sorted(zones):
        if zone not in known:
            yield Finding(CHECK, "mend", f"{connection}: its server knows no time zone {zone}", _UPDATE)
        elif other := _other_offset(session, zone):
            found = f"{connection}: in {zone} its server has another time than this machine from {other:%Y-%m} on"
            yield Finding(CHECK, "mend", found, _UPDATE)


_UPDATE = "update the time zones of both (tzdata), as one of them does not know the newest rules"
_OFFSETS = (
    "select extract(epoch from (at at time zone %s) - (at at time zone 'UTC'))::int from unnest(%s::timestamptz[]) at"
)


def _other_offset(session: Connection, zone: str) -> datetime | None:
    year = now().year
    moments = [datetime(one, month, 1, 12, tzinfo=UTC) for one in range(year - 1, year + 2) for month in MONTHS]
    theirs = [seconds for (seconds,) in session.execute(_OFFSETS, [zone, moments])]
    ours = [(moment.astimezone(ZoneInfo(zone)).utcoffset() or timedelta()).total_seconds() for moment in moments]
    found = zip(moments, ours, theirs, strict=True)
    return next((moment for moment, our, their in found if our != their), None)


def clock_of_files(connection: str, path: str, remote: Remote) -> Iterator[Finding]:
    """See whether a file was changed in the future, by the server's words."""
    changed_at = moment_of(remote.modified_at)
    if changed_at and changed_at - now() > MOST_AHEAD:
        found = f"{connection}: {path} was changed at {changed_at:%Y-%m-%d %H:%M} UTC, and it is {now():%Y-%m-%d %H:%M}"
        yield Finding(CHECK, "mend", found, f"{MEND}; a server of FTP has to tell times in UTC")


def moment_of(modified_at: str) -> datetime | None:
    """Return the instant that a server means, as the transports have it; None for any other text.

    FTP: YYYYMMDDHHMMSS (RFC 3659, 2.3); SFTP and S3: seconds since 1970; a folder: nanoseconds; HTTP: RFC 9110, 5.6.7.
    """
    digits = modified_at.partition(".")[0]
    with suppress(ValueError, TypeError, OverflowError):
        if not digits.isdecimal():
            return parsedate_to_datetime(modified_at).astimezone(UTC)
        if len(digits) == len("YYYYMMDDHHMMSS"):
            return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
        return datetime.fromtimestamp(int(digits) / (1 if len(digits) <= 11 else 10**9), UTC)
    return None
