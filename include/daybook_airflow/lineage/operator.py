"""The part of a task that Airflow's OpenLineage provider asks, if it has a transport; else nobody calls it.

Not through the hooks' collector: it carries neither columns nor the protocols that no provider has a converter for.
"""

from collections.abc import Sequence
from typing import Any

from daybook.run.day_run import DayRun


class ToldToOpenLineage:
    """A task of a step, whose datasets are told when it has ended. day_runs: its work, once it has begun."""

    task_id: str
    day_runs: Sequence[DayRun] = ()

    def get_openlineage_facets_on_complete(self, _task_instance: Any) -> Any:
        """Return the datasets of the days for which the step is done; the provider asks after a failure, too."""
        from daybook_airflow.hooks import stored
        from daybook_airflow.lineage.datasets import lineage_of

        return lineage_of(self.task_id, self.day_runs, stored)
