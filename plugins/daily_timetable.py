"""Makes Daybook's timetable known to Airflow, which reads a DAG's schedule by the name of its class."""

from airflow.plugins_manager import AirflowPlugin

from daybook_airflow.timetable import DailyTimetable


class DailyTimetablePlugin(AirflowPlugin):
    """The plugin as Airflow reads it."""

    name = "daybook_timetable"
    timetables = [DailyTimetable]
