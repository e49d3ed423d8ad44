"""A day whose folder is in an object store is the day of a folder on a disk, to the byte."""

from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest

from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.storage.folder import Folder
from tests.support.servers import Servers, run_steps
from tests.support.warehouse import drop_pipeline

DAY = "2013-01-05"


@pytest.fixture
def other(pipeline: Pipeline, servers: Servers) -> Iterator[Pipeline]:
    """The pipeline once more, under another name."""
    name = f"{pipeline.name}_other"
    yield pipeline.model_copy(update={"name": name, "target": pipeline.target.model_copy(update={"schema_": name})})
    with psycopg.connect(servers.postgres.dsn("warehouse", "warehouse_owner")) as connection:
        drop_pipeline(connection, name)


def files(folder: Folder, above: str = "") -> dict[str, bytes]:
    """Return the files in and below a folder."""
    found: dict[str, bytes] = {}
    for name in folder.names():
        content = folder.content(name)
        found |= files(folder / name, f"{above}{name}/") if content is None else {f"{above}{name}": content}
    return found


def test_a_day_in_a_store_is_the_day_of_a_disk_to_the_byte(
    pipeline: Pipeline, other: Pipeline, servers: Servers, in_store: DataFolder
) -> None:
    on_disk = run_steps(servers.work(pipeline, DAY, "run_1"), servers)
    there = run_steps(replace(servers.work(other, DAY, "run_1"), data=in_store), servers)
    made, known = files(there.folder), files(on_disk.folder)
    assert made.keys() == known.keys()
    # A receipt has the pipeline's name, and times.
    assert [name for name in made if made[name] != known[name] and not name.endswith("/receipt.json")] == []
    query = "select * from {}.by_day order by 1, 2, 3"
    assert servers.rows(query.format(other.name)) == servers.rows(query.format(pipeline.name)) != []
    run_id = in_store.published_run_id(other.name, there.day)
    assert run_id is not None
    shown = files(in_store.published_files(other.name, there.day, run_id))
    saved = files(on_disk.data.published(pipeline.name) / DAY)
    assert {name for name in shown if shown[name] != saved[name]} <= {"report.html"}
    assert shown.keys() == saved.keys()
