"""What a person has said about a sample, and what the sample leaves open."""

from collections.abc import Iterable
from typing import NamedTuple, NoReturn

from commands.wrong_words import WrongWords
from daybook.spec import Pipeline
from daybook.text import one_line

SAY_ZONE = "say --time-zone Europe/Madrid, for example, or --time-zone UTC"
NOTHING_WRITTEN = "nothing was written"


class Answers(NamedTuple):
    """The answers given as options. formats: by header or name of a column."""

    day_column: str | None = None
    formats: dict[str, str] = {}
    time_zone: str | None = None
    decimal_mark: str | None = None
    path: str | None = None


class Draft(NamedTuple):
    """A first spec, with what was seen: `notes` are comments by the path of a word, such as "facts.columns.amount"."""

    pipeline: Pipeline
    notes: dict[str, str]


def formats_given(words: Iterable[str]) -> dict[str, str]:
    """Return the formats of `--format COLUMN=FORMAT`. Raises WrongWords."""
    found: dict[str, str] = {}
    for word in words:
        name, sign, format = word.partition("=")
        if not (name and sign and format) or name in found:
            raise WrongWords(
                f"--format {one_line(word)}: expected COLUMN=FORMAT, each column once, such as sold_on=%d/%m/%Y; "
                f"{NOTHING_WRITTEN}"
            )
        found[name] = format
    return found


def ask(questions: list[str]) -> None:
    """Raise WrongWords with a line for each question, if there is one."""
    if questions:
        raise WrongWords("\n".join(f"{question}; {NOTHING_WRITTEN}" for question in questions))


def refuse(why: str) -> NoReturn:
    """Raise WrongWords: no pipeline can be made of what was named."""
    raise WrongWords(f"{why}; {NOTHING_WRITTEN}")
