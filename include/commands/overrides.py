"""`--set PATH=VALUE`: values of the spec that the runs of a command set otherwise, for their own days."""

from json import loads
from typing import Annotated

import typer

from commands.wrong_words import WrongWords, as_typed
from daybook.spec import Pipeline

Set = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="PATH=VALUE", help="A value of the spec for the runs of this command alone."),
]


def overrides_of(pipeline: Pipeline, words: list[str] | None) -> dict[str, object]:
    """Return the values of words such as "plausible.within_pct=80", by their paths.

    Raises WrongWords if the spec does not let a run set one, or a path stands twice.
    """
    found: dict[str, object] = {}
    for word in words or ():
        path, value = _override(word)
        if path in found:
            raise WrongWords(f"--set {word}: {path} stands twice; nothing was done")
        found[path] = value
    with as_typed():
        pipeline.overridden(found)
    return found


def _override(word: str) -> tuple[str, object]:
    path, sign, value = word.partition("=")
    if not sign:
        raise WrongWords(f"--set {word}: expected PATH=VALUE, such as plausible.within_pct=80; nothing was done")
    try:
        return path, loads(value)
    except ValueError:
        return path, value
