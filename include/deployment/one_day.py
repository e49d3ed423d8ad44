"""`make day DAY=…`: one day of flights, through the deployment that is up, or through one that is started for it.

`make replay DAY=… FILE=… WHY=…` keeps mended rows before that.
"""

from datetime import date

from rich.console import Console

from daybook import replay_command
from deployment.control.failures import failure
from deployment.day_table import day_table, run_seconds
from deployment.demo import DAG_ID
from deployment.home import Home
from deployment.running import Running, running

RUN_SECONDS = 600


def publish_day(home: Home, day: date, console: Console) -> None:
    """Run a day and show what is published of it. Raises DeploymentError if the run fails."""
    with running(home, "make day", console.print) as deployment:
        _publish(deployment, DAG_ID, day, console)


def replay_day(home: Home, words: list[str], console: Console) -> None:
    """Keep the mended rows of a file and run their day. words: those of `python -m daybook replay`.

    Raises DaybookError if a row cannot be kept, and DeploymentError if the run fails.
    """
    # The file is read before anything is started, which takes a while.
    asked = replay_command.asked_of(words)
    with running(home, "make replay", console.print) as deployment:
        console.print(replay_command.told(asked, replay_command.do(asked)), markup=False)
        _publish(deployment, asked.pipeline.name, asked.day, console)


def _publish(deployment: Running, dag_id: str, day: date, console: Console) -> None:
    api, home = deployment.api, deployment.home
    api.wait_for_dag(dag_id)
    api.unpause(dag_id)
    run_id = api.trigger(dag_id, conf={"day": str(day)})
    console.print(f"Airflow runs {run_id}.", markup=False)
    run = api.wait_for_run(dag_id, run_id, seconds=RUN_SECONDS)
    if run["state"] != "success":
        raise failure(api, home, [run])
    if dag_id == DAG_ID:
        dsn = deployment.postgres.dsn("warehouse", "warehouse_owner")
        console.print(day_table(dsn, {day: run_seconds(api, run)}))
