"""What a changed source says otherwise, as text for a spec."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from daybook.spec import Column, Form, Source, Value


def in_words(before: Source, after: Source, ways: Mapping[str, list[Column]] | None = None) -> str:
    """Return the words in which two sources differ, as text for a spec.

    ways: by header, the columns that are as good as the one in `after`.
    """
    own = [f"{word}={_literal(value)}" for word, value in _differing(before, after) if word not in ("columns", "form")]
    form = [f"form=Form({', '.join(_of_form(before.form, after.form))})"] if before.form != after.form else []
    is_same = len(before.columns) == len(after.columns)
    changed = zip(before.columns, after.columns, strict=True) if is_same else _with_places(after)
    columns = [
        f"column {_literal(one.header)}: {_ways(one, (ways or {}).get(other.header, [_as_called(other, one)]))}"
        for one, other in changed
        if one != other
    ]
    return ", ".join([*own, *form, *columns])


def _as_called(column: Column, before: Column) -> Column:
    """Return a column under its header of before if it has a place: its own is for messages alone."""
    return column.model_copy(update={"header": before.header}) if column.position else column


def _with_places(source: Source) -> list[tuple[Column, Column]]:
    """Return the columns that are found by their places, each with itself as it is without one."""
    found = [column for column in source.columns if column.position]
    return [(column.model_copy(update={"position": None}), column) for column in found]


def _ways(before: Column, after: list[Column]) -> str:
    told = " or ".join(
        ", ".join(f"{word}={_literal(value)}" for word, value in _differing(before, one)) for one in after
    )
    return told if len(after) == 1 else f"{told} (its values do not say which: ask the sender)"


def _of_form(before: Form, after: Form) -> list[str]:
    """Return all words of a form, so that it can be put in the place of the other."""
    words = dict(_differing(Form(), after)) | dict(_differing(before, after))
    return [f"{word}={_literal(words[word])}" for word in Form.model_fields if word in words]


def _differing(before: Value, after: Value) -> Iterator[tuple[str, Any]]:
    for word in type(after).model_fields:
        if getattr(before, word) != getattr(after, word):
            yield word, getattr(after, word)


def _literal(value: Any) -> str:
    """Return a value as Python writes it, with double quotes."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_literal, value))}{',' if len(value) == 1 else ''})"
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)
