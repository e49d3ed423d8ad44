"""`./daybook backup FOLDER`: copy a whole deployment, also beside tasks at work. commands/restore.py is its end."""

from pathlib import Path
from typing import Annotated

import typer

from commands import connections, exit_codes
from commands.arguments import Quiet
from commands.output import say
from deployment.backup import back_up
from deployment.environment import data_url
from deployment.home import Home

Into = Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder, which is made.")]


def backup(folder: Into, quiet: Quiet = False) -> int:
    """Copy the databases and the data into a new folder.

    Example: ./daybook backup copy
    """
    back_up(Home.of_checkout(), connections.data_of(data_url()).top, folder)
    say(f"Copied into {folder}.")
    return exit_codes.DONE
