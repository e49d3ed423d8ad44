"""DAYBOOK_ENV: development beside production in one warehouse and one data folder, and neither meets the other."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from commands import exit_codes
from daybook import pipelines
from daybook.spec import Export, Target
from tests.support.warehouse import Copied, copied

from .conftest import Days

FIRST, SECOND = "2013-01-01", "2013-01-02"
DEV_SCHEMAS = ("daybook__dev", "{}__dev", "{}__dev_store")


@pytest.fixture
def dev(days: Days, monkeypatch: pytest.MonkeyPatch) -> Iterator[Days]:
    """A pipeline with a day in production, for whom the environment is now `dev`."""
    production = days.pipeline
    days.run(FIRST)
    monkeypatch.setenv("DAYBOOK_ENV", "dev")
    target = Target(connection="warehouse", schema=f"{production.target.schema_}__dev")
    days.change(target=target)
    yield days
    monkeypatch.delenv("DAYBOOK_ENV")
    days.change(target=production.target, exports=())
    with owner(days) as connection:
        for schema in DEV_SCHEMAS:
            connection.execute(f"drop schema if exists {schema.format(production.name)} cascade".encode())


def owner(days: Days) -> psycopg.Connection[tuple[object, ...]]:
    """Connect as the owner of the warehouse."""
    return psycopg.connect(days.servers.postgres.dsn("warehouse", "warehouse_owner"))


def production(days: Days) -> tuple[Copied, dict[str, bytes]]:
    """Return all that production has of the pipeline: its part of the ledger, its rows, and its files."""
    name = days.pipeline.name
    schema = days.pipeline.target.model_copy(update={"schema_": name})
    with owner(days) as connection:
        rows = copied(connection, days.pipeline.model_copy(update={"target": schema}))
    found = [file for folder in ("published", "days") for file in (days.servers.data / folder / name).rglob("*")]
    return rows, {str(file): file.read_bytes() for file in sorted(found) if file.is_file()}


def published_in(days: Days, schema: str) -> list[tuple[object, ...]]:
    """Return the days and flights that readers see in a schema."""
    with owner(days) as connection:
        return connection.execute(f"select day::text, flights from {schema}.by_day order by 1".encode()).fetchall()


def test_what_development_publishes_takes_back_renames_and_retires_leaves_production_as_it_is(
    dev: Days, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    before, name = production(dev), dev.pipeline.name
    assert dev.json("status")["published"] == []
    shorten(dev.file(FIRST))
    dev.run(FIRST)
    dev.run(SECOND)
    assert dev.json("status")["published"] == [FIRST, SECOND]
    (real,) = published_in(dev, name)
    assert published_in(dev, f"{name}__dev")[0] == (FIRST, int(str(real[1])) - 1)
    assert (dev.servers.data / "environment_dev" / "published" / name / FIRST / "by_day.csv").is_file()

    (tmp_path / "partner").mkdir()
    monkeypatch.setenv("AIRFLOW_CONN_PARTNER", f"file://{tmp_path}/partner")
    dev.change(exports=(Export(name="partner", connection="partner", path="{day}/{name}.csv"),))
    assert dev.command("export", SECOND)[0] == 0
    assert (tmp_path / f"partner/environment_dev/{SECOND}/by_day.csv").is_file()
    assert [path.name for path in (tmp_path / "partner").iterdir()] == ["environment_dev"]

    assert dev.command("rollback", FIRST, "--to", "nothing", "--why", "a trial")[0] == 0
    assert dev.command("doctor")[1].count(f"{name} {FIRST}") == 0
    code, printed = dev.command_alone("retire", name, "--yes", "--why", "tried", "--who", "ann")
    assert f"{name}__dev.by_day" in printed
    assert f"{name}.by_day" not in printed
    assert code in (0, exit_codes.NOT_AS_ASKED)
    with owner(dev) as connection:
        left = connection.execute("select to_regclass(%s)::text", [f"{name}__dev.by_day"]).fetchone()
    assert left == (None,)
    assert production(dev) == before


def test_a_module_gets_the_schema_of_its_environment_and_a_wrong_name_stops_all(
    monkeypatch: pytest.MonkeyPatch, days: Days
) -> None:
    monkeypatch.setenv("DAYBOOK_ENV", "dev")
    assert pipelines.pipelines_in("pipelines").named("flights").target.schema_ == "flights__dev"
    monkeypatch.setenv("DAYBOOK_ENV", "my dev")
    code, printed = days.command("status")
    assert (code, "DAYBOOK_ENV='my dev' is refused" in printed) == (40, True)


def shorten(file: Path) -> None:
    """Take a file's last row away."""
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:-1]))
