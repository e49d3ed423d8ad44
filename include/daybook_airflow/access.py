"""The address of Airflow's API, and the login to it, for a command that may run beside any Airflow.

The environment comes first, then Airflow's configuration; docs/backfill.md documents the order. This module asks no
server. `setting` returns a value of Airflow's configuration, by section and key, or None.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from daybook_airflow.errors import DeploymentError

URL, TOKEN, USER, PASSWORD = "DAYBOOK_API_URL", "DAYBOOK_API_TOKEN", "DAYBOOK_API_USER", "DAYBOOK_API_PASSWORD"
MEND = f"set {TOKEN}, or {USER} and {PASSWORD}"
# Airflow's own default for [api] base_url.
DEFAULT_URL = "http://localhost:8080"
PASSWORDS_FILE = "[core] simple_auth_manager_passwords_file"
GENERATED = "simple_auth_manager_passwords.json.generated"

Setting = Callable[[str, str], str | None]


class Address(NamedTuple):
    """The API server's URL, without /api/v2, and the variable or setting that it is from."""

    url: str
    origin: str


@dataclass(frozen=True)
class Login:
    """A token, or a user and a password; and the variables or the setting that they are from."""

    origin: str
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


def address(variables: Mapping[str, str], setting: Setting) -> Address:
    """Return the address of the API.

    The URL for tasks comes before the one for browsers: inside containers only the first is right.
    """
    if url := variables.get(URL):
        return Address(url.rstrip("/"), URL)
    if url := setting("core", "execution_api_server_url"):
        return Address(url.rstrip("/").removesuffix("/execution"), "[core] execution_api_server_url")
    if url := setting("api", "base_url"):
        return Address(url.rstrip("/"), "[api] base_url")
    return Address(DEFAULT_URL, "Airflow's default")


def login(variables: Mapping[str, str], setting: Setting) -> Login:
    """Return the login. Raises DeploymentError if none is configured, or its file cannot be read."""
    if token := variables.get(TOKEN):
        return Login(TOKEN, token=token)
    user, password = variables.get(USER), variables.get(PASSWORD)
    if user and password:
        return Login(f"{USER} and {PASSWORD}", user, password)
    if user or password:
        there, missing = (USER, PASSWORD) if user else (PASSWORD, USER)
        raise DeploymentError(f"{there} is set and {missing} is not; expected both, for the login to Airflow's API")
    return _of_simple_auth_manager(variables, setting)


def _of_simple_auth_manager(variables: Mapping[str, str], setting: Setting) -> Login:
    manager = setting("core", "auth_manager") or ""
    if not manager.endswith("SimpleAuthManager"):
        raise DeploymentError(f"no login to Airflow's API is given, and {manager!r} keeps none in a file; {MEND}")
    if (setting("core", "simple_auth_manager_all_admins") or "").lower() in ("true", "t", "1", "yes", "on"):
        # Every name is then an admin's, but the server requires one.
        return Login("[core] simple_auth_manager_all_admins", "anyone", "any")
    home = Path(variables.get("AIRFLOW_HOME") or "~/airflow").expanduser()
    file = Path(setting("core", "simple_auth_manager_passwords_file") or home / GENERATED)
    admin = _first_admin(setting("core", "simple_auth_manager_users") or "")
    return Login(f"{file} ({PASSWORDS_FILE})", admin, _password(file, admin))


def _first_admin(users: str) -> str:
    # "name:role" each, and perhaps ":team".
    named = [entry.strip().split(":") for entry in users.split(",")]
    admins = [name for name, *rest in named if rest and rest[0].lower() == "admin"]
    if not admins:
        raise DeploymentError(f"[core] simple_auth_manager_users is {users!r}, in which nobody is an admin; {MEND}")
    return admins[0]


def _password(file: Path, user: str) -> str:
    try:
        return str(json.loads(file.read_text())[user])
    except OSError as error:
        found = error.strerror or type(error).__name__
    except (ValueError, TypeError):
        found = "not a JSON object"
    except KeyError:
        found = f"no password of {user!r}"
    raise DeploymentError(
        f"{file}: {found}; expected the passwords of Airflow's users, by {PASSWORDS_FILE}, for the login to its API; "
        f"run the command where the API server runs, or {MEND}"
    )
