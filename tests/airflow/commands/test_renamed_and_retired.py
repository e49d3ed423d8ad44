"""A pipeline that is renamed, and one that is retired, under a running Airflow: its DAG goes with the rest."""

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
FERRIES = RENAMED.format(name="ferries", zone="Europe/Madrid")
BOATS = FERRIES.replace('"name": "ferries"', '"name": "boats", "renamed_from": "ferries"')


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


def test_a_renamed_pipeline_goes_on_and_nothing_is_left_of_it_when_it_is_retired(
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
    code, said, error = several.type("retire", "ferries", "--yes")
    assert (code, "removed the DAG ferries with its 1 run from Airflow" in said) == (0, True), said + error
    assert several.type("psql", "select count(*) from ferries.by_day")[1].split()[2] == "2"
    (modules / "boats.py").unlink()
    code, said, error = several.type("retire", "boats", "--yes")
    assert (code, "removed the DAG boats with its 1 run from Airflow" in said) == (0, True), said + error
    assert dags(api, "ferries", "boats") == []
    assert several.type("psql", "select count(*) from ferries.by_day")[0] == 1
    assert list(several.data.glob("*/boats")) + list(several.data.glob("*/ferries")) == []
