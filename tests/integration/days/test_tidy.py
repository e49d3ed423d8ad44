"""`./daybook tidy`: what nobody needs goes, as the dry run says; what readers see, and what it rests on, stays."""

import json
import os
import time
from pathlib import Path
from typing import Any

import psycopg
import pytest

from daybook.pipelines import load_pipelines
from tests.support.files import snapshot

from .conftest import Days

ONE, TWO = "2013-01-01", "2013-01-02"
LONG_AGO = time.time() - 40 * 86_400
LEDGER = ("run", "published", "ledger", "decision", "step", "saved_summary")


def ledger(days: Days) -> dict[str, Any]:
    """Return all rows of the ledger, by table."""
    ask = "select coalesce(json_agg(one order by one::text)::text, '') from daybook.{} one"
    return {table: days.servers.rows(ask.format(table), role="warehouse_owner") for table in LEDGER}


def age(days: Days) -> None:
    """Let all that the pipeline did be forty days ago."""
    with psycopg.connect(days.servers.postgres.dsn("warehouse", "warehouse_owner")) as connection:
        for table, column in (("run", "saved_at"), ("step", "ended_at")):
            statement = f"update daybook.{table} set {column} = {column} - interval '40 days' where pipeline = %s"
            connection.execute(statement.encode(), [days.pipeline.name])
    for path in days.servers.data.rglob("*"):
        if path.is_file() and not path.is_symlink():
            os.utime(path, (LONG_AGO, LONG_AGO))


def tidied(days: Days, *words: str) -> list[dict[str, str]]:
    """Return what the command names, in its order."""
    code, said = days.command_alone("tidy", "--json", *words)
    assert code == 0, said
    removed: list[dict[str, str]] = json.loads(said)["removed"]
    return removed


@pytest.fixture
def untidy(days: Days, monkeypatch: pytest.MonkeyPatch) -> Days:
    """A day published four times, of which the spec keeps one before the last by now, and another day; all long ago.

    Beside them: files of a run that the ledger does not know, a half-written file, and an old log of a task.
    """
    for name in set(load_pipelines().good) - {days.pipeline.name}:
        monkeypatch.delitem(load_pipelines().good, name)
    for _ in range(4):
        days.run(ONE, is_forced=True)
    days.run(TWO)
    folder = days.servers.data / "days" / days.pipeline.name / TWO
    (folder / "lost" / "load").mkdir(parents=True)
    (folder / "lost" / "load" / "flights.parquet").write_text("lost")
    (days.servers.data / "published" / days.pipeline.name / ".x.1.ab.tmp").write_text("half")
    logs = days.servers.data.parent / "logs"
    (logs / "dag_id=flights" / "old").mkdir(parents=True)
    (logs / "dag_id=flights" / "old" / "attempt=1.log").write_text("an old log")
    (logs / "new.log").write_text("a new log")
    os.utime(logs / "dag_id=flights" / "old" / "attempt=1.log", (1, 1))
    monkeypatch.setenv("AIRFLOW__LOGGING__BASE_LOG_FOLDER", str(logs))
    age(days)
    days.change(keep_runs=1)
    return days


def test_a_dry_run_changes_nothing_and_names_what_the_real_one_removes(untidy: Days) -> None:
    data, before = untidy.servers.data, (snapshot(untidy.servers.data), ledger(untidy))
    named = tidied(untidy, "--dry-run")
    assert (snapshot(data), ledger(untidy)) == before
    was = set(data.rglob("*"))
    assert tidied(untidy) == named
    places = [one["place"] for one in named]
    gone = was - set(data.rglob("*"))
    of_data = {Path(place) for place in places if place.startswith(str(data))}
    assert of_data <= gone
    assert [path for path in gone if not any(path == place or place in path.parents for place in of_data)] == []
    removed = untidy.servers.rows(
        "select format('%%s %%s, run %%s (%%s)', pipeline, day, run_id, started_by) from daybook.run "
        "where pipeline = %s and removed_at is not null order by run_id",
        untidy.pipeline.name,
        role="warehouse_owner",
    )
    assert [one["place"] for one in named if one["what"] == "rows"] == [place for (place,) in removed]
    assert [place.rpartition("(")[2] for (place,) in removed] == ["run_1)", "run_2)"]
    kinds = {one["what"] for one in named}
    assert kinds == {"rows", "log", "files", "logs"}
    assert {Path(place).name for place in places if "lost" in place or place.endswith((".tmp", ".log"))} == {
        "lost",
        ".x.1.ab.tmp",
        "attempt=1.log",
    }
    assert tidied(untidy) == []


def test_every_published_day_is_traced_and_rolled_back_as_before(untidy: Days) -> None:
    seen = untidy.servers.rows(f"select * from {untidy.pipeline.name}.by_day order by 1")
    tidied(untidy)
    assert untidy.servers.rows(f"select * from {untidy.pipeline.name}.by_day order by 1") == seen
    for day in (ONE, TWO):
        assert untidy.command("trace", day, "by_day", "flights")[0] == 0
        assert untidy.command("why", day)[0] == 0
    assert untidy.command("rollback", ONE, "--why", "as promised")[0] == 0
    assert untidy.servers.rows(f"select * from {untidy.pipeline.name}.by_day order by 1") == seen
    doctor = json.loads(untidy.command_alone("doctor", "--json")[1])["findings"]
    assert [one for one in doctor if one["check"] in ("published", "receipts", "orphans") and one["mend"]] == []


def test_files_go_by_their_age_as_the_dry_run_says_and_readers_keep_theirs(untidy: Days) -> None:
    untidy.change(keep_files_days=30)
    named = tidied(untidy, "--dry-run")
    runs = untidy.servers.data / "days" / untidy.pipeline.name
    assert {one["place"] for one in named if "keep_files_days" in one["why"]} >= {str(runs / TWO / "run_5")}
    published = snapshot(untidy.servers.data / "published" / untidy.pipeline.name / ONE)
    assert tidied(untidy) == named
    assert not (runs / TWO / "run_5").exists()
    assert snapshot(untidy.servers.data / "published" / untidy.pipeline.name / ONE) == published
    assert untidy.command("rollback", ONE, "--why", "as promised")[0] == 0


def test_a_warehouse_that_is_away_is_named_and_nothing_of_it_goes(
    untidy: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = snapshot(untidy.servers.data)
    there = json.loads(os.environ["AIRFLOW_CONN_WAREHOUSE"])
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({**there, "port": 1}))
    code, said = untidy.command_alone("tidy")
    assert code == 1
    assert f"{untidy.pipeline.name}: " in said
    assert snapshot(untidy.servers.data) == before
    assert untidy.command_alone("tidy", "--airflow-days", "6")[0] == 2
