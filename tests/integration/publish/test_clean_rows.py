"""The clean rows, published beside the summaries: as a view and as files, and treated as a summary in everything."""

from collections.abc import Callable
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest

from daybook.publish.files import saved_rows
from daybook.spec import CleanRows
from tests.integration.days.conftest import Days, days
from tests.support.servers import published_files

__all__ = ["days"]

DAY = "2013-01-01"
Ask = Callable[[str], list[tuple[Any, ...]]]
COLUMNS = ("carrier", "airline", "seats", "is_cancelled", "sched_dep_hour_at", "distance_mi")


@pytest.fixture
def ask(days: Days) -> Ask:
    """The pipeline publishes some columns of its clean rows; a way to ask for what readers see of the day."""
    days.change(clean_rows=CleanRows(name="clean_flights", columns=COLUMNS))
    return lambda what: days.servers.rows(f"select {what} from {days.pipeline.name}.clean_flights where day = %s", DAY)


def leave_out_a_flight(days: Days) -> None:
    """Deliver the day anew, without its last flight."""
    lines = days.file(DAY).read_bytes().splitlines(keepends=True)
    days.file(DAY).write_bytes(b"".join(lines[:-1]))


def test_each_accepted_fact_is_a_row_of_the_view_and_of_the_files(days: Days, ask: Ask) -> None:
    run = days.run(DAY)
    flights = run.receipt("index").rows["flights"].kept
    of_the_day = f"select flights, flights, distance_mi, cancelled from {days.pipeline.name}.by_day where day = %s"
    counted = ask("count(*), count(distinct line), sum(distance_mi), count(*) filter (where is_cancelled)")
    assert counted == days.servers.rows(of_the_day, DAY)
    assert ask("min(sched_dep_hour_at)::text") == [("2013-01-01 10:00:00+00",)]
    by_airline = f"select airline, sum(seats) from {days.pipeline.name}.by_airline group by 1 order by 1"
    rows = f"select airline, sum(seats) from {days.pipeline.name}.clean_flights group by 1 order by 1"
    assert days.servers.rows(rows) == days.servers.rows(by_airline)
    published = published_files(run)
    table = pq.read_table(published / "clean_flights.parquet")
    assert table.column_names == ["day", "line", *COLUMNS]
    assert (published / "clean_flights.csv").read_bytes().count(b"\n") == flights + 1
    with psycopg.connect(days.servers.postgres.dsn("warehouse", "warehouse_owner")) as session:
        again = saved_rows(session, days.pipeline, run.day, run.receipt("deploy").saved_as)["clean_flights"]
    assert again.equals(table.cast(again.schema))


def test_they_are_replaced_rolled_back_renamed_and_retired_as_a_summary_is(days: Days, ask: Ask) -> None:
    days.run(DAY)
    all_of_it = ask("count(*)")[0][0]
    leave_out_a_flight(days)
    days.run(DAY)
    assert ask("count(*)") == [(all_of_it - 1,)]
    assert "clean_flights (1 removed)" in days.command("why", DAY)[1]
    days.command("rollback", DAY, "--why", "a flight was missing")
    assert ask("count(*)") == [(all_of_it,)]
    assert days.planned("--from", DAY, "--to", DAY)[DAY].startswith("skip: run ")
    rows = CleanRows(name="aggregates", columns=(*COLUMNS, "dest"), renamed_from="clean_flights")
    days.change(clean_rows=rows)
    assert days.planned("--from", DAY, "--to", DAY) == {DAY: "run: spec changed: clean"}
    leave_out_a_flight(days)
    days.run(DAY)
    name = days.pipeline.name
    assert days.servers.rows(f"select count(*), count(dest) from {name}.aggregates where day = %s", DAY) == [
        (all_of_it - 2, all_of_it - 2)
    ]
    days.change(clean_rows=None)
    assert days.command_alone("retire", f"{name}.aggregates", "--why", "nobody reads it", "--yes")[0] == 0
    found = days.servers.rows("select to_regclass(%s)", f"{name}.aggregates")
    assert found == [(None,)]
    assert not list(published_files(days.servers.work(days.pipeline, DAY, "run_3")).glob("aggregates.*"))
