"""What the doctor examines: the servers that the environment names, or this checkout's deployment if it is up."""

import os
import re
from typing import NamedTuple

from commands import connections
from daybook.storage.data_folder import DataFolder
from daybook_airflow.access import address, login
from daybook_airflow.api import AirflowApi
from deployment.environment import data_url
from deployment.home import HOST, Home, Lock
from deployment.running import name_servers
from deployment.servers.postgres import LocalPostgres


class Place(NamedTuple):
    """home: this checkout's own, None if other servers are named. down: why no server can be asked, "" if they can."""

    data: DataFolder
    home: Home | None
    down: str

    def api(self) -> AirflowApi:
        """Return Airflow's API. Raises DeploymentError if no login to it is known."""
        if self.home:
            secrets = LocalPostgres(self.home).secrets
            return AirflowApi(f"http://{HOST}:{self.home.kept_port('ui')}", "admin", secrets.admin)
        known = login(os.environ, _setting)
        return AirflowApi(address(os.environ, _setting).url, known.user, known.password, token=known.token)


def place() -> Place:
    """Return what is to be examined. If this checkout's deployment is up, the variables name its servers then."""
    home, data = Home.of_checkout(), connections.data_of(data_url())
    is_own = os.environ.get("AIRFLOW_HOME") == str(home.airflow)
    if os.environ.get("DAYBOOK_WAREHOUSE") or (not is_own and _names_servers()):
        return Place(data, None, "")
    if not home.path.exists():
        return Place(data, home, f"there is no {home.path} yet")
    if not Lock(home).is_taken():
        return Place(data, home, f"nothing runs in {home.path}")
    name_servers(LocalPostgres(home))
    return Place(data, home, "")


def _names_servers() -> bool:
    # A mail server of alerts, or a webhook, names no servers of days; a warehouse is always a PostgreSQL.
    written = (value for name, value in os.environ.items() if name.startswith("AIRFLOW_CONN_"))
    return any(re.search(r'^postgres|"conn_type"\s*:\s*"postgres', value) for value in written)


def _setting(section: str, key: str) -> str | None:
    return os.environ.get(f"AIRFLOW__{section.upper()}__{key.upper()}")
