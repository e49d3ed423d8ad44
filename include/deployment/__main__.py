"""The commands behind the Makefile: `python -m deployment demo|up|…|backup|restore|env`, and days_commands.py's.

The exit code is 0 if the command did what it says, 1 with the reason if it did not, 2 if it was typed wrongly, and
128 and the signal's number if it was interrupted.
"""

import argparse
import sys
import time
from datetime import date
from pathlib import Path

from rich.console import Console

from daybook.errors import DaybookError
from deployment import days_commands
from deployment.backup import back_up, restore
from deployment.demo import DAG_ID, demo
from deployment.environment import data_url
from deployment.errors import DeploymentError
from deployment.home import Home
from deployment.one_day import publish_day, replay_day
from deployment.processes.signals import Interrupted
from deployment.supervisor import Deployment
from deployment.tidying import clean, down
from deployment.warehouse_shell import open_shell

SECONDS_BETWEEN_CHECKS = 1.0

console = Console(highlight=False, soft_wrap=True)


def main() -> int:
    """Run the command of this process's arguments, and give its exit code."""
    try:
        if days_commands.is_of_package(sys.argv[1:]):
            return days_commands.ask(Home.of_checkout(), sys.argv[1:])
        if sys.argv[1:2] == ["replay"]:
            # Its words are the package's.
            replay_day(Home.of_checkout(), [*filter(None, sys.argv[2:])], console)
            return 0
        arguments = _parser().parse_args()
        return int(arguments.run(arguments) or 0)
    except (DeploymentError, DaybookError) as error:
        Console(stderr=True, highlight=False, markup=False, soft_wrap=True).print(f"\n{error}", style="red")
        return 1
    except Interrupted as interruption:
        return 128 + interruption.number
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m deployment", description="Daybook on one machine.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("demo", help="publish seven days and show them").set_defaults(run=_demo)
    up = commands.add_parser("up", help="run until Ctrl-C, with Airflow's UI")
    up.add_argument("--ui-port", type=int, default=8080)
    up.set_defaults(run=_up)
    commands.add_parser("down", help="stop what runs in this checkout").set_defaults(run=_down)
    day = commands.add_parser("day", help="publish one day")
    day.add_argument("day", type=_day, help="such as 2013-01-05")
    day.set_defaults(run=_publish_day)
    shell = commands.add_parser("psql", help="open the warehouse as an analyst")
    shell.add_argument("--sql", help="one statement to run instead")
    shell.set_defaults(run=_psql)
    for name, says, run in (
        ("backup", "copy all into a new folder", _backup),
        ("restore", "make all from it", _restore),
    ):
        copying = commands.add_parser(name, help=says)
        copying.add_argument("folder", type=Path)
        copying.set_defaults(run=run)
    commands.add_parser("clean", help="remove databases, logs and published files").set_defaults(run=_clean)
    days_commands.add_to(commands)
    commands.add_parser("env", help="print the file that another terminal reads").set_defaults(run=_env)
    return parser


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; expected one such as DAY=2013-01-05") from None


def _demo(_arguments: argparse.Namespace) -> None:
    began = time.monotonic()
    with Deployment(command="make demo", say=console.print) as deployment:
        demo(deployment, console)
    console.print(f"Everything is stopped. That took {time.monotonic() - began:.0f} s.")


def _up(arguments: argparse.Namespace) -> None:
    with Deployment(command="make up", ui_port=arguments.ui_port, say=console.print) as deployment:
        deployment.api.wait_for_dag(DAG_ID, check=deployment.keep_up)
        for dag in deployment.api.dags():
            deployment.api.unpause(dag["dag_id"])
        _show_login(deployment)
        while True:
            deployment.keep_up()
            time.sleep(SECONDS_BETWEEN_CHECKS)


def _show_login(deployment: Deployment) -> None:
    secrets = deployment.postgres.secrets
    console.print(f"\n  Airflow's UI   [bold]{deployment.ui_url}[/]")
    console.print(f"  to run things  admin   {secrets.admin}", markup=False)
    console.print(f"  to look        viewer  {secrets.viewer}", markup=False)
    console.print("\nDaily runs start by themselves. `make day DAY=2013-01-05` publishes a day; in another terminal")
    console.print(f"`. {deployment.home.shell_file}` lets you use `airflow`. Ctrl-C stops everything.", markup=False)


def _down(_arguments: argparse.Namespace) -> None:
    console.print(down(Home.of_checkout()))


def _publish_day(arguments: argparse.Namespace) -> None:
    publish_day(Home.of_checkout(), arguments.day, console)


def _psql(arguments: argparse.Namespace) -> int:
    return open_shell(Home.of_checkout(), arguments.sql)


def _backup(arguments: argparse.Namespace) -> None:
    back_up(Home.of_checkout(), data_url(), arguments.folder)
    console.print(f"Copied into {arguments.folder}.", markup=False)


def _restore(arguments: argparse.Namespace) -> None:
    restore(Home.of_checkout(), data_url(), arguments.folder)
    console.print(f"Restored from {arguments.folder}; `make up` goes on from there.", markup=False)


def _clean(_arguments: argparse.Namespace) -> None:
    console.print(clean(Home.of_checkout(), data_url()))


def _env(_arguments: argparse.Namespace) -> None:
    file = Home.of_checkout().shell_file
    if not file.exists():
        raise DeploymentError(f"There is no {file} yet; `make demo` or `make up` writes it.")
    sys.stdout.write(file.read_text())


if __name__ == "__main__":
    sys.exit(main())
