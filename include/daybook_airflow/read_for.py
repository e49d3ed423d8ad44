"""For whom the DAG file is read: for all who look at Airflow, or for the process of one task, again for each task.

A task needs its own DAG alone, and neither the page that a DAG has in the UI nor its form. Airflow says which task it
is ("Optimizing DAG parsing delays during execution", in its Best Practices).
"""

from airflow.sdk import get_parsing_context

from daybook.catalog.runbook import runbook
from daybook.pipelines import load_pipelines
from daybook.spec import Pipeline


def is_read_for_a_task() -> bool:
    """Return whether the DAG file is read by the process of one task."""
    return get_parsing_context().task_id is not None


def pipelines_to_make() -> list[Pipeline]:
    """Return the pipelines of which DAGs are made: all that load, or that of the task."""
    good = load_pipelines().good
    return [good[dag] for dag in good if not is_read_for_a_task() or dag == get_parsing_context().dag_id]


def page_of(pipeline: Pipeline, about_tasks: str | None) -> str | None:
    """Return the Markdown of a DAG's page; None for a task. about_tasks: what holds for the tasks of every pipeline."""
    return None if is_read_for_a_task() else f"{runbook(pipeline)}\n{about_tasks}"
