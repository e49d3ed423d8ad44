"""The bases of all words of a spec and of a receipt: frozen values that refuse unknown words."""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, model_serializer

from daybook.errors import BadSpec
from daybook.text import nearest

# A name that PostgreSQL accepts without quotes, which is also safe in files and addresses.
Name = Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]{0,62}$")]


class Frozen(BaseModel):
    """A frozen value that refuses unknown words.

    added_later: words that values of earlier releases do not have. A value that does not use one is dumped without it,
    so a spec's fingerprint stays, and an upgrade does no published day again.
    for_readers: words that people read and no result depends on. They are in no dump, so a new description does no
    published day again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    added_later: ClassVar[frozenset[str]] = frozenset()
    for_readers: ClassVar[frozenset[str]] = frozenset()

    @model_serializer(mode="wrap")
    def _without_unused(self, dump: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        fields = type(self).model_fields
        later = _words(type(self), "added_later")
        left_out = {
            word for word in later if getattr(self, word) == fields[word].get_default(call_default_factory=True)
        }
        left_out |= _words(type(self), "for_readers")
        return {word: value for word, value in dump(self).items() if word not in left_out}


class Value(Frozen):
    """A word of a spec. Raises BadSpec with the path, the value, the reason and the nearest right word.

    What the ledger keeps by the thousand is only `Frozen`: an `__init__` of our own takes most of the time in which a
    receipt is read.
    """

    def __init__(self, /, **words: Any) -> None:
        try:
            super().__init__(**words)
        except ValidationError as error:
            raise BadSpec(_explained(type(self), words, error)) from None


def _words(kind: type[Frozen], which: str) -> set[str]:
    return {word for base in kind.__mro__ for word in vars(base).get(which, ())}


def unknown(path: str, name: str, known: Iterable[str], what: str) -> Iterator[str]:
    """Yield what is wrong with a name of the spec, and the nearest right one, if it is not among those known."""
    if name not in known:
        yield f"{path}: {name!r} is not a {what}{nearest(name, known)}"


def twice(path: str, names: list[str]) -> Iterator[str]:
    """Yield each name that stands twice."""
    yield from (f"{path}: {name!r} stands twice" for name in sorted({n for n in names if names.count(n) > 1}))


def _explained(kind: type[BaseModel], words: dict[str, Any], error: ValidationError) -> str:
    where = f"{kind.__name__} {words['name']!r}" if "name" in words else kind.__name__
    return "; ".join(f"{where}, {_one_error(kind, problem)}" for problem in error.errors())


def _one_error(kind: type[BaseModel], problem: Any) -> str:
    path = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"{path}: {kind.__name__} has no word {path!r}{nearest(path, kind.model_fields)}"
    if problem["type"] == "missing":
        return f"{path}: is missing"
    field = kind.model_fields.get(path)
    given = repr(problem["input"]) if field is None or field.repr else "the secret given"
    return f"{path}: {given} is refused: {_reason(problem)}"


# Words that people try, each with the right way to say it.
_OTHER_WORDS = {
    "mean": "a mean of means is not a mean: write a Ratio of a sum over a count",
    "avg": "a mean of means is not a mean: write a Ratio of a sum over a count",
    "average": "a mean of means is not a mean: write a Ratio of a sum over a count",
    "share": "a share is a Ratio of two counts",
    "count_distinct": "write 'distinct'",
    "nunique": "write 'distinct'",
    "percentile": "write 'quantile', with quantile=Decimal(\"0.9\")",
    "percentile_cont": "write 'quantile', with method='continuous'",
    "percentile_disc": "write 'quantile', with method='discrete'",
    "std": "write 'stddev_samp', of a sample, or 'stddev_pop', of a whole population",
    "stddev": "write 'stddev_samp', of a sample, or 'stddev_pop', of a whole population",
    "variance": "write 'var_samp', of a sample, or 'var_pop', of a whole population",
}


def _reason(problem: Any) -> str:
    given = str(problem["input"])
    if problem["type"] == "literal_error":
        known = re.findall(r"'([^']*)'", problem["ctx"]["expected"])
        why = _OTHER_WORDS.get(given)
        return f"{why + '; ' if why else ''}it takes {problem['ctx']['expected']}{nearest(given, known)}"
    return str(problem["msg"]).removeprefix("Value error, ")
