"""A step as a task of the DAG file; held.py has the tasks of the steps that may hold a day."""

from typing import Any

from airflow.providers.standard.operators.python import PythonOperator

from daybook.run.several_days import Step
from daybook_airflow.tasks import do


class StepTask(PythonOperator):
    """A task that does a step for each day of its run; it is called as the step is."""

    def __init__(self, *, step: Step, **more: Any) -> None:
        """Make the task of a step, by its name."""
        name, words = step.__name__, step.__doc__
        super().__init__(task_id=name, doc_md=words, python_callable=_with_context(step), **more)


def _with_context(step: Step) -> Any:
    return lambda **context: do(step, context)
