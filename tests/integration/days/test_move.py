"""`./daybook move`: the data folder, or the warehouse, at another place shows the same, and works on from there."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from tests.support.files import snapshot
from tests.support.object_store import ObjectStore

from .conftest import Days

ONE, TWO = "2013-01-01", "2013-01-02"


@pytest.fixture
def published(days: Days) -> Days:
    """Two days, one of them published twice."""
    days.run(ONE)
    days.run(ONE, is_forced=True)
    days.run(TWO)
    return days


@pytest.fixture
def bucket() -> Iterator[ObjectStore]:
    """An object store with a bucket `daybook`."""
    with ObjectStore("daybook") as store:
        store.empty()
        yield store


def is_well(days: Days) -> bool:
    """Return whether the doctor finds the published folder as the warehouse says, and each receipt readable."""
    found = json.loads(days.command_alone("doctor", "--json")[1])["findings"]
    return [one for one in found if one["check"] in ("published", "receipts") and one["state"] != "well"] == []


def test_a_data_folder_is_copied_to_another_folder_and_to_a_store_and_back(
    published: Days, bucket: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_FILES", json.dumps(bucket.words))
    old, new, back = published.servers.data, tmp_path / "new", tmp_path / "back"
    (old / "published" / published.pipeline.name / ".x.1.ab.tmp").write_text("half")
    assert published.command_alone("move", "--data", str(new))[0] == 0
    (old / "published" / published.pipeline.name / ".x.1.ab.tmp").unlink()
    assert snapshot(new) == snapshot(old)
    code, said = published.command_alone("move", "--data", str(new))
    assert (code, said.split(",")[0]) == (0, "copied 0 files")
    store = "s3://files@daybook/in/here"
    assert published.command_alone("move", "--data", store)[0] == 0
    monkeypatch.setenv("DAYBOOK_DATA", store)
    assert is_well(published)
    assert published.command("why", ONE)[0] == 0
    assert published.command_alone("move", "--data", str(back))[0] == 0
    assert snapshot(back) == snapshot(old)
    monkeypatch.setenv("DAYBOOK_DATA", back.as_uri())
    assert is_well(published)
    assert published.command("trace", TWO, "by_day", "flights")[0] == 0
    assert published.command("rollback", ONE, "--why", "the copy works")[0] == 0


def test_a_copy_that_is_not_what_the_warehouse_says_is_told(published: Days, tmp_path: Path) -> None:
    day = published.servers.data / "published" / published.pipeline.name / ONE
    (day / "by_day.csv").unlink()
    code, said = published.command_alone("move", "--data", str(tmp_path / "new"))
    assert code == 1
    assert f"{published.pipeline.name} {ONE}: by_day.csv of run" in said
    assert published.command_alone("move", "--data", str(published.servers.data / "in_it"))[0] == 2
    assert published.command_alone("move")[0] == 2


@pytest.fixture
def another(published: Days, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An empty database, and its connection `analytics`; yields what the connection `warehouse` would be then."""
    name = f"moved_{published.pipeline.name}"
    server = published.servers.postgres
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL("create database {} owner warehouse_owner").format(sql.Identifier(name)))
    words = conninfo_to_dict(server.dsn(name, "warehouse_owner"))
    there = json.loads(os.environ["AIRFLOW_CONN_WAREHOUSE"])
    moved = json.dumps({**there, "schema": words["dbname"]})
    monkeypatch.setenv("AIRFLOW_CONN_ANALYTICS", moved)
    yield moved
    with psycopg.connect(server.dsn(), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))


def test_a_warehouse_is_copied_whole_and_works_on_under_its_new_address(
    published: Days, another: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = f"select * from {published.pipeline.name}.by_day order by 1"
    seen = published.servers.rows(query)
    code, said = published.command_alone("move", "--to", "analytics")
    assert (code, "the two hold the same" in said) == (0, True), said
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", another)
    moved = published.servers.postgres.dsn(f"moved_{published.pipeline.name}", "warehouse_owner")
    with psycopg.connect(moved) as connection:
        assert connection.execute(query.encode()).fetchall() == seen
        grants = "select has_schema_privilege('daybook_reader', %s, 'usage')"
        assert connection.execute(grants, [published.pipeline.name]).fetchone() == (True,)
    assert is_well(published)
    assert published.command("trace", TWO, "by_day", "flights")[0] == 0
    assert published.command("rollback", ONE, "--to", "nothing", "--why", "the copy works")[0] == 0
    assert published.servers.rows(query) == seen
    code, said = published.command_alone("move", "--to", "analytics")
    assert (code, "has the schema" in said) == (40, True)
