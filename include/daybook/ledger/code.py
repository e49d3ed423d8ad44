"""The hash of code: of a function and every definition of ours that it reaches, whatever module holds them.

A step's fingerprint holds this hash. It is computed per definition, so moving one to another module, renaming a module,
or changing a comment, a docstring or an annotation changes no hash, and editing a helper changes the hash of exactly
those functions that reach it. Methods of a function's arguments are followed by name, but only those of the spec's
values and of a `StepRun`. Other people's libraries are not followed: the fingerprint has their versions as a part of
its own.
"""

import ast
import hashlib
import importlib.util
import json
import symtable
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

OF_SPEC = ("value", "writing", "column", "form", "source", "table", "file", "lookup", "measure", "parts", "pipeline")
SPEC = tuple(f"daybook.spec.{name}" for name in OF_SPEC)
# The classes of these modules only hold values. The spec's are hashed as values; a receipt's describe a result and do
# not change it.
VALUES = (*SPEC, "daybook.spec.expression", "daybook.spec.derived", "daybook.spec.rule", "daybook.ledger.receipt")
# Methods of these modules' classes are found by name.
HANDED = (*SPEC, "daybook.run.step_run")
# The wording of errors and the handling of sessions change no result.
SILENT = ("daybook.errors", "daybook.text", "daybook.postgres.session")


class Definition(NamedTuple):
    """A name that a module defines at its top level, or "Class.method"; or the module itself, if `name` is empty."""

    module: str
    name: str


class Module(NamedTuple):
    """A module's own definitions by name, and its imports from our code by the name that they have in it."""

    definitions: dict[str, ast.stmt]
    imports: dict[str, Definition]


def digest(value: Any) -> str:
    """Return the sha256 of a value that JSON can write; the order of keys does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=str).encode()).hexdigest()


@cache
def code_of(module: str, name: str) -> str:
    """Return the hash of a definition and of all that it reaches.

    It is read once per process, like the imported code that runs. Raises LookupError if a name of ours is not found.
    """
    reached = reached_from(Definition(module, name))
    return digest(sorted((definition.name, _read(definition).text) for definition in reached))


def code_of_function(function: Callable[..., Any]) -> str:
    """Return the hash of a pipeline's own function; of its whole module if it is not defined at top level."""
    module = function.__module__
    name = function.__qualname__
    return code_of(module, name if name in _module(module).definitions else "")


def reached_from(definition: Definition) -> set[Definition]:
    """Return a definition and every one that it reaches, in Daybook and in its own module's package."""
    reached: set[Definition] = set()
    waiting = [definition]
    while waiting:
        if (found := waiting.pop()) not in reached:
            reached.add(found)
            waiting += (named for named in _read(found).names if not _is_silent(named))
            waiting += (method for used in _read(found).attributes for method in _methods_by_name().get(used, ()))
    return reached


class _Read(NamedTuple):
    """The content of a definition: its canonical text, and the definitions of ours and the attributes that it names."""

    text: str
    names: frozenset[Definition]
    attributes: frozenset[str]


@cache
def _read(definition: Definition) -> _Read:
    return _read_node(definition.module, _node(definition))


def _read_node(module: str, node: ast.AST) -> _Read:
    bare = _Bare().visit(_copied(node))
    own = _OwnNames(module, _global_names(ast.unparse(bare)))
    return _Read(ast.dump(own.visit(bare)), frozenset(own.found), frozenset(own.attributes))


def _copied(part: Any) -> Any:
    """Return a copy of a part of a tree. copy.deepcopy takes twice as long."""
    if isinstance(part, ast.AST):
        return type(part)(**{name: _copied(value) for name, value in vars(part).items()})
    return [_copied(each) for each in part] if isinstance(part, list) else part


def _global_names(text: str) -> set[str]:
    """Return the names that a text takes from its module, without its arguments and variables."""
    tables = [symtable.symtable(text, "definition", "exec")]
    for table in tables:
        tables += table.get_children()
    return {symbol.get_name() for table in tables for symbol in table.get_symbols() if symbol.is_global()}


