"""The module of a drafted pipeline: its values as a person writes them, with a comment for what was seen or is open."""

from datetime import date
from typing import Any

from commands.draft.answers import Draft
from commands.draft.literals import Node, call, statement, text_literal, values
from daybook.spec import Column, Source, Value
from daybook.spec.column import CLOCK_UNIT

HELPERS = {"text": "text", "integer": "integer", "decimal": "decimal", "date": "day_date", "timestamp": "timestamp"}
CLOCK_HELPER = "clock_time"
# What a helper's format is if it is not said.
USUAL_CLOCK_FORMAT = "%H:%M"
USUAL_FORMATS = {"date": "%Y-%m-%d", "timestamp": "%Y-%m-%d %H:%M:%S"}
# The order in which a person writes the words of a source and of a pipeline; others follow.
FIRST = (
    *("name", "description", "how", "of", "by", "connection", "relation", "path", "pick", "day", "has_other_days"),
    *("delimiter", "form", "is_trimmed", "time_zone", "columns", "key", "tables", "files", "facts", "day_columns"),
)
FACTS = "FACTS"
HEAD = '''"""The pipeline {name}, drafted by `./daybook init`: its comments say what was seen, and what to decide.

docs/pipeline.md says what else a pipeline may declare; docs/spec.md has every word.
"""
'''


def module_of(draft: Draft) -> str:
    """Return the text of the module; what it builds is equal to the draft's pipeline."""
    facts = draft.pipeline.source(draft.pipeline.facts)
    statements = [
        statement(FACTS, _of_value(facts, draft.notes)),
        statement("PIPELINE", _of_value(draft.pipeline, draft.notes)),
    ]
    body = "\n".join(statements)
    return f"{HEAD.format(name=draft.pipeline.name)}\nfrom datetime import date\n\n{_imports(facts)}\n{body}"


def _imports(facts: Source) -> str:
    names = {"Measure", "Pipeline", "Schedule", "Summary", "Target", type(facts).__name__}
    names |= {_helper(column) for column in facts.columns}
    names |= {"Form"} if _said(facts).get("form") else set()
    ordered = sorted(names, key=lambda name: (name.islower(), name))
    line = f"from daybook.spec import {', '.join(ordered)}\n"
    if len(line) <= 121:
        return line
    return "from daybook.spec import (\n" + "".join(f"    {name},\n" for name in ordered) + ")\n"


def _said(value: Value) -> dict[str, Any]:
    """Return the words of a value that are not their defaults, in the order in which a person writes them."""
    fields = type(value).model_fields
    order = [word for word in FIRST if word in fields] + [word for word in fields if word not in FIRST]
    return {word: said for word in order if (said := getattr(value, word)) != fields[word].get_default()}


def _of_value(value: Value, notes: dict[str, str]) -> Node:
    words = []
    for word, said in _said(value).items():
        name = type(value).model_fields[word].alias or word
        words.append(_node(said, notes if word == "columns" else {})._replace(word=name, comment=notes.get(word, "")))
    return call(type(value).__name__, words)


def _node(value: Any, notes: dict[str, str]) -> Node:
    if isinstance(value, Column):
        return _of_column(value)._replace(comment=notes.get(f"columns.{value.name}", ""))
    if isinstance(value, Source):
        return Node(FACTS)
    if isinstance(value, Value):
        return _of_value(value, {})
    if isinstance(value, tuple):
        return values([_node(one, notes) for one in value])
    if isinstance(value, date):
        return call("date", [Node(str(part)) for part in (value.year, value.month, value.day)])
    return Node(text_literal(value) if isinstance(value, str) else repr(value))


def _helper(column: Column) -> str:
    return CLOCK_HELPER if column.is_clock else HELPERS.get(column.kind, column.kind)


def _of_column(column: Column) -> Node:
    names = [column.header, *([column.name] if column.name != column.header else [])]
    words = {word: said for word, said in _said(column).items() if word not in ("header", "name", "kind")}
    if column.kind == "decimal":
        words = {"digits": column.digits, "scale": column.scale} | words
    if column.format in (USUAL_FORMATS.get(column.kind), USUAL_CLOCK_FORMAT if column.is_clock else None):
        words.pop("format", None)
    if column.is_clock and column.unit == CLOCK_UNIT:
        words.pop("unit")
    said = [_node(value, {})._replace(word=word) for word, value in words.items()]
    return call(_helper(column), [*(Node(text_literal(name)) for name in names), *said])
