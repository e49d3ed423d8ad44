"""The deployment's client of Airflow's REST API, which is that of `daybook_airflow`."""

from daybook_airflow.api import FINISHED, SECONDS_BETWEEN_LOOKS, AirflowApi
from daybook_airflow.api_requests import Json

__all__ = ["FINISHED", "SECONDS_BETWEEN_LOOKS", "AirflowApi", "Json"]
