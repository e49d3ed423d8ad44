"""Days through the real scheduler: every published number, a run that is due, a file that is broken."""

from decimal import Decimal
from typing import Any

import psycopg
import pyarrow.csv
import pyarrow.parquet
import pytest

from daybook_airflow.waiting import wait_until
from deployment.supervisor import Deployment
from tests.support.oracle import expected

from .conftest import READINGS, YESTERDAY, airflow, due_run, published, rows

DAYS = ("2013-02-08", "2013-02-09", "2013-02-10")
SUMMARIES = {"by_airline": "carrier, airline", "by_origin": "origin", "by_day": ""}


@pytest.fixture(scope="module")
def three_days(deployment: Deployment) -> Deployment:
    """The days of a snow storm, backfilled by the command that users type."""
    done = airflow(deployment, "dags", "backfill", "-s", DAYS[0], "-e", DAYS[-1], "--wait", "flights")
    assert done.returncode == 0, done.stdout + done.stderr
    return deployment


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("summary", SUMMARIES)
def test_every_published_number_is_the_one_that_pandas_computes(three_days: Deployment, summary: str, day: str) -> None:
    order = f"order by {SUMMARIES[summary]}" if SUMMARIES[summary] else ""
    seen = rows(three_days, f"select * from flights.{summary} where day = '{day}' {order}")
    assert [row[1:] for row in seen] == expected(day, summary)
    assert {str(row[0]) for row in seen} == {day}


@pytest.mark.parametrize("summary", SUMMARIES)
def test_the_files_hold_what_the_views_show(three_days: Deployment, summary: str) -> None:
    folder = published(three_days, "flights", DAYS[1])
    parquet = pyarrow.parquet.read_table(folder / f"{summary}.parquet")
    csv = pyarrow.csv.read_csv(
        folder / f"{summary}.csv", convert_options=pyarrow.csv.ConvertOptions(column_types=parquet.schema)
    )
    assert [tuple(row.values())[1:] for row in parquet.to_pylist()] == expected(DAYS[1], summary)
    assert csv.equals(parquet)


def test_the_days_that_were_asked_for_are_the_days_that_are_published(three_days: Deployment) -> None:
    asked = "select day from daybook.published where pipeline = 'flights' and extract(month from day) = 2"
    days = rows(three_days, asked, role="warehouse_owner")
    assert sorted(str(day) for (day,) in days) == list(DAYS)


def test_G10_readers_have_the_views_and_nothing_else(three_days: Deployment) -> None:
    for table in ("flights_store.by_day", "daybook.ledger"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            rows(three_days, f"select * from {table}")


def test_the_scheduler_starts_a_daily_run_that_is_due_by_itself(deployment: Deployment) -> None:
    run = due_run(deployment, "weather")
    assert deployment.api.wait_for_run("weather", run)["state"] == "success"
    assert READINGS.count(str(YESTERDAY)) == 3
    assert rows(deployment, "select * from weather.by_day") == [(YESTERDAY, 3, Decimal("3.5"), Decimal("1.17"))]


def test_a_broken_file_fails_at_once_and_leaves_what_is_published(three_days: Deployment) -> None:
    day = DAYS[2]
    file = three_days.ftp.root / "flights" / f"flights_{day}.csv"
    whole, before = file.read_bytes(), rows(three_days, f"select * from flights.by_day where day = '{day}'")
    file.write_bytes(whole.replace(b"dep_delay", b"departure_delay", 1))
    try:
        run = three_days.api.trigger("flights", conf={"day": day})
        assert three_days.api.wait_for_run("flights", run)["state"] == "failed"
    finally:
        file.write_bytes(whole)
    states = {
        task["task_id"]: (task["state"], task["try_number"]) for task in three_days.api.task_instances("flights", run)
    }
    assert states["load"] == ("failed", 1)
    assert states["deploy"][0] == "upstream_failed"
    assert rows(three_days, f"select * from flights.by_day where day = '{day}'") == before


def test_dags_that_wait_for_days_are_started_for_each_run_each_day_and_each_whole_week(deployment: Deployment) -> None:
    api, week = deployment.api, [f"2013-04-0{number}" for number in range(1, 8)]
    run = api.trigger("flights", conf={"days": week})
    assert api.wait_for_run("flights", run)["state"] == "success"
    assert wait_until(lambda: set(week) <= set(told_to_follower(deployment)), 60)
    assert {told_to_follower(deployment)[day] for day in week} == {"published"}
    assert wait_until(lambda: set(week) <= set(keyed(deployment, "each_day_of_flights")), 60)
    rows_read = {day: keyed(deployment, "each_day_of_flights")[day]["rows"] for day in week}
    assert rows_read == {day: lines(deployment, day) for day in week}
    assert wait_until(lambda: "2013-04-01 (W14)" in keyed(deployment, "each_week_of_flights"), 60)
    assert sorted(keyed(deployment, "each_week_of_flights")["2013-04-01 (W14)"]) == week


def told_to_follower(deployment: Deployment) -> dict[str, str]:
    """Return what became of the days that the runs of the documents' first example were told of."""
    runs = [run["dag_run_id"] for run in deployment.api.dag_runs("after_flights", state="success")]
    told = [deployment.api.xcom("after_flights", run, "tell") for run in runs]
    return {day: outcome for one in told for day, outcome in one.items()}  # type: ignore[attr-defined]


def keyed(deployment: Deployment, dag: str) -> dict[str, Any]:
    """Return what the runs of a DAG that follows days were told, by the keys that started them."""
    runs = deployment.api.dag_runs(dag, state="success")
    return {run["partition_key"]: deployment.api.xcom(dag, run["dag_run_id"], "tell") for run in runs}


def lines(deployment: Deployment, day: str) -> int:
    """Return how many rows the day's file has."""
    return len((deployment.ftp.root / "flights" / f"flights_{day}.csv").read_bytes().splitlines()) - 1


def test_the_name_and_the_note_of_a_run_say_its_day(three_days: Deployment) -> None:
    runs = [run for run in three_days.api.dag_runs("flights", run_type="backfill") if "2013-02-" in run["logical_date"]]
    # Airflow 3.3.2 asks no timetable for the name of a backfill's run: its note alone says the day.
    notes = sorted(run["note"] for run in runs)
    for day, note in zip(DAYS, notes, strict=True):
        assert note.startswith(f"{day}: published; {lines(three_days, day):,} rows read, ")
    assert due_run(three_days, "weather").startswith(f"scheduled__{YESTERDAY}__")


def test_a_pipeline_that_does_not_load_is_an_import_error_that_names_its_file_and_word(deployment: Deployment) -> None:
    (error,) = deployment.api.import_errors()
    assert error["filename"].endswith("broken_pipelines.py")
    assert "include/pipelines/snow.py: " in error["stack_trace"]
    assert "has no word 'fact'; did you mean 'facts'?" in error["stack_trace"]
    assert {"flights", "weather", "tides"} <= {dag["dag_id"] for dag in deployment.api.dags()}
