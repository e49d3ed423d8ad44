"""`./daybook backup FOLDER` and `restore FOLDER`: copy a whole deployment, and make one from the copy."""

from pathlib import Path
from typing import Annotated

import typer

from commands import exit_codes
from commands.arguments import Quiet
from commands.output import say
from deployment.backup import back_up
from deployment.backup import restore as restored
from deployment.environment import data_url
from deployment.home import Home

Into = Annotated[Path, typer.Argument(metavar="FOLDER", help="A new folder, which is made.")]
From = Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder of a backup.")]


def backup(folder: Into, quiet: Quiet = False) -> int:
    """Copy the databases and the data into a new folder.

    Example: ./daybook backup copy
    """
    back_up(Home.of_checkout(), data_url(), folder)
    say(f"Copied into {folder}.")
    return exit_codes.DONE


def restore(folder: From, quiet: Quiet = False) -> int:
    """Make databases and data from a backup; they must not be there yet.

    Example: ./daybook restore copy
    """
    restored(Home.of_checkout(), data_url(), folder)
    say(f"Restored from {folder}; `./daybook up` goes on from there.")
    return exit_codes.DONE
