"""Writes `.env`, which holds the stack's passwords and keys for docker compose: made once, readable by its owner only.

`make env`, `./daybook env --compose`, or `python3 -m deployment.compose.env` with `include` on PYTHONPATH; Python's
standard library is enough. What an `.env` says stays as it is: the databases of the stack were made with its passwords.
What it does not say, as after an upgrade, is added.
"""

import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

from deployment.errors import DeploymentError
from deployment.home import REPOSITORY, write_private
from deployment.secret_values import Secrets

# The public image's own user. The stack writes as the ordinary user who made `.env`, or as this one if that was root.
IMAGE_UID = 50000
USER = "AIRFLOW_UID"
NEVER_ASKED_FOR = "deployment"
PREFIX = "DAYBOOK_SECRET_"


def variable(secret: str) -> str:
    """Return the name in `.env` of one of `Secrets`."""
    return f"{PREFIX}{secret.upper()}"


def secret_variables() -> list[str]:
    """Return the names in `.env` of all secrets of a stack."""
    return [variable(one.name) for one in fields(Secrets) if one.name != NEVER_ASKED_FOR]


def settings(uid: int) -> dict[str, str]:
    """Return new secrets for a stack, and the user that it writes as."""
    made = {variable(name): value for name, value in asdict(Secrets()).items()}
    return {USER: str(uid), **{name: made[name] for name in secret_variables()}}


def write_env(folder: Path) -> str:
    """Write `.env` into a folder, or what is missing in it, and make its `data` folder; return a sentence that says so.

    Raises DeploymentError if nothing is missing.
    """
    uid = os.getuid() or IMAGE_UID
    file = folder / ".env"
    lines = file.read_text().splitlines() if file.exists() else []
    said = _said(lines)
    missing = {name: value for name, value in settings(uid).items() if not said.get(name)}
    if not missing:
        raise DeploymentError(
            f"{file} is there already and was left as it is: the stack's databases know its passwords. For new ones,"
            " remove the databases (`docker-compose down --volumes`) and the file, and try again."
        )
    write_private(file, "\n".join([*_filled(lines, missing), ""]))
    (folder / "data").mkdir(exist_ok=True)
    if USER in missing:
        _give(folder / "data", uid)
    if missing.keys() >= set(secret_variables()):
        return f"Wrote .env; the stack writes into ./data as user {uid}."
    return f"Added to .env: {', '.join(missing)}. What it said before stays."


def _said(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition("=") for line in lines if not line.startswith("#"))
    return {name.strip(): value.strip() for name, _, value in pairs}


def _filled(lines: list[str], missing: Mapping[str, str]) -> list[str]:
    kept = [line for line in lines if line.startswith("#") or line.partition("=")[0].strip() not in missing]
    return [*kept, *(f"{name}={value}" for name, value in missing.items())]


def _give(data: Path, uid: int) -> None:
    if uid == os.getuid():
        return
    for path in (data, *data.rglob("*")):
        os.chown(path, uid, 0, follow_symlinks=False)


if __name__ == "__main__":
    try:
        print(write_env(REPOSITORY))
    except DeploymentError as error:
        sys.exit(str(error))
