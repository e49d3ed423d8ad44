"""What the plugin answers to Prometheus. It asks each warehouse once, through Airflow's connection of the target.

Only the API server imports it, when it is asked.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from daybook.pages.metrics import metrics
from daybook.pipelines import pipelines_now
from daybook.planning.known_pipelines import ask_all
from daybook_airflow.hooks import postgres


def metrics_answer(may_see: Callable[[str], bool]) -> bytes:
    """Return the metrics of the pipelines that load. may_see: whether a pipeline is among those."""
    pipelines = pipelines_now()
    seen = {name: pipeline for name, pipeline in pipelines.good.items() if may_see(name)}
    return metrics(ask_all(seen, postgres, datetime.now(UTC)), len(pipelines.broken))
