"""A pipeline is added, renamed, changed and retired under a running Airflow, which is not restarted for any of it."""

import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from daybook_airflow.api import AirflowApi
from daybook_airflow.errors import ApiError
from deployment.home import HOST, Home
from deployment.servers.postgres import LocalPostgres

from .conftest import RENAMED, Checkout, Up

DAY, NEXT = "2013-01-01", "2013-01-02"
PARSED_WITHIN_S = 120
FERRIES = RENAMED.format(name="ferries", zone="Europe/Madrid")
BOATS = FERRIES.replace('"name": "ferries"', '"name": "boats", "renamed_from": "ferries"')
# Another time of day, and a summary more.
AGAIN = '*(one.model_copy(update={"name": "again"}) for one in FLIGHTS.summaries if one.name == "by_day")'
CHANGED = BOATS.replace('"time_zone"', '"cron": "0 7 * * *", "time_zone"').replace(
    '        "name"', f'        "summaries": (*FLIGHTS.summaries, {AGAIN}),\n        "name"'
)


@pytest.fixture
def modules(several: Checkout) -> Iterator[Path]:
    """The folder of the pipelines' modules; those of this test are gone after it."""
    folder = several.folder / "include/pipelines"
    yield folder
    for name in ("ferries", "boats"):
        (folder / f"{name}.py").unlink(missing_ok=True)


def dags(api: AirflowApi, *names: str) -> list[str]:
    """Return which of some DAGs Airflow has, also those that no file defines any more."""
    found = []
    for name in names:
        try:
            api.dag(name)
        except ApiError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise
            continue
        found.append(name)
    return found


def wait_for_cron(api: AirflowApi, name: str, cron: str) -> None:
    """Wait until Airflow has a pipeline's new schedule."""
    until = time.monotonic() + PARSED_WITHIN_S
    while api.dag(name)["timetable_summary"] != cron:
        assert time.monotonic() < until, api.dag(name)
        time.sleep(1)


def test_a_pipeline_is_added_renamed_changed_and_retired_and_nothing_is_left_of_it(
    up: Up, several: Checkout, modules: Path
) -> None:
    home = Home(several.home)
    api = AirflowApi(f"http://{HOST}:{home.kept_port('ui')}", "admin", LocalPostgres(home).secrets.admin)
    (modules / "ferries.py").write_text(FERRIES)
    code, _, error = several.type("day", DAY, "-p", "ferries")
    assert code == 0, error
    (modules / "ferries.py").unlink()
    (modules / "boats.py").write_text(BOATS)
    planned = several.json("plan", "-p", "boats", "--to", DAY)
    assert [day["reason"] for day in planned["planned"]] == ["nothing changed"]
    assert "the old DAG keeps its runs until `./daybook retire ferries`" in "".join(planned["changes_for_readers"])
    code, _, error = several.type("day", NEXT, "-p", "boats")
    assert code == 0, error
    assert several.json("status", "-p", "boats")["published"] == [DAY, NEXT]
    assert several.type("psql", "select count(*) from ferries.by_day")[1].split()[2] == "2"
    assert dags(api, "ferries", "boats") == ["ferries", "boats"]
    (modules / "boats.py").write_text(CHANGED)
    (planned,) = several.json("plan", "-p", "boats", "--from", NEXT, "--to", NEXT)["planned"]
    assert planned["reason"].startswith("spec changed: ")
    code, _, error = several.type("day", NEXT, "-p", "boats")
    assert code == 0, error
    again = "select count(*) from ferries.again join ferries.by_day using (day, flights)"
    assert several.type("psql", again)[1].split()[2] == "1"
    wait_for_cron(api, "boats", "0 7 * * *")
    code, said, error = several.type("retire", "ferries", "--yes")
    assert (code, "removed the DAG ferries with its 1 run from Airflow" in said) == (0, True), said + error
    assert several.type("psql", "select count(*) from ferries.by_day")[1].split()[2] == "2"
    (modules / "boats.py").unlink()
    code, said, error = several.type("retire", "boats", "--yes")
    assert (code, "removed the DAG boats with its 2 runs from Airflow" in said) == (0, True), said + error
    assert dags(api, "ferries", "boats") == []
    assert several.type("psql", "select count(*) from ferries.by_day")[0] == 1
    assert list(several.data.glob("*/boats")) + list(several.data.glob("*/ferries")) == []
