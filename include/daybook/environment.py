"""The environment that a process works in: production, or another one beside it on the same servers.

`DAYBOOK_ENV=dev` adds `__dev` to the name of every schema, the ledger's too, and keeps all of its files in the folder
`environment_dev` of the data folder. Without it a process is in production, whose names have nothing added.
"""

import os
import re

from daybook.errors import BadSpec

VARIABLE = "DAYBOOK_ENV"
# No schema of a spec has two underscores in a row, so each schema tells its environment.
SEPARATOR = "__"
LONGEST = 12


def environment() -> str:
    """Return the name of the environment, "" in production. Raises BadSpec if it is no name."""
    name = os.environ.get(VARIABLE, "")
    if name and not re.fullmatch(rf"[a-z][a-z0-9]{{0,{LONGEST - 1}}}", name):
        raise BadSpec(
            f"{VARIABLE}={name!r} is refused: an environment has a name of up to {LONGEST} small letters and digits, a "
            "letter first, such as dev; nothing was done; unset it for production"
        )
    return name


def schema_here(schema: str) -> str:
    """Return what a schema of production is called in this environment."""
    return f"{schema}{SEPARATOR}{environment()}" if environment() else schema


def is_here(schema: str) -> bool:
    """Return whether a schema, or the store of one, belongs to this environment."""
    return schema.partition(SEPARATOR)[2].removesuffix("_store") == environment()


def ledger_schema() -> str:
    """Return the schema of the ledger; its name needs no quotes."""
    return schema_here("daybook")
