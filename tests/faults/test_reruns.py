"""Steps done again, days side by side, readers who hold on, backends that are ended: the day is the same in the end."""

import random
import threading
import time
from dataclasses import replace

import psycopg
import pytest

from daybook.ledger.receipt import STEPS
from daybook.spec import Derived, col
from tests.support.bench import DAY, NEW, OLD, Bench
from tests.support.recovery import SEED, simulated_days


@pytest.mark.parametrize("step", STEPS)
def test_r4_a_step_that_is_done_again_gives_the_same(published: Bench, step: str) -> None:
    seen, runs = published.seen(DAY), published.run_ids(DAY)
    assert published.do(DAY, "before", first=step, last=step)["error"] == ""
    assert published.do(DAY, "before", first=step)["error"] == ""
    assert (published.seen(DAY), published.run_ids(DAY)) == (seen, runs)
    published.check()


def test_R4_a_rerun_with_a_changed_spec_is_a_new_revision_and_the_old_one_is_kept(published: Bench) -> None:
    flights = published.pipeline
    never = Derived(name="is_on_time", of=col("arr_delay_min") <= -1000)
    changed = replace(published, pipeline=flights.model_copy(update={"derived": (*flights.derived[:2], never)}))
    (before,) = published.run_ids(DAY)
    assert changed.do(DAY, "before")["error"] == ""
    assert changed.run_ids(DAY)[0] == before
    assert len(changed.run_ids(DAY)) == 2
    assert changed.rows("select distinct on_time_pct from {}.by_day") == [(0,)]
    (changes,) = changed.rows(
        "select changes from daybook.ledger where pipeline = %s order by run_id desc limit 1", flights.name
    )[0]
    assert changes["by_day"] == {"added": 0, "removed": 0, "changed": 1}
    assert published.do(DAY, "back")["error"] == ""
    assert published.rows("select distinct on_time_pct > 0 from {}.by_day") == [(True,)]


def test_r2_days_in_reverse_order_beside_the_daily_run_are_each_right(bench: Bench) -> None:
    days = {f"2013-01-{number:02}": 30 + number for number in range(8, 2, -1)}
    for day, rows in days.items():
        bench.deliver(day, rows)
    started = [bench.start(bench.job(day, run)) for day in days for run in ("backfill", "daily")]
    told = [one.end() for one in started]
    assert [one["error"] for one in told if "Superseded" not in one["error"] and one["error"]] == []
    assert {day: bench.seen(day)[0] for day in days} == days
    bench.check()


def test_o1_days_each_with_a_fault_by_chance_are_each_right_in_the_end(published: Bench) -> None:
    simulated_days(published, ["2013-02-01", "2013-02-02", "2013-02-03"], random.Random(SEED))


def test_p1_a_consumer_who_holds_the_view_for_long_does_not_block_a_publication(published: Bench) -> None:
    dsn = published.servers.postgres.dsn("warehouse", "analyst")
    query = f"select sum(flights) from {published.pipeline.name}.by_airline"
    with psycopg.connect(dsn) as consumer:
        consumer.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        before = consumer.execute(query.encode()).fetchall()
        started = time.monotonic()
        published.publish(DAY, "beside", NEW)
        assert time.monotonic() - started < 25, "it waited for the consumer"
        assert consumer.execute(query.encode()).fetchall() == before
    assert published.seen(DAY)[0] == NEW
    published.check()


def test_p3_a_backend_that_is_ended_at_any_statement_is_replaced(published: Bench) -> None:
    published.deliver(DAY, NEW)
    assert published.do(DAY, "run", last="summarize")["error"] == ""
    is_over = threading.Event()

    def terminate() -> None:
        while not is_over.wait(0.15):
            published.superuser(
                "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'warehouse_owner' "
                "and state = 'idle in transaction' limit 1"
            )

    thread = threading.Thread(target=terminate)
    thread.start()
    told = published.do(DAY, "run", first="save")
    is_over.set()
    thread.join()
    assert told["error"] == "" or "SourceUnavailable" in told["error"]
    assert published.do(DAY, "run", first="save")["error"] == ""
    assert published.seen(DAY)[0] == NEW
    published.check()


def test_r5_a_step_does_not_go_on_from_what_another_version_has_done_in_this_run(published: Bench) -> None:
    published.deliver(DAY, NEW)
    assert published.do(DAY, "run", last="aggregate")["error"] == ""
    pipeline = published.pipeline
    upgraded = replace(published, pipeline=pipeline.model_copy(update={"measures": tuple(reversed(pipeline.measures))}))
    for step in ("summarize", "save", "deploy"):
        told = upgraded.do(DAY, "run", first=step)["error"]
        assert "BadSpec" in told
        assert "`aggregate` of this run was done with another spec than there is now" in told
        assert f"`{step}` was not done, nothing was published; clear `aggregate` and all after it" in told
        if step != "deploy":
            assert published.do(DAY, "run", first=step, last=step)["error"] == ""
    assert published.seen(DAY)[0] == OLD
    assert upgraded.do(DAY, "run", first="aggregate")["error"] == ""
    assert published.seen(DAY)[0] == NEW
    published.check()


def test_r5_what_only_a_later_step_rests_on_may_change_before_it_is_done(published: Bench) -> None:
    published.deliver(DAY, NEW)
    assert published.do(DAY, "run", last="clean")["error"] == ""
    pipeline = published.pipeline
    upgraded = replace(published, pipeline=pipeline.model_copy(update={"measures": tuple(reversed(pipeline.measures))}))
    assert upgraded.do(DAY, "run", first="index")["error"] == ""
    assert published.seen(DAY)[0] == NEW