@cache
def _methods_by_name() -> dict[str, list[Definition]]:
    found: dict[str, list[Definition]] = {}
    for module in HANDED:
        for name, owner in _module(module).definitions.items():
            for node in owner.body if isinstance(owner, ast.ClassDef) else []:
                if isinstance(node, ast.FunctionDef) and not node.name.startswith("__"):
                    found.setdefault(node.name, []).append(Definition(module, f"{name}.{node.name}"))
    return found


def _is_silent(definition: Definition) -> bool:
    is_value = definition.module in VALUES and isinstance(_node(definition), ast.ClassDef)
    return is_value or definition.module in SILENT


class _OwnNames(ast.NodeTransformer):
    """Replaces each name of ours by its definition's, however it was imported, and collects these definitions."""

    def __init__(self, module: str, global_names: set[str]) -> None:
        self._module, self._global_names = module, global_names
        self.found: set[Definition] = set()
        self.attributes: set[str] = set()

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return self._own(node) or node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.attributes.add(node.attr)
        return self._own(node) or self.generic_visit(node)

    def _own(self, node: ast.Name | ast.Attribute) -> ast.AST | None:
        found = self._resolved(node)
        if found is None:
            return None
        self.found.add(found)
        return ast.Name(found.name or "module", node.ctx)

    def _resolved(self, node: ast.expr) -> Definition | None:
        """Return the definition of ours that a name, or an attribute of an imported module, stands for."""
        if isinstance(node, ast.Name):
            return _lookup(self._module, node.id) if node.id in self._global_names else None
        if isinstance(node, ast.Attribute):
            owner = self._resolved(node.value)
            return _member(owner.module, node.attr) if owner and not owner.name else None
        return None


def _lookup(module: str, name: str) -> Definition | None:
    known = _module(module)
    if name in known.definitions:
        return Definition(module, name)
    return _origin(known.imports[name]) if name in known.imports else None


def _origin(definition: Definition) -> Definition:
    return _member(definition.module, definition.name) if definition.name else definition


def _member(module: str, name: str) -> Definition:
    """Return the definition of a module's name: in it, in the module that it imports it from, or a submodule."""
    if found := _lookup(module, name):
        return found
    if _is_module(f"{module}.{name}"):
        return Definition(f"{module}.{name}", "")
    raise LookupError(f"{module} has no {name!r}: the fingerprint of a step that uses it would miss it")


def _node(definition: Definition) -> ast.AST:
    owner, _, method = definition.name.partition(".")
    definitions = _module(definition.module).definitions
    if not owner:
        return ast.Module(body=list(definitions.values()), type_ignores=[])
    if not method:
        return definitions[owner]
    methods = (node for node in ast.walk(definitions[owner]) if isinstance(node, ast.FunctionDef))
    return next(node for node in methods if node.name == method)


@cache
def _module(name: str) -> Module:
    tree = ast.parse(_file_of(name).read_text())
    definitions = {defined: node for node in tree.body for defined in _defined(node)}
    imports = {as_name: found for node in ast.walk(tree) for as_name, found in _imported(name, node)}
    return Module(definitions, imports)


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [each.id for target in node.targets for each in ast.walk(target) if isinstance(each, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


def _imported(module: str, node: ast.AST) -> Iterator[tuple[str, Definition]]:
    if isinstance(node, ast.ImportFrom) and node.module and _is_ours(module, node.module):
        yield from ((alias.asname or alias.name, Definition(node.module, alias.name)) for alias in node.names)
    elif isinstance(node, ast.Import):
        ours = (alias for alias in node.names if alias.asname and _is_ours(module, alias.name))
        yield from ((str(alias.asname), Definition(alias.name, "")) for alias in ours)


def _is_ours(module: str, imported: str) -> bool:
    return imported.split(".")[0] in ("daybook", module.split(".")[0])


@cache
def _is_module(name: str) -> bool:
    return importlib.util.find_spec(name) is not None


@cache
def _file_of(module: str) -> Path:
    found = importlib.util.find_spec(module)
    if found is None or found.origin is None:
        raise LookupError(f"{module} has no source file: the fingerprint of a step that uses it would miss it")
    return Path(found.origin)


class _Bare(ast.NodeTransformer):
    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self._without_docstring(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self._without_docstring(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def _without_docstring(self, node: ast.FunctionDef | ast.ClassDef) -> ast.AST:
        if ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return self.generic_visit(node)
