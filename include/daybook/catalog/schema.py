"""The words of a spec as JSON Schema, for editors and other programs, and a pipeline as JSON that fits it."""

import ast
import inspect
import json
import textwrap
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from daybook.ledger.code import code_of_function
from daybook.spec import Expression, Pipeline, Value


class _OfSpecs(GenerateJsonSchema):
    """JSON has no functions: one is shown by its name and the hash of its code. An expression is shown as written."""

    def callable_schema(self, schema: core_schema.CallableSchema) -> JsonSchemaValue:
        return {"type": "string", "description": "a Python function: its name, and the hash of its code"}

    def is_instance_schema(self, schema: core_schema.IsInstanceSchema) -> JsonSchemaValue:
        return {"type": "string", "description": "an expression, as one writes it in Python"}


def json_schema() -> str:
    """Return the JSON Schema of a Pipeline, as text."""
    schema = Pipeline.model_json_schema(schema_generator=_OfSpecs)
    _explain(schema, Pipeline)
    for kind in _values_below(Value):
        if part := schema["$defs"].get(kind.__name__):
            _explain(part, kind)
    return _text(schema)


def _values_below(kind: type[Value]) -> list[type[Value]]:
    return [one for below in kind.__subclasses__() for one in (below, *_values_below(below))]


def _explain(schema: dict[str, Any], kind: type[Value]) -> None:
    """Say of each word what its docstring in the code says."""
    words = [base for base in kind.__mro__ if issubclass(base, Value)]
    for word, text in [said for base in words for said in explained(base).items()]:
        if word in schema["properties"]:
            schema["properties"][word].setdefault("description", text)


def explained(kind: type[Value]) -> dict[str, str]:
    """Return the docstrings under the words of a class of the spec, in one line each, by the word."""
    lines: Any = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    pairs = zip(lines.body, lines.body[1:], strict=False)
    return {
        word.target.id: " ".join(said.value.value.split())
        for word, said in pairs
        if isinstance(word, ast.AnnAssign)
        and isinstance(word.target, ast.Name)
        and isinstance(said, ast.Expr)
        and isinstance(said.value, ast.Constant)
        and isinstance(said.value.value, str)
    }


def as_json(pipeline: Pipeline) -> str:
    """Return a pipeline as JSON that fits the schema: every word that differs from its default."""
    return _text(_plain(pipeline))


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        words = type(value).model_fields.items()
        said = {word: getattr(value, word) for word, field in words}
        return {
            field.alias or word: _plain(said[word])
            for word, field in words
            if field.is_required() or _is_said(said[word], field.get_default(call_default_factory=True))
        }
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if isinstance(value, Callable):  # type: ignore[arg-type]
        return f"{value.__qualname__} {code_of_function(value)[:12]}"
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _is_said(value: Any, default: Any) -> bool:
    # != of an expression makes another one.
    return isinstance(value, Expression) or value != default


def _text(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"
