"""The data folder in an object store: a process that dies or stands still at any request of it loses nothing."""

import random
import signal
from collections.abc import Iterator
from dataclasses import replace

import pytest

from daybook.publish.agreement import differences, ledger_of
from daybook.storage.data_folder import DataFolder
from daybook.transports.data_place import data_at
from tests.support.bench import DAY, NEW, OLD, Bench
from tests.support.object_store import ObjectStore
from tests.support.processes import Started
from tests.support.recovery import SEED, first_step_to_try_again

STRUCK = 2


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    """An object store with a bucket `daybook`."""
    with ObjectStore("daybook") as store:
        store.empty()
        yield store


@pytest.fixture
def stored(bench: Bench, store: ObjectStore) -> Bench:
    """A bench whose data folder is in the store, with a day published."""
    at = data_at("s3://files@daybook/in/here", {"files": store.words}.__getitem__).root.path
    stored = replace(bench, servers=replace(bench.servers, at=at))
    stored.publish(DAY, "before", OLD)
    return stored


def check(stored: Bench) -> None:
    """Check that ledger, warehouse and folder agree, to the hash of each file."""
    data = DataFolder(stored.servers.at)
    with stored.servers.connect_postgres("warehouse") as connection:
        connection.execute("set search_path = daybook")
        known = ledger_of(connection)
    # The ledger has days of other tests too, whose files are not in this store.
    name = stored.pipeline.name
    assert [one for one in differences(known, data, [name]) if one.pipeline == name] == []
    assert data.shown(stored.pipeline.name)


class Struck:
    """Kills a process when its n-th request arrives, or the first that begins so; the store does it all the same."""

    def __init__(self, store: ObjectStore, at: int | str) -> None:
        self.store, self.at, self.count, self.started = store, at, 0, list[Started]()

    def __call__(self, asked: str) -> None:
        self.count += 1
        if self.count == self.at or (isinstance(self.at, str) and asked.startswith(self.at)):
            self.at = 0
            self.started[0].signal(signal.SIGKILL)


def test_k1_a_kill_at_any_request_of_a_day_loses_nothing(stored: Bench, store: ObjectStore) -> None:
    store.asked.clear()
    stored.deliver(DAY, NEW)
    assert stored.do(DAY, "counted")["error"] == ""
    some = sorted(random.Random(SEED).sample(range(1, len(store.asked)), STRUCK))
    link = f"PUT in/here/published/{stored.pipeline.name}/{DAY}.json"
    places: list[int | str] = [*some, link]
    for number, at in enumerate(places):
        rows = OLD if stored.seen(DAY)[0] == NEW else NEW
        stored.deliver(DAY, rows, first=number + 1)
        store.arrives = struck = Struck(store, at)
        struck.started.append(stored.start(stored.job(DAY, f"run_{number}")))
        assert struck.started[0].end()["exit"] == -signal.SIGKILL, f"at {at}, seed {SEED}"
        store.arrives = lambda asked: None
        assert stored.seen(DAY)[0] in (OLD, NEW)
        again = stored.do(DAY, f"run_{number}", first=first_step_to_try_again(stored, f"run_{number}"))
        assert (again["error"], stored.seen(DAY)[0]) == ("", rows), f"at {at}, seed {SEED}"
        check(stored)


def test_k8_a_link_that_was_sent_before_its_run_was_cut_off_and_arrives_after_its_successors_changes_nothing(
    stored: Bench, store: ObjectStore
) -> None:
    stored.deliver(DAY, OLD + 1)
    assert stored.do(DAY, "cut_off", last="save")["error"] == ""
    link = f"PUT in/here/published/{stored.pipeline.name}/{DAY}.json"

    def overtake(asked: str) -> None:
        if asked == link:
            store.arrives = lambda asked: None
            stored.superuser("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'warehouse_owner'")
            stored.publish(DAY, "successor", NEW)

    store.arrives = overtake
    told = stored.do(DAY, "cut_off", first="deploy")
    assert "another run has pointed it elsewhere meanwhile" in told["error"]
    assert stored.seen(DAY)[0] == NEW
    check(stored)
    again = stored.do(DAY, "cut_off", first="deploy")
    assert "Superseded" in again["error"] or again["error"] == ""
    assert stored.seen(DAY)[0] == NEW
    check(stored)
