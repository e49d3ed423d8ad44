"""The files of the branches in an object store, whose copies break in the middle: the same numbers are published."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg
import pytest

from daybook import steps
from daybook.ledger.receipt import STEPS
from daybook.run.day_run import DayRun
from daybook.run.several_days import over_days
from daybook.spec import Engine
from tests.support.object_store import ObjectStore
from tests.support.servers import Servers, run_steps
from tests.support.warehouse import drop_pipeline

from .test_branches_over_sftp import BRANCHES, DAYS, Branches, branches


@dataclass
class Bucket(Branches):
    """The supplier's bucket, which holds what is in its folder."""

    store: ObjectStore

    def work(self, day: object, run: str, engine: Engine = "polars") -> DayRun:
        """Return the work of a run on a day, with this bucket."""
        self.store.hold(self.root)
        pipeline = self.pipeline.model_copy(update={"engine": engine})
        work = self.servers.work(pipeline, str(day), run)
        return replace(work, ftp=lambda _: self.store.connection().open(20))


@pytest.fixture
def bucket(request: pytest.FixtureRequest, servers: Servers, tmp_path: Path) -> Iterator[Bucket]:
    """A bucket into which three branches have put two days."""
    name, root = f"b{zlib.crc32(request.node.nodeid.encode())}", tmp_path / "root"
    (root / "out").mkdir(parents=True)
    with ObjectStore("branches") as store:
        store.empty()
        bucket = Bucket(root, servers, branches(name), store)
        bucket.deliver_all()
        yield bucket
    with psycopg.connect(servers.postgres.dsn("warehouse", "warehouse_owner")) as connection:
        drop_pipeline(connection, name)


def test_days_are_published_though_a_copy_breaks_and_a_file_that_is_put_again_changes_its_day_only(
    bucket: Bucket,
) -> None:
    days = [bucket.work(day, "run_1") for day in DAYS]
    bucket.store.cuts = iter([2_000])
    for step in STEPS:
        over_days(getattr(steps, step), days, is_last_try=True)
    assert [bucket.published(day) for day in DAYS] == [bucket.expected(day) for day in DAYS]
    assert [row[0] for row in bucket.published(DAYS[0])] == sorted(BRANCHES)
    before = bucket.published(DAYS[1])
    bucket.deliver(BRANCHES[0], DAYS[0], 500)
    run_steps(bucket.work(DAYS[0], "run_2"), bucket.servers)
    assert bucket.published(DAYS[0]) == bucket.expected(DAYS[0])
    assert bucket.published(DAYS[1]) == before
