"""`./daybook VERB …`, or `python -m commands VERB …`: reads the words, runs the verb, and exits with its code."""

import importlib
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from commands import __version__, exit_codes, output
from commands.wrong_words import WrongWords, check_verb, line_of
from daybook.errors import DaybookError, SourceUnavailable
from daybook.libraries import broken_library
from deployment.errors import DeploymentError, RunFailed
from deployment.processes.signals import Interrupted

# The verbs as the help lists them; each is the function of its name in the module of its name.
PARAGRAPHS: dict[str, tuple[str, ...]] = {
    "Start and stop": ("demo", "up", "down"),
    "Begin": ("init",),
    "Days": ("status", "plan", "day", "backfill", "export"),
    "Look into": ("why", "trace", "refused", "check", "docs", "psql"),
    "Decide": ("replay", "release", "rollback", "retire", "pause", "resume", "cancel"),
    "Servers": ("doctor", "watch", "metrics", "tidy", "env", "backup", "restore", "move", "clean"),
}
PARAGRAPH_OF = {verb: paragraph for paragraph, verbs in PARAGRAPHS.items() for verb in verbs}
# The modules that hold several small verbs.
MODULES = {"clean": "down", "env": "down", "resume": "pause", "cancel": "pause"}


class _Verbs(TyperGroup):
    """The verbs; a wrong one is answered in a line, and each signal has its own exit code."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        check_verb(args, PARAGRAPH_OF)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except Interrupted as interruption:
            # Typer would return the exit code of Ctrl-C for any signal.
            return exit_codes.SIGNALLED + interruption.number


def _version(is_asked: bool) -> None:
    if is_asked:
        print(f"daybook {__version__}")
        raise typer.Exit


def daybook(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which.")] = False,
) -> None:
    """Daybook: a table and a file in, published daily summaries out, every row accounted for.

    `./daybook VERB --help` says more about a verb, with an example. docs/commands.md has the exit codes.
    """


def command(words: list[str]) -> Any:
    """Return the whole command; or only the verb that the words name, which is imported in half the time."""
    app = typer.Typer(cls=_Verbs, rich_markup_mode="rich", context_settings={"help_option_names": ["--help", "-h"]})
    app.callback()(daybook)
    for verb in words[:1] if words and words[0] in PARAGRAPH_OF else PARAGRAPH_OF:
        module = importlib.import_module(f"commands.{MODULES.get(verb, verb)}")
        app.command(rich_help_panel=PARAGRAPH_OF[verb])(getattr(module, verb))
    return typer.main.get_command(app)


# A task waits and asks again by itself; a command that somebody sits before does not.
NOT_AGAIN = (
    "this command does not try again: see that the server runs and can be reached (./daybook doctor), then give the "
    "command again"
)


def _command(words: list[str]) -> Any:
    try:
        return command(words)
    except Exception as error:
        # A library's code may raise anything while it is imported.
        raise broken_library(error) or error from None


def main(words: list[str]) -> int:
    """Run the verb of some words, and return its exit code."""
    output.reset()
    try:
        code = _command(words).main(words or ["--help"], prog_name="daybook", standalone_mode=False)
    except typer.TyperException as error:
        return _refused(line_of(error), exit_codes.WRONG_WORDS)
    except WrongWords as error:
        return _refused(str(error), exit_codes.WRONG_WORDS)
    except RunFailed as error:
        return _refused(str(error), exit_codes.NOT_AS_ASKED)
    except SourceUnavailable as error:
        return _refused(f"{error}; {NOT_AGAIN}", exit_codes.NOT_DONE)
    except (DaybookError, DeploymentError) as error:
        return _refused(str(error), exit_codes.NOT_DONE)
    return int(code or exit_codes.DONE) if words else exit_codes.WRONG_WORDS


def _refused(why: str, code: int) -> int:
    output.say_error(why)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
