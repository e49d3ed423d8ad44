"""The days of a pipeline's runs, as Airflow's scheduler finds them: each once, also where the clock skips midnight."""

from datetime import date, timedelta

import airflow
import pendulum
import pytest
from airflow.timetables.base import DagRunInfo, TimeRestriction, Timetable
from airflow.timetables.trigger import CronPartitionTimetable
from airflow.utils.types import DagRunType
from packaging.version import Version

from daybook_airflow.timetable import DailyTimetable

# The clock skips the midnight of a day of this year.
SKIPPED = [("America/Sao_Paulo", 2018), ("Asia/Beirut", 2025), ("America/Havana", 2025)]


def scheduled(timetable: Timetable, year: int) -> list[DagRunInfo]:
    """Return the runs that the scheduler makes one after the other in a year."""
    begin, end = pendulum.datetime(year, 1, 1), pendulum.datetime(year, 12, 31)
    restriction = TimeRestriction(earliest=begin, latest=end, catchup=True)
    found, last = list[DagRunInfo](), None
    while last := timetable.next_dagrun_info_v2(last_dagrun_info=last, restriction=restriction):
        found.append(last)
    return found


def days_of(year: int) -> list[str]:
    """Return the days that each list has to have, but for the first and last two, where the zones differ."""
    return [str(date(year, 1, 3) + timedelta(days=number)) for number in range(360)]


@pytest.mark.parametrize(("zone", "year"), SKIPPED, ids=[zone for zone, _ in SKIPPED])
def test_each_local_day_has_one_run_whose_name_says_the_day(zone: str, year: int) -> None:
    timetable = DailyTimetable("0 0 * * *", timezone=zone)
    names = [
        timetable.generate_run_id(
            run_type=DagRunType.SCHEDULED, run_after=run.run_after, data_interval=run.data_interval
        )
        for run in scheduled(timetable, year)
    ]
    assert len(set(names)) == len(names)
    days = [name.split("__")[1] for name in names]
    assert [day for day in days if day in days_of(year)] == days_of(year)


# Why the days of a pipeline are intervals and not partitions: before 3.4, Airflow's lost one.
LOST = 1 if Version(airflow.__version__).release < (3, 4) else 0


@pytest.mark.parametrize(("zone", "year"), SKIPPED, ids=[zone for zone, _ in SKIPPED])
def test_airflows_partitions_lose_a_day_where_midnight_is_skipped(zone: str, year: int) -> None:
    timetable = CronPartitionTimetable("0 0 * * *", timezone=zone, run_offset=-1, key_format="%Y-%m-%d")
    keys = [run.partition_key for run in scheduled(timetable, year)]
    assert len([day for day in days_of(year) if day not in keys]) == LOST


def test_a_run_of_a_person_keeps_airflows_name() -> None:
    moment = pendulum.datetime(2026, 1, 1)
    name = DailyTimetable("0 0 * * *", timezone="UTC").generate_run_id(
        run_type=DagRunType.MANUAL, run_after=moment, data_interval=None
    )
    assert name == "manual__2026-01-01T00:00:00+00:00"
