"""The source holds the year as it was published, and is written once."""

import time
from pathlib import Path

import psycopg
import pytest

from deployment.servers.flights import fill_tables, write_days
from deployment.servers.postgres import LocalPostgres

HEADER = (
    b"year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,"
    b"origin,dest,air_time,distance,hour,minute,time_hour\n"
)
ROWS_OF_THE_YEAR = 336_776


@pytest.fixture(scope="module")
def flights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of daily files; beside it lies the mark that says that it is complete."""
    folder = tmp_path_factory.mktemp("source") / "flights"
    write_days(folder, folder.with_name("mark"))
    return folder


def test_each_day_of_the_year_is_one_file_of_all_its_rows(flights: Path) -> None:
    files = sorted(flights.iterdir())
    assert len(files) == 365
    assert (files[0].name, files[-1].name) == ("flights_2013-01-01.csv", "flights_2013-12-31.csv")
    assert sum(file.read_bytes().count(b"\n") - 1 for file in files) == ROWS_OF_THE_YEAR


def test_a_day_is_the_source_file_s_lines_under_its_header(flights: Path) -> None:
    header, *rows = (flights / "flights_2013-01-01.csv").read_bytes().splitlines(keepends=True)
    assert header == HEADER
    assert len(rows) == 842
    assert rows[0] == b"2013,1,1,517,515,2,830,819,11,UA,1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z\n"
    assert sum(row.split(b",")[3] == b"NA" for row in rows) == 4


def test_a_complete_folder_is_left_as_it_is(flights: Path) -> None:
    before = flights.stat().st_mtime_ns
    began = time.perf_counter()
    write_days(flights, flights.with_name("mark"))
    assert time.perf_counter() - began < 0.5
    assert flights.stat().st_mtime_ns == before


def test_a_folder_that_was_left_half_written_is_written_anew(flights: Path) -> None:
    flights.with_name("mark").unlink()
    (flights / "flights_2013-06-01.csv").unlink()
    write_days(flights, flights.with_name("mark"))
    assert len(list(flights.iterdir())) == 365


def test_the_tables_hold_every_row_and_no_text_for_nothing(postgres: LocalPostgres) -> None:
    for _ in range(2):
        fill_tables(postgres.dsn("source", "source_owner"))
    with psycopg.connect(postgres.dsn("source", "source_reader")) as connection:
        assert connection.execute("SELECT count(*) FROM airlines").fetchone() == (16,)
        assert connection.execute("SELECT count(*), count(year), sum(seats) FROM planes").fetchone() == (
            3322,
            3252,
            512_639,
        )
        assert connection.execute("SELECT count(*) FROM planes WHERE 'NA' IN (type, model, engine)").fetchone() == (0,)
