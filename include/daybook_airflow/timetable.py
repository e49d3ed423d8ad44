"""When a pipeline's runs begin, and their names: each says its local day, which Airflow's own names do not.

Airflow finds the class by its name, registered in plugins/daily_timetable.py.
"""

from typing import Any
from zoneinfo import ZoneInfo

from airflow.timetables.interval import CronDataIntervalTimetable


class DailyTimetable(CronDataIntervalTimetable):
    """A run for each local day, made when the day is over.

    The scheduler's runs are called `scheduled__2013-01-07__2013-01-08T05:00:00+00:00`: the day, and the instant at
    which it could begin. Without the instant, another cron would bring a name again, which Airflow refuses. A backfill
    of Airflow 3.3.2 asks no timetable, and calls its runs by that instant alone; their notes say the day.

    Not Airflow's CronPartitionTimetable: before 3.4 it loses a day each year if the clock skips a midnight.
    """

    def generate_run_id(self, *, run_type: Any, run_after: Any, data_interval: Any, **_more: Any) -> str:
        """Return the name of a run. A person's run may be about any day, which only its conf says."""
        is_ours = run_type in ("scheduled", "backfill") and data_interval is not None
        day = f"{data_interval.start.astimezone(ZoneInfo(self._zone)).date()}__" if is_ours else ""
        return str(run_type.generate_run_id(suffix=f"{day}{run_after.isoformat()}"))

    @property
    def _zone(self) -> str:
        return str(self.serialize()["timezone"])
