"""Code that changes under a test: a function of a copied module does something more."""

import ast
from pathlib import Path

EDITED = ast.parse("edited = 1").body


def edit(file: Path, function: str) -> None:
    """Let a function do something more; nothing else in the file changes what it does."""
    tree = ast.parse(file.read_text())
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == function]
    assert len(nodes) == 1, f"{len(nodes)} functions {function} in {file.name}"
    nodes[0].body[1 if ast.get_docstring(nodes[0]) else 0 : 0] = EDITED
    file.write_text(ast.unparse(tree))
