"""`make day DAY=…`: one day of flights, through the deployment that is up, or through one that is started for it."""

from datetime import date

from rich.console import Console

from deployment.airflow_api import AirflowApi
from deployment.day_table import day_table, run_seconds
from deployment.demo import DAG_ID
from deployment.failures import failure
from deployment.home import Home
from deployment.postgres_server import LocalPostgres
from deployment.servers import running

RUN_SECONDS = 600


def publish_day(home: Home, day: date, console: Console) -> None:
    """Run a day and show what is published of it. Raises DeploymentError if the run fails."""
    with running(home, "make day", console.print) as deployment:
        _publish(deployment.api, deployment.postgres, day, console)


def _publish(api: AirflowApi, postgres: LocalPostgres, day: date, console: Console) -> None:
    api.wait_for_dag(DAG_ID)
    api.unpause(DAG_ID)
    run_id = api.trigger(DAG_ID, conf={"day": str(day)})
    console.print(f"Airflow runs {run_id}.", markup=False)
    run = api.wait_for_run(DAG_ID, run_id, seconds=RUN_SECONDS)
    if run["state"] != "success":
        raise failure(api, postgres.home, [run])
    console.print(day_table(postgres.dsn("warehouse", "warehouse_owner"), {day: run_seconds(api, run)}))
