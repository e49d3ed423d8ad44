"""A Days tab on every DAG, a Report tab on every run, with the report that readers see, and metrics for Prometheus.

Airflow imports this file in every process, each task's too. The pages are imported when the API server
asks for the app.
"""

from typing import Any

from airflow.plugins_manager import AirflowPlugin


class ReportTab(AirflowPlugin):
    """The plugin as Airflow reads it: the tab, and the app that serves it."""

    name = "daybook_report"
    external_views = [
        # Without a route of its own Airflow opens it beside itself: inside of its frames no link leads out again.
        {"name": "Daybook counts", "href": "daybook/", "destination": "nav", "category": "browse"},
        {"name": "Days", "href": "daybook/{DAG_ID}/days", "destination": "dag", "url_route": "days"},
        {
            "name": "Report",
            # Relative to the UI's base, so it also works if Airflow is served below a path.
            "href": "daybook/{DAG_ID}/{RUN_ID}/run",
            "destination": "dag_run",
            "url_route": "report",
        },
    ]

    @property
    def fastapi_apps(self) -> list[Any]:  # type: ignore[override]
        """Return the app. Only the API server, and commands about plugins, ask for it."""
        from daybook_airflow.pages.routes import app

        return [{"app": app, "url_prefix": "/daybook", "name": "Daybook's reports"}]
