"""A wrong word on the command line: one line names it and the nearest right one. Nothing was started."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager

import typer

from daybook.errors import BadSpec
from daybook.text import nearest


class WrongWords(BadSpec):
    """Type it again: a word of the command line means nothing here. Nothing was started."""


@contextmanager
def as_typed() -> Iterator[None]:
    """Turn a BadSpec into WrongWords: it is about words of the command line."""
    try:
        yield
    except BadSpec as error:
        raise WrongWords(str(error)) from None


def line_of(error: typer.TyperException) -> str:
    """Return one line about a command line that cannot be read."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "daybook"
    return f"{command}: {_what(error, context)}; nothing was done; see `./{command} --help`"


def check_verb(words: list[str], verbs: Collection[str]) -> None:
    """Raise WrongWords, with the nearest verb, if the first word is not a verb."""
    if words and not words[0].startswith("-") and words[0] not in verbs:
        hint = nearest(words[0], verbs)
        raise WrongWords(f"daybook: {words[0]!r} is not a command{hint}; nothing was done; see `./daybook --help`")


def _what(error: typer.TyperException, context: typer.Context | None) -> str:
    option = getattr(error, "option_name", "")
    if type(error).__name__ == "NoSuchOption" and context:
        known = [name for parameter in context.command.params for name in parameter.opts if name.startswith("--")]
        return f"there is no option {option}{nearest(option, known)}"
    said = error.format_message() if hasattr(error, "format_message") else str(error)
    return " ".join(said.split()).rstrip(".")
