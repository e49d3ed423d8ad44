"""A note on every run: its days when it begins, its receipt in one line when it is done.

Airflow calls it in the scheduler, as a run changes its state; it reads files alone, and no more than a month of days.
Airflow imports this file in every process, each task's too. So what it needs is imported when it is called.
"""

from typing import TYPE_CHECKING, Any

from airflow.listeners import hookimpl
from airflow.plugins_manager import AirflowPlugin

if TYPE_CHECKING:
    from datetime import date

    from daybook.spec import Pipeline
    from daybook.storage.data_folder import DataFolder

MOST_DAYS = 31


class RunNotes:
    """The listener. A note that somebody else wrote stays as it is."""

    @hookimpl
    def on_dag_run_running(self, dag_run: Any) -> None:
        """Note the days that a run works on."""
        from daybook.pages.run_note import days_note

        if (pipeline := _pipeline(dag_run)) and not dag_run.note:
            dag_run.note = days_note(_days(pipeline, dag_run)) or None

    @hookimpl
    def on_dag_run_success(self, dag_run: Any) -> None:
        """Note the receipt of a run."""
        from daybook.pages.run_note import days_note, done_note
        from daybook.pages.run_state import read_day

        if not (pipeline := _pipeline(dag_run)):
            return
        days = _days(pipeline, dag_run)
        is_ours = not dag_run.note or dag_run.note.startswith(days_note(days[:1]))
        if is_ours and 0 < len(days) <= MOST_DAYS:
            states = [read_day(_data(), pipeline, dag_run.run_id, day) for day in days]
            dag_run.note = done_note(states) or dag_run.note


class RunNotesPlugin(AirflowPlugin):
    """The plugin as Airflow reads it."""

    name = "daybook_run_notes"
    listeners = [RunNotes()]


def _pipeline(dag_run: Any) -> "Pipeline | None":
    from daybook.pipelines import pipelines_now

    return pipelines_now().good.get(dag_run.dag_id)


def _days(pipeline: "Pipeline", dag_run: Any) -> "list[date]":
    """Return a run's days: those that its tasks have noted, else those of its conf, else its own."""
    from daybook_airflow.run_days import noted_days

    return sorted(noted_days(pipeline, dag_run, _data()))


def _data() -> "DataFolder":
    from daybook_airflow.data import data_for_now

    return data_for_now()
