"""`./daybook up`: runs everything on this machine, with Airflow's UI, until Ctrl-C."""

import time
from typing import Annotated

import typer

from commands.arguments import HOW_TO_GET_A_PIPELINE, Quiet
from commands.output import progress, say, say_error
from daybook.libraries import check_libraries
from daybook.pipelines import load_pipelines
from daybook.spec import LIBRARIES
from daybook_airflow.pools import missing_pools
from deployment.errors import DeploymentError
from deployment.supervisor import Deployment

SECONDS_BETWEEN_CHECKS = 1.0

UiPort = Annotated[int, typer.Option("--ui-port", metavar="PORT", help="The UI's port; 0 takes a free one.")]


def up(ui_port: UiPort = 8080, quiet: Quiet = False) -> int:
    """Start everything with Airflow's UI, until Ctrl-C.

    All pipelines may run. One that does not load is named, and stops no other.

    Example: ./daybook up --ui-port 8081
    """
    check_libraries({"polars", "pandas", *(LIBRARIES[pipeline.engine] for pipeline in load_pipelines().good.values())})
    with Deployment(command="./daybook up", ui_port=ui_port, say=progress) as deployment:
        _let_run(deployment)
        _say_what_is_missing(deployment)
        _show_login(deployment)
        while True:
            deployment.keep_up()
            time.sleep(SECONDS_BETWEEN_CHECKS)


def _let_run(deployment: Deployment) -> None:
    for name in load_pipelines().good:
        try:
            deployment.api.wait_for_dag(name, check=deployment.keep_up)
        except DeploymentError as error:
            say_error(str(error))
    for dag in deployment.api.dags():
        deployment.api.unpause(dag["dag_id"])


def _say_what_is_missing(deployment: Deployment) -> None:
    pipelines, pools, shell_file = load_pipelines(), deployment.api.pools(), deployment.home.shell_file
    for file, reason in pipelines.broken.items():
        say_error(f"{file} is broken: {reason}")
    for pipeline in pipelines.good.values():
        for problem in missing_pools(pipeline, pools, shell_file=shell_file):
            say_error(f"{problem}; until then its tasks wait")
    if not pipelines.good:
        say_error(f"There is no pipeline in include/pipelines; {HOW_TO_GET_A_PIPELINE}.")


def _show_login(deployment: Deployment) -> None:
    secrets = deployment.postgres.secrets
    say(f"\n  Airflow's UI   {deployment.ui_url}")
    say(f"  for all of it  admin     {secrets.admin}")
    say(f"  to run things  operator  {secrets.operator}")
    say(f"  to look        viewer    {secrets.viewer}")
    say("\nDaily runs start by themselves. `./daybook day 2013-01-05` publishes a day; in another terminal")
    say("`./daybook resume --pipeline NAME` lets a pipeline run that you add from now on: it is paused at first;")
    say(f"`. {deployment.home.shell_file}` lets you use `airflow`. Ctrl-C stops everything.")
