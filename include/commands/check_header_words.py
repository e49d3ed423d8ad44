"""The words about the names in a file's header that `check` tries: other names, names that stand twice, further ones.

Called by check_proposals.py; check_words.py says what an entry takes and returns.
"""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from itertools import islice, product

from commands.check_form import names_in
from commands.check_words import Seen, plainly, with_column, with_form
from daybook.spec import Column, Source, text

# Names that have less in common are those of two columns.
ALIKE = 0.5
# So many ways to place columns are tried.
MOST_PLACINGS = 8


def headers(seen: Seen) -> Iterator[Source]:
    """Try the names of the header that differ from those agreed by capitals and blanks alone."""
    found = names_in(seen.path, seen.source)
    changed = seen.source
    for column in seen.source.columns:
        alike = [name for name in found if plainly([name]) == plainly([column.header])]
        if column.header not in found and len(alike) == 1:
            changed = with_column(changed, column, header=alike[0])
    if changed is not seen.source:
        yield changed


def other_names(seen: Seen) -> Iterator[Source]:
    """Try the names that are not agreed as further ones of the columns that are missing, if it is clear whose they are.

    It is for the only one of each, and for names that have most in common.
    """
    found, changed = names_in(seen.path, seen.source), seen.source
    missing = [one for one in seen.source.columns if not one.position and not one.headers & set(found)]
    known = {name for one in seen.source.columns for name in one.headers}
    free = [name for name in dict.fromkeys(found) if name and name not in known]
    for column in missing if seen.has_contract else ():
        alike = free if len(missing) == len(free) == 1 else get_close_matches(column.header, free, 1, ALIKE)
        if alike:
            changed = with_column(changed, column, aliases=(*column.aliases, alike[0]))
            free = [name for name in free if name != alike[0]]
    if changed is not seen.source:
        yield changed


def places(seen: Seen) -> Iterator[Source]:
    """Try the places of columns whose names stand twice in the header, or are empty there."""
    found = names_in(seen.path, seen.source)
    if len(set(found)) == len(found) and "" not in found:
        return
    if not seen.has_contract:
        yield seen.source.model_copy(update={"columns": placed(found)})
        return
    missing = [one for one in seen.source.columns if not one.position and found.count(one.header) != 1]
    options = [_places_of(one.header if one.header in found else "", found) for one in missing]
    for chosen in islice(product(*options), MOST_PLACINGS) if missing else ():
        if len(set(chosen)) == len(chosen):
            changed = seen.source
            for column, place in zip(missing, chosen, strict=True):
                changed = with_column(changed, column, position=place)
            yield changed


def placed(names: Sequence[str]) -> tuple[Column, ...]:
    """Return columns of text for the names of a header; those that are empty or stand twice have a place."""
    are_clear = [bool(name) and names.count(name) == 1 for name in names]
    return tuple(
        text(name, f"column_{place}") if is_clear else text(f"column {place}", f"column_{place}", position=place)
        for place, (name, is_clear) in enumerate(zip(names, are_clear, strict=True), 1)
    )


def further_columns(seen: Seen) -> Iterator[Source]:
    """Try to leave out the columns that are not agreed, if all that are agreed are there."""
    found = names_in(seen.path, seen.source)
    are_there = all(column.position or column.headers & set(found) for column in seen.source.columns)
    if are_there and len(found) > len(seen.source.columns) and seen.source.form.extra_columns == "refuse":
        yield with_form(seen.source, extra_columns="ignore")


def _places_of(name: str, found: Sequence[str]) -> list[int]:
    return [place for place, other in enumerate(found, 1) if other == name]
