"""`./daybook check` says of the files of a day what the steps did with them."""

from pathlib import Path

from commands.check_steps import after_load, day_meant, loaded
from tests.support.servers import Servers

from .conftest import Run


def test_check_counts_the_rows_of_every_step_as_the_steps_count_them(run: Run, servers: Servers) -> None:
    delivered = Path(servers.ftp.root) / "flights" / "flights_2013-01-03.csv"
    good = delivered.read_bytes()
    rows = good.splitlines(keepends=True)
    # A line that is cut, a row of another day, two flights of one key, equal rows, and an airline that nobody knows.
    spoiled = [b"2013,1\n", rows[1].replace(b"2013,1,3", b"2013,1,4", 1), rows[2].replace(b",UA,", b",XX,", 1), rows[5]]
    try:
        delivered.write_bytes(b"".join([*rows, *spoiled]))
        work = run("2013-01-03", until="index")
    finally:
        delivered.write_bytes(good)
    pipeline, raw = work.pipeline, {"flights": work.folder.path / "extract_files" / "flights.csv"}
    raw |= {table.name: work.folder.path / "extract_tables" / f"{table.name}.csv" for table in pipeline.tables}
    given = {name: loaded(path, pipeline.source(name)) for name, path in raw.items()}
    facts = given.pop("flights")
    meant = day_meant(pipeline, facts, raw["flights"], None, work.day)
    said = after_load(pipeline, facts, given, meant)
    assert said.message is None
    assert sum(rows.refused_rows for rows in said.steps["clean"].values()) > 0
    for step in ("load", "clean", "index"):
        assert said.steps[step] == dict(work.receipt(step).rows)
    assert dict(said.unknown) == dict(work.receipt("index").unknown)
