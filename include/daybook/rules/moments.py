"""The local days and hours of instants, by Python's own time zones: each different second is looked up once. Pure."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000


def local_dates(instants: pa.Array, time_zone: str) -> pa.Array:
    """Return the local day of each instant."""
    return _by_second(instants, time_zone, datetime.date, pa.date32())


def local_hours(instants: pa.Array, time_zone: str) -> pa.Array:
    """Return the local hour of each instant."""
    return _by_second(instants, time_zone, lambda local: local.hour, pa.int64())


def _by_second(
    instants: pa.Array, time_zone: str, part: Callable[[datetime], date | int], kind: pa.DataType
) -> pa.Array:
    zone = ZoneInfo(time_zone)
    seconds = pc.floor_temporal(instants, unit="second").cast(pa.int64()).dictionary_encode()
    moments = (_EPOCH + timedelta(microseconds=second) for second in seconds.dictionary.to_pylist())
    parts = pa.array([part(moment.astimezone(zone)) for moment in moments], kind)
    return parts.take(seconds.indices)
