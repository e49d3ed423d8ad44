"""Alerts: this plugin has Airflow call Daybook's listener. Every process of Airflow imports it, each task's too."""

from airflow.plugins_manager import AirflowPlugin

from daybook_airflow.alerts import listener


class AlertListener(AirflowPlugin):
    """The plugin as Airflow reads it."""

    name = "daybook_alerts"
    listeners = [listener]
