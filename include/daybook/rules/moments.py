"""The local days and hours of instants, by Python's own time zones. Pure.

The clock is looked up once for each hour, and for each second of the hours in which it changes.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HOUR = timedelta(hours=1)


def local_dates(instants: pa.Array, time_zone: str) -> pa.Array:
    """Return the local day of each instant; nothing if it is in no year from 1 to 9999."""
    return pc.floor_temporal(_local(instants, ZoneInfo(time_zone)), unit="day").cast(pa.date32())


def local_hours(instants: pa.Array, time_zone: str) -> pa.Array:
    """Return the local hour of each instant; nothing if its day is in no year from 1 to 9999."""
    return pc.hour(_local(instants, ZoneInfo(time_zone))).cast(pa.int64())


def _local(instants: pa.Array, zone: ZoneInfo) -> pa.Array:
    """Return what the clock shows at each instant."""
    offsets = _by("hour", instants, lambda moment: _offset_of_hour(moment, zone))
    is_open = pc.and_(pc.is_valid(instants), pc.is_null(offsets))
    if pc.any(is_open).as_py():
        precise = _by("second", instants.filter(is_open), lambda moment: _offset(moment, zone))
        offsets = pc.replace_with_mask(offsets, is_open, precise)
    return pc.add(instants.cast(pa.int64()), offsets).cast(pa.timestamp("us"))


def _by(unit: str, instants: pa.Array, offset: Callable[[datetime], timedelta | None]) -> pa.Array:
    """Return what the clock is ahead of UTC in microseconds, looked up once for each hour or second."""
    different = pc.floor_temporal(instants, unit=unit).cast(pa.int64()).dictionary_encode()
    moments = (_EPOCH + timedelta(microseconds=one) for one in different.dictionary.to_pylist())
    return pa.array(map(offset, moments), pa.duration("us")).cast(pa.int64()).take(different.indices)


def _offset_of_hour(moment: datetime, zone: ZoneInfo) -> timedelta | None:
    """Return what the clock is ahead of UTC in an hour, or None if it changes in it."""
    first, last = _offset(moment, zone), _offset(moment, zone, _HOUR)
    return first if first == last else None


def _offset(moment: datetime, zone: ZoneInfo, later: timedelta = timedelta()) -> timedelta | None:
    try:
        return (moment + later).astimezone(zone).utcoffset()
    except OverflowError:
        return None
