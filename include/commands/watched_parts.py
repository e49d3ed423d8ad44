"""The parts of a deployment, each looked at once: does it answer, and when did it give its last sign of life?

It asks as anybody may, without a login. A part that is stopped (SIGSTOP) lives and says nothing: its sign is then old.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from commands import connections
from daybook.errors import DaybookError
from daybook.pipelines import load_pipelines
from daybook.postgres.session import at_once
from daybook_airflow.access import address
from daybook_airflow.api import HEARTBEATS, AirflowApi
from daybook_airflow.errors import ApiError

# A sign comes every 5 seconds, and the API shows it up to 6 seconds later; Airflow itself waits for 30.
SILENCE = timedelta(seconds=30)


class Part(NamedTuple):
    """A part: its name, whether it is well, and what was found."""

    name: str
    is_well: bool
    found: str


def airflow_parts(url: str, now: datetime | None = None) -> list[Part]:
    """Return the parts of an Airflow. Those that only the API server knows are left out if it does not answer."""
    try:
        health = AirflowApi(url, "", "").check()
    except ApiError as error:
        return [Part("api-server", False, str(error))]
    return [Part("api-server", True, f"{url} answers"), *_parts(health, now or datetime.now(UTC))]


def _parts(health: Mapping[str, Any], now: datetime) -> Iterator[Part]:
    database = (health.get("metadatabase") or {}).get("status")
    yield Part("Airflow's database", database == "healthy", f"the API server calls it {database}")
    for name in HEARTBEATS if database == "healthy" else ():
        part = health.get(name) or {}
        yield _heartbeat(name.replace("_", "-"), part.get(f"latest_{name}_heartbeat"), now)


def _heartbeat(name: str, heard: str | None, now: datetime) -> Part:
    if not heard:
        return Part(name, False, "it has never given a sign of life")
    age = now - datetime.fromisoformat(heard)
    found = f"its last sign of life was {age.total_seconds():.0f} s ago"
    return Part(name, age < SILENCE, found if age < SILENCE else f"{found}; expected one every 5 s")


def warehouse_parts() -> list[Part]:
    """Return whether PostgreSQL answers, as the warehouse of each pipeline."""
    names = sorted({pipeline.target.connection for pipeline in load_pipelines().good.values()})
    return [_warehouse(name) for name in names]


def _warehouse(name: str) -> Part:
    try:
        at_once(partial(connections.postgres, name), lambda session: session.execute("select 1"), settings="select 1")
    except DaybookError as error:
        return Part(f"PostgreSQL ({name})", False, str(error))
    return Part(f"PostgreSQL ({name})", True, "it answers")


def api_url(own: str) -> str:
    """Return the address of Airflow's API: as the environment has it, else this checkout's own."""
    named = address(os.environ, lambda section, key: os.environ.get(f"AIRFLOW__{section.upper()}__{key.upper()}"))
    return own if named.origin == "Airflow's default" else named.url
