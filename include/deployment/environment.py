"""The settings of every Airflow process of a deployment, as environment variables.

`config/airflow.env` has the settings that docker compose shares; here are those of one home: folders, ports, secrets.
"""

import json
import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from daybook.alerts.variables import connections_of_alerts
from daybook.environment import VARIABLE, environment
from daybook_airflow.environment_connections import variable_of
from deployment.home import HOST, REPOSITORY, Home, write_private
from deployment.secret_values import Secrets
from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres

# The auth manager of one machine calls an operator `user`.
USERS = {"admin": "admin", "operator": "user", "viewer": "viewer"}
PROGRAMS = Path(sys.prefix) / "bin"


def data_url(data: Path | str | None = None) -> str:
    """Return the URL of the data folder: the argument, else DAYBOOK_DATA, else the checkout's `data`."""
    place = str(data or os.environ.get("DAYBOOK_DATA") or REPOSITORY / "data")
    # fsspec does not decode a URL: to it, %20 is three characters of a name.
    return place if "://" in place else f"file://{Path(place).absolute()}"


def airflow_environment(
    postgres: LocalPostgres, ftp: LocalFtp, data: str, dags_folder: Path, ui_port: int
) -> dict[str, str]:
    """Return the variables that make a process part of this deployment, and no others. They hold its secrets."""
    return {
        **shared_settings(),
        **_folders(postgres.home, dags_folder),
        **_addresses(postgres, ui_port),
        **_logins(postgres.home, postgres.secrets),
        **connections(postgres, ftp),
        "DAYBOOK_DATA": data,
        **({VARIABLE: environment()} if environment() else {}),
    }


def shared_settings() -> dict[str, str]:
    """Return the settings of `config/airflow.env`."""
    lines = (REPOSITORY / "config" / "airflow.env").read_text().splitlines()
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name: value for name, _, value in pairs}


def with_this_shell(settings: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of this process, overridden by the deployment's.

    The caller's own AIRFLOW… and libpq's PG… are left out, but for the connections by which alerts are sent, and
    127.0.0.1 is reached without a proxy.
    """
    told_by = {variable_of(connection) for connection in connections_of_alerts(os.environ)}
    kept = {
        name: value for name, value in os.environ.items() if name in told_by or not name.startswith(("AIRFLOW", "PG"))
    }
    direct = ",".join(filter(None, [kept.get("NO_PROXY", ""), HOST, "localhost"]))
    path = f"{PROGRAMS}{os.pathsep}{kept.get('PATH', os.defpath)}"
    return {**kept, "NO_PROXY": direct, "no_proxy": direct, "PATH": path, **settings}


def write_shell_file(home: Home, settings: Mapping[str, str]) -> None:
    """Write the file by which another terminal uses `airflow` with this deployment: `. .daybook/env`."""
    lines = [f"export {name}={shlex.quote(value)}" for name, value in sorted(settings.items())]
    path = f'export PATH={shlex.quote(str(PROGRAMS))}:"$PATH"'
    write_private(home.shell_file, "\n".join([*lines, path, ""]))


def write_passwords(home: Home, secrets: Secrets) -> None:
    """Write the users' passwords for Airflow's login, so that it does not make its own."""
    write_private(_passwords_file(home), json.dumps({user: getattr(secrets, user) for user in USERS}))


def _folders(home: Home, dags_folder: Path) -> dict[str, str]:
    return {
        "AIRFLOW_HOME": str(home.airflow),
        "PYTHONPATH": os.pathsep.join(str(REPOSITORY / name) for name in ("include", "config")),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags_folder),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home.logs / "tasks"),
        "AIRFLOW__LOGGING__DAG_PROCESSOR_CHILD_PROCESS_LOG_DIRECTORY": str(home.logs / "parsing"),
        # The default is one folder in /tmp for every Airflow of the machine.
        "AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_STORAGE_PATH": str(home.airflow / "bundles"),
    }


def metadata_database(postgres: LocalPostgres, name: str = "airflow") -> str:
    """Return the URL by which Airflow, as its own role, reaches its database of that name."""
    return f"postgresql+psycopg2://airflow:{postgres.secrets.airflow}@{HOST}:{postgres.port}/{name}"


def _addresses(postgres: LocalPostgres, ui_port: int) -> dict[str, str]:
    ui_url = f"http://{HOST}:{ui_port}"
    return {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": metadata_database(postgres),
        "AIRFLOW__API__HOST": HOST,
        "AIRFLOW__API__PORT": str(ui_port),
        "AIRFLOW__API__BASE_URL": ui_url,
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{ui_url}/execution/",
    }


def _logins(home: Home, secrets: Secrets) -> dict[str, str]:
    return {
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": ",".join(f"{user}:{role}" for user, role in USERS.items()),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(_passwords_file(home)),
        "AIRFLOW__CORE__FERNET_KEY": secrets.fernet_key,
        "AIRFLOW__API_AUTH__JWT_SECRET": secrets.jwt_secret,
        "AIRFLOW__API__SECRET_KEY": secrets.api_secret_key,
    }


def connections(postgres: LocalPostgres, ftp: LocalFtp) -> dict[str, str]:
    """Return the connections to the source, the warehouse and the files, as Airflow reads them from the environment."""
    of_ftp = {"conn_type": "ftp", "host": ftp.host, "port": ftp.port, "login": ftp.user, "password": ftp.password}
    # The server is on this machine's loopback and speaks no TLS.
    of_ftp["extra"] = {"insecure": True}
    return {
        "AIRFLOW_CONN_SOURCE_DB": _postgres_connection(postgres.dsn("source", "source_reader")),
        "AIRFLOW_CONN_WAREHOUSE": _postgres_connection(postgres.dsn("warehouse", "warehouse_owner")),
        "AIRFLOW_CONN_FTP": json.dumps(of_ftp),
    }


def _postgres_connection(dsn: str) -> str:
    parts = conninfo_to_dict(dsn)
    return json.dumps(
        {
            "conn_type": "postgres",
            "host": parts["host"],
            "port": int(str(parts["port"])),
            "schema": parts["dbname"],
            "login": parts["user"],
            "password": parts["password"],
        }
    )


def _passwords_file(home: Home) -> Path:
    return home.airflow / "passwords.json"
