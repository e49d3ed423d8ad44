"""`./daybook down`, `clean` and `env`: stop a checkout's deployment, remove its files, and say how to reach it."""

from typing import Annotated

import typer

from commands import exit_codes
from commands.output import Quiet, say
from deployment import tidying
from deployment.compose.env import write_env
from deployment.environment import data_url
from deployment.errors import DeploymentError
from deployment.home import REPOSITORY, Home


def down(quiet: Quiet = False) -> int:
    """Stop everything that runs in this checkout.

    Example: ./daybook down
    """
    say(tidying.down(Home.of_checkout()))
    return exit_codes.DONE


def clean(quiet: Quiet = False) -> int:
    """Remove the databases, logs and published files of this checkout.

    A data folder that DAYBOOK_DATA names elsewhere is left as it is.

    Example: ./daybook clean
    """
    say(tidying.clean(Home.of_checkout(), data_url()))
    return exit_codes.DONE


Compose = Annotated[bool, typer.Option("--compose", help="Write .env instead: new secrets for docker compose.")]


def env(compose: Compose = False) -> int:
    """Print the file that another terminal reads to use Airflow's own command.

    Example: eval "$(./daybook env)"
    """
    if compose:
        say(write_env(REPOSITORY))
        return exit_codes.DONE
    file = Home.of_checkout().shell_file
    if not file.exists():
        raise DeploymentError(
            f"There is no {file} yet; `./daybook demo` or `./daybook up` writes it. For docker compose, "
            "`./daybook env --compose` writes .env."
        )
    print(file.read_text(), end="")
    return exit_codes.DONE
