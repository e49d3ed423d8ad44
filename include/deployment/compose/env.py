"""Writes `.env`, which holds the stack's passwords and keys for docker compose: made once, readable by its owner only.

`make env`, or `python3 -m deployment.compose.env` with `include` on PYTHONPATH; Python's standard library is enough. An
`.env` that is there is left as it is: the databases of the stack were made with its passwords.
"""

import os
import sys
from dataclasses import asdict
from pathlib import Path

from deployment.errors import DeploymentError
from deployment.home import REPOSITORY
from deployment.secret_values import Secrets

# The public image's own user. The stack writes as the ordinary user who made `.env`, or as this one if that was root.
IMAGE_UID = 50000
NEVER_ASKED_FOR = "deployment"


def variable(secret: str) -> str:
    """Return the name in `.env` of one of `Secrets`."""
    return f"DAYBOOK_SECRET_{secret.upper()}"


def settings(uid: int) -> dict[str, str]:
    """Return new secrets for a stack, and the user that it writes as."""
    made = {variable(name): value for name, value in asdict(Secrets()).items() if name != NEVER_ASKED_FOR}
    return {"AIRFLOW_UID": str(uid), **made}


def write_env(folder: Path) -> int:
    """Write `.env` into a folder, and make its `data` folder; return the user who owns it. Raises DeploymentError if
    there is an `.env` already."""
    uid = os.getuid() or IMAGE_UID
    file = folder / ".env"
    text = "".join(f"{name}={value}\n" for name, value in settings(uid).items())
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as handle:
            handle.write(text)
    except FileExistsError:
        raise DeploymentError(
            f"{file} is there already and was left as it is: the stack's databases know its passwords. For new ones,"
            " remove the databases (`docker-compose down --volumes`) and the file, and try again."
        ) from None
    _give(folder / "data", uid)
    return uid


def _give(data: Path, uid: int) -> None:
    data.mkdir(exist_ok=True)
    if uid == os.getuid():
        return
    for path in (data, *data.rglob("*")):
        os.chown(path, uid, 0, follow_symlinks=False)


if __name__ == "__main__":
    try:
        print(f"Wrote .env; the stack writes into ./data as user {write_env(REPOSITORY)}.")
    except DeploymentError as error:
        sys.exit(str(error))
