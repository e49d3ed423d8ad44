"""What is wrong with the names that parts of a pipeline had before."""

from collections.abc import Iterator, Mapping

from daybook.spec.value import twice

Former = Mapping[str, str | None]
"""The names of before by those of now; None if a part had no other."""


def former_name_problems(name: str, renamed_from: str | None, views: Former, numbers: Former) -> Iterator[str]:
    """Yield what is wrong with `renamed_from`, one line a problem. numbers: measures and ratios."""
    if renamed_from == name:
        yield f"renamed_from: {name!r} is its name of now; it takes the one of before"
    for path, renamed in (("summaries and clean_rows", views), ("measures and ratios", numbers)):
        names, former = list(renamed), [name for name in renamed.values() if name]
        yield from (f"{path}: renamed_from={name!r} is still a name of now" for name in former if name in names)
        yield from twice(f"{path} (renamed_from)", former)
