"""The reference of the spec's words, made from the code: `make documents` writes it into docs/spec.md.

A section is a class of `daybook.spec`: its docstring, and a table of its words with what each takes and its default. A
docstring under a word, in the code, is the word's own line in the table.
"""

import inspect
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import StringConstraints
from pydantic.fields import FieldInfo

from daybook import spec
from daybook.catalog.schema import explained as explained

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "spec.md"
BEGIN, END = "<!-- words -->\n", "<!-- end of words -->\n"
# In the order in which a person writes a pipeline.
CLASSES: tuple[type[spec.Value], ...] = (
    spec.Pipeline,
    spec.Schedule,
    spec.Target,
    spec.Export,
    spec.Alerts,
    spec.Source,
    spec.File,
    spec.Form,
    spec.Table,
    spec.TableReady,
    spec.Limits,
    spec.Column,
    spec.Writing,
    spec.Lookup,
    spec.Derived,
    spec.Rule,
    spec.Measure,
    spec.Ratio,
    spec.Summary,
    spec.CleanRows,
    spec.Top,
    spec.Plausible,
    spec.Pools,
)
# Short ways to write a Column.
COLUMNS: tuple[Callable[..., spec.Column], ...] = (
    spec.text,
    spec.integer,
    spec.decimal,
    spec.day_date,
    spec.timestamp,
    spec.boolean,
)
PLAIN = {
    "str": "text",
    "int": "integer",
    "float": "number",
    "Decimal": "decimal",
    "bool": "`True` or `False`",
    "date": "date",
    "time": "time of day",
    "NoneType": "`None`",
    "Expression": "[expression](expressions.md)",
}
BOUNDS = {"ge": " from {}", "le": " to {}", "max_length": ", at most {}"}


def written(document: str) -> str:
    """Return the text of docs/spec.md with the reference of now in its place."""
    before, rest = document.split(BEGIN)
    return f"{before}{BEGIN}{reference()}{END}{rest.split(END)[1]}"


def reference() -> str:
    """Return all sections, as Markdown."""
    return "\n".join(_section(shown) for shown in CLASSES)


def _section(shown: type[spec.Value]) -> str:
    parts = (f"## {shown.__name__}", inspect.getdoc(shown) or "", *_columns(shown), *_inherited(shown), _table(shown))
    return "\n\n".join(parts) + "\n"


def _columns(shown: type[spec.Value]) -> Iterator[str]:
    if shown is spec.Column:
        yield "It is written by one of these; they take the words of the table too:"
        yield "\n".join(
            f"- `{each.__name__}{_call(each)}`: {inspect.getdoc(each)}".replace("\n", "\n  ") for each in COLUMNS
        )


def _call(function: Callable[..., Any]) -> str:
    taken = [str(word.replace(annotation=word.empty)) for word in inspect.signature(function).parameters.values()]
    return f"({', '.join(taken)})".replace("='", '="').replace("'", '"').replace(", **words", ", …")


def _inherited(shown: type[spec.Value]) -> Iterator[str]:
    for base in shown.__bases__:
        if base in (spec.Source, spec.Writing):
            yield f"It has all words of a [{base.__name__}](#{base.__name__.lower()}), and:"


def _table(shown: type[spec.Value]) -> str:
    says, own = explained(shown), inspect.get_annotations(shown)
    rows = [_row(word, field, says) for word, field in shown.model_fields.items() if word in own]
    return "\n".join(["| word | takes | default | says |", "| --- | --- | --- | --- |", *rows])


def _row(word: str, field: FieldInfo, says: dict[str, str]) -> str:
    default = "" if field.is_required() else f"`{_default(field)}`"
    cells = (f"`{field.alias or word}`", _takes(field), default, says.get(word, ""))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _default(field: FieldInfo) -> str:
    default = field.default
    return f"{type(default).__name__}()" if isinstance(default, spec.Value) else repr(default).replace("'", '"')


def _takes(field: FieldInfo) -> str:
    if any(isinstance(rule, StringConstraints) for rule in field.metadata):
        return "name"
    first, *others = _kind(field.annotation).split(" or ", 1)
    return " or ".join([first + _bounds(field), *others])


def _bounds(field: FieldInfo) -> str:
    found = {name: getattr(rule, name) for rule in field.metadata for name in BOUNDS if hasattr(rule, name)}
    return "".join(BOUNDS[name].format(bound) for name, bound in found.items())


def _kind(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin is Literal:
        return ", ".join(f'`"{word}"`' if isinstance(word, str) else f"`{word}`" for word in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(_kind(one) for one in inner)
    if origin is tuple:
        return f"tuple of {_kind(inner[0])}"
    if origin is dict:
        return f"dict of {_kind(inner[0])} to {_kind(inner[1])}"
    if hasattr(kind, "__metadata__"):
        return "name" if kind == spec.Name else _kind(kind.__origin__)
    if isinstance(kind, type) and issubclass(kind, spec.Value):
        return f"[{kind.__name__}](#{kind.__name__.lower()})" if kind in CLASSES else kind.__name__
    return PLAIN.get(getattr(kind, "__name__", ""), "function" if origin else str(kind))


if __name__ == "__main__":
    DOCUMENT.write_text(written(DOCUMENT.read_text()))
