"""Answers each line of its input with the code of every step, as the package below its folder is at that moment.

Reading modules and definitions is most of the work. A module is remembered for as long as its file is the same; a
definition for as long as also the names that the files of the package define and import are.
"""

import importlib
import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from daybook.ledger import code, fingerprint

read_module = code._module.__wrapped__


@cache
def module_of(name: str, text: str) -> code.Module:
    """Return what there is in a module of this text."""
    return read_module(name)


def module_now(name: str) -> code.Module:
    """Return what there is in a module now."""
    return module_of(name, code._file_of(name).read_text())


@cache
def names_in(module: str, text: str) -> str:
    """Return the names that a module of this text defines and imports."""
    found = module_of(module, text)
    return f"{sorted(found.definitions)} {sorted(found.imports.items())}"


def names_now() -> str:
    """Return the names that all files of the package define and import."""
    # Looking for a module of daybook.testing imports the steps, whose files would not be looked for again.
    files = [file for file in sorted(Path("daybook").rglob("*.py")) if "testing" not in file.parts]
    named = ((file, ".".join(file.with_suffix("").parts)) for file in files)
    return "\n".join(f"{module}: {names_in(module, file.read_text())}" for file, module in named if "__" not in module)


def codes() -> dict[str, str] | str:
    """Return the hash of each step's code, or the words of the error."""
    importlib.invalidate_caches()
    for value in vars(code).values():
        getattr(value, "cache_clear", lambda: None)()
    Remembered.names = names_now()
    try:
        return {step: code.code_of("daybook.steps", step) for step in fingerprint.FINGERPRINTED_STEPS}
    except LookupError as error:
        return str(error)


class Remembered:
    """Reads a definition as `code` does, and once only."""

    names = ""
    read_node = staticmethod(code._read_node)
    known: dict[tuple[object, ...], Any] = {}

    @classmethod
    def read(cls, module: str, node: Any) -> Any:
        """Return what there is in a definition."""
        lines = (type(node), getattr(node, "lineno", 0), getattr(node, "end_lineno", 0))
        key = (module, code._file_of(module).read_text(), *lines, cls.names)
        if key not in cls.known:
            cls.known[key] = cls.read_node(module, node)
        return cls.known[key]


if __name__ == "__main__":
    code._read_node = Remembered.read
    code._module = cache(module_now)
    for _ in sys.stdin:
        print(json.dumps(codes()), flush=True)
