"""Airflow's REST API as the deployment asks it: the client of `daybook_airflow`, under the name it had here."""

from daybook_airflow.api import FINISHED, SECONDS_BETWEEN_LOOKS, AirflowApi
from daybook_airflow.api_requests import Json

__all__ = ["FINISHED", "SECONDS_BETWEEN_LOOKS", "AirflowApi", "Json"]
