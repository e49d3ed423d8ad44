"""Publishing: whichever run wins, and whatever dies when, readers see one run of a day, whole."""

import signal
from functools import partial

import pytest

from daybook.errors import SourceUnavailable
from daybook.ledger.receipt import STEPS
from daybook.postgres.session import at_once, warehouse_settings
from daybook.publish.deploy import deploy
from tests.support.bench import DAY, Bench

OLD, NEW = 40, 50


def test_r1_of_ten_runs_of_one_day_at_once_readers_see_one(bench: Bench) -> None:
    bench.publish(DAY, "before", OLD)
    old = bench.seen(DAY)
    bench.deliver(DAY, NEW)
    with bench.reader(DAY) as reader:
        started = [bench.start(bench.job(DAY, f"run_{number}")) for number in range(10)]
        told = [one.end() for one in started]
    assert [one["exit"] for one in told] == [0] * 10
    assert [one["error"] for one in told if one["error"] and "Superseded" not in one["error"]] == []
    assert reader.seen <= {old, bench.seen(DAY)}
    assert bench.seen(DAY)[0] == NEW
    bench.check()
    published = bench.rows("select count(*) from daybook.ledger where pipeline = %s", bench.pipeline.name)
    assert published == [(2,)], "the other nine found nothing new"
    assert len(bench.run_ids(DAY)) == 2, "the rows of the other nine are tidied away"


def test_r3_a_run_that_read_its_file_earlier_does_not_replace_a_later_one(bench: Bench) -> None:
    bench.deliver(DAY, OLD)
    assert bench.do(DAY, "slow", last="summarize")["error"] == ""
    bench.publish(DAY, "quick", NEW)
    done = bench.do(DAY, "slow", first="save")
    assert "Superseded" in done["error"]
    assert "nothing was changed" in done["error"]
    assert bench.seen(DAY)[0] == NEW
    bench.publish(DAY, "next", OLD)
    bench.check()


def test_r3_what_a_later_run_found_unchanged_is_not_replaced_by_what_was_read_before_it(bench: Bench) -> None:
    bench.publish(DAY, "first", NEW)
    bench.deliver(DAY, OLD)
    assert bench.do(DAY, "between", last="summarize")["error"] == ""
    bench.publish(DAY, "the same as first", NEW)
    assert "Superseded" in bench.do(DAY, "between", first="save")["error"]
    assert bench.seen(DAY)[0] == NEW
    bench.check()


@pytest.mark.parametrize(
    ("first", "at"),
    [
        ("save", "sql commit of a transaction"),
        ("save", "sql answer to the commit of a transaction"),
        ("deploy", "sql commit of a transaction"),
        ("deploy", "sql answer to the commit of a transaction"),
        ("deploy", f"os.rename {DAY}"),
    ],
)
def test_k8_a_stopped_process_that_wakes_after_its_successor_has_published_changes_nothing(
    bench: Bench, first: str, at: str
) -> None:
    bench.publish(DAY, "before", OLD)
    bench.deliver(DAY, OLD + 1)
    assert bench.do(DAY, "zombie", last="summarize" if first == "save" else "save")["error"] == ""
    zombie = bench.start(bench.job(DAY, "zombie", first=first, at=at, how="stop"))
    zombie.wait_until_stopped()
    # A minute later the server and the next writer of the day do this by themselves (LIMITS of postgres/session.py,
    # PATIENCE_S of ledger/step_log.py); a test does not wait for it.
    bench.superuser("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'warehouse_owner'")
    with bench.reader(DAY) as reader:
        bench.publish(DAY, "successor", NEW)
        zombie.signal(signal.SIGCONT)
        told = zombie.end()
    assert "Superseded" in told["error"] or told["error"] == ""
    assert {flights for flights, *_ in reader.seen} <= {OLD, OLD + 1, NEW}
    assert bench.seen(DAY)[0] == NEW
    bench.check()
    bench.publish(DAY, "next", OLD)


def test_r1_while_one_run_publishes_another_waits_for_it_and_then_says_so(bench: Bench) -> None:
    bench.publish(DAY, "before", OLD)
    bench.deliver(DAY, NEW)
    for run in ("one", "other"):
        assert bench.do(DAY, run, last="save")["error"] == ""
    one = bench.start(bench.job(DAY, "one", first="deploy", at="sql insert into ledger", how="stop"))
    one.wait_until_stopped()
    # Past the lock of the step, which a stopped process may lose: it is the transaction's own that counts here.
    other = bench.servers.work(bench.pipeline, DAY, "other")
    receipts = {step: other.receipt(step) for step in STEPS[:-1]}
    publish = partial(deploy, pipeline=bench.pipeline, receipts=receipts, changes={}, is_forced=True)
    quick = f"{warehouse_settings()}; set local lock_timeout = '300ms'"
    with pytest.raises(SourceUnavailable, match="another run is publishing this day"):
        at_once(lambda: bench.servers.connect_postgres("warehouse"), publish, settings=quick)
    one.signal(signal.SIGCONT)
    assert one.end()["error"] == ""
    assert bench.seen(DAY)[0] == NEW
    bench.check()


def test_k8_the_server_ends_a_transaction_whose_process_is_stopped(bench: Bench) -> None:
    settings = "select current_setting('idle_in_transaction_session_timeout'), current_setting('search_path')"
    shown = at_once(
        lambda: bench.servers.connect_postgres("warehouse"),
        lambda session: session.execute(settings.encode()).fetchone(),
    )
    assert shown == ("1min", "pg_catalog, daybook, pg_temp")


def test_P18_a_publication_that_another_session_has_written_meanwhile_is_settled_by_the_ledger(bench: Bench) -> None:
    bench.publish(DAY, "before", OLD)
    bench.deliver(DAY, NEW)
    assert bench.do(DAY, "run", last="save")["error"] == ""
    one = bench.start(bench.job(DAY, "run", first="deploy", at="sql insert into published", how="stop"))
    one.wait_until_stopped()
    # Past the day's lock, as only another program would: the same run is published under our hands.
    (run,) = set(bench.run_ids(DAY)) - {bench.rows("select min(run_id) from {}_store.by_day")[0][0]}
    words = "pipeline, day, rows_read, rows_refused, totals, changes, receipts"
    copied = f"select %s, 'content', 'facts', {words} from daybook.ledger where pipeline = %s returning run_id"
    assert bench.rows(
        f"with pointed as (update daybook.published set run_id = %s where pipeline = %s) "
        f"insert into daybook.ledger (run_id, content_sha256, facts_sha256, {words}) {copied}",
        *(run, bench.pipeline.name) * 2,
    ) == [(run,)]
    one.signal(signal.SIGCONT)
    assert one.end()["error"] == ""
    assert bench.seen(DAY)[0] == NEW
    assert bench.servers.work(bench.pipeline, DAY, "run").receipt("deploy").outcome == "already_published"
    bench.check()
