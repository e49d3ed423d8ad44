"""What the plugin answers to Prometheus. It asks each warehouse once, through Airflow's connection of the target.

Only the API server imports it, when it is asked.
"""

from datetime import UTC, datetime

from daybook.pages.metrics import metrics
from daybook.pipelines import pipelines_now
from daybook.planning.known_pipelines import ask_all
from daybook_airflow.hooks import postgres


def metrics_answer() -> bytes:
    """Return the metrics of all pipelines that load."""
    pipelines = pipelines_now()
    return metrics(ask_all(pipelines.good, postgres, datetime.now(UTC)), len(pipelines.broken))
