"""A day back to an earlier run, the runs that are kept for it, and what is tidied away."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from upath import UPath

from commands import connections
from commands import rollback as rollback_command
from daybook.errors import BadSpec
from daybook.publish import orphans
from daybook.storage.data_folder import DataFolder
from deployment.home import REPOSITORY
from tests.support.bench import DAY, Bench

SECOND_DAY = "2013-01-06"


def roll_back(bench: Bench, to: int | None = None, why: str = "wrong prices") -> None:
    """Roll the day back, as the command does."""
    dsn = bench.servers.postgres.dsn("warehouse", "warehouse_owner")
    day = bench.servers.work(bench.pipeline, DAY, "any").day
    rollback_command.roll_back(bench.pipeline, day, dsn, DataFolder(UPath(bench.servers.data)), "ann@desk", why, to)


@pytest.fixture
def thrice(bench: Bench) -> Bench:
    """A bench with a day that was published three times: 41, 42 and 43 rows."""
    for rows in (41, 42, 43):
        bench.publish(DAY, f"run_{rows}", rows)
    return bench


def test_a_rollback_shows_the_run_before_whole_and_says_who_and_why(thrice: Bench) -> None:
    before = thrice.seen(DAY)
    with thrice.reader(DAY) as reader:
        roll_back(thrice)
    after = thrice.seen(DAY)
    assert after[0] == 42
    assert reader.seen <= {before, after}
    thrice.check()
    (decision,) = thrice.rows(
        "select what, who, why, found from daybook.decision where pipeline = %s", thrice.pipeline.name
    )
    assert decision[:3] == ("rollback", "ann@desk", "wrong prices")
    report = (thrice.published / DAY / "report.html").read_text()
    assert '<td class="number">42</td>' in report


def test_a_second_rollback_goes_one_further_back_and_a_named_run_comes_again(thrice: Bench) -> None:
    newest = max(thrice.run_ids(DAY))
    roll_back(thrice)
    roll_back(thrice)
    assert thrice.seen(DAY)[0] == 41
    roll_back(thrice, to=newest)
    assert thrice.seen(DAY)[0] == 43
    thrice.check()


def test_a_rollback_to_what_is_not_kept_changes_nothing_and_says_what_is(thrice: Bench) -> None:
    with pytest.raises(BadSpec, match="run 999999 is not kept; kept are"):
        roll_back(thrice, to=999_999)
    roll_back(thrice)
    roll_back(thrice)
    with pytest.raises(BadSpec, match="no run before the one that readers see is kept"):
        roll_back(thrice)
    assert thrice.seen(DAY)[0] == 41
    thrice.check()


def test_a_rollback_of_a_day_that_was_never_published_says_so(thrice: Bench) -> None:
    day = thrice.servers.work(thrice.pipeline, SECOND_DAY, "any").day
    dsn = thrice.servers.postgres.dsn("warehouse", "warehouse_owner")
    with pytest.raises(BadSpec, match="not published; nothing was changed"):
        rollback_command.roll_back(thrice.pipeline, day, dsn, DataFolder(UPath(thrice.servers.data)), "ann", "why")


def test_a_rollback_with_the_wrong_data_folder_changes_nothing(thrice: Bench, tmp_path: Path) -> None:
    day = thrice.servers.work(thrice.pipeline, DAY, "any").day
    dsn = thrice.servers.postgres.dsn("warehouse", "warehouse_owner")
    with pytest.raises(BadSpec, match="is DAYBOOK_DATA the folder"):
        rollback_command.roll_back(thrice.pipeline, day, dsn, DataFolder(UPath(tmp_path / "empty")), "ann", "why")
    assert thrice.seen(DAY)[0] == 43


def test_a_try_of_deploy_after_a_rollback_does_not_undo_it(thrice: Bench) -> None:
    roll_back(thrice)
    assert thrice.do(DAY, "run_43", first="deploy")["error"] == ""
    assert thrice.seen(DAY)[0] == 42
    thrice.check()


def test_a_new_run_after_a_rollback_is_published(thrice: Bench) -> None:
    roll_back(thrice)
    thrice.publish(DAY, "mended", 44)
    assert thrice.seen(DAY)[0] == 44
    thrice.check()
    roll_back(thrice)
    assert thrice.seen(DAY)[0] == 43, "the run that was published before, whatever was seen in between"


def test_the_published_run_and_so_many_before_it_are_kept_as_the_spec_says(bench: Bench) -> None:
    bench = bench.with_keep(2)
    for rows in range(41, 47):
        bench.publish(DAY, f"run_{rows}", rows)
    kept = bench.run_ids(DAY)
    assert len(kept) == 3
    assert sorted(path.name for path in (bench.published / ".runs" / DAY).iterdir()) == sorted(map(str, kept))
    assert len(bench.rows("select from daybook.ledger where pipeline = %s", bench.pipeline.name)) == 6, (
        "the account stays"
    )
    roll_back(bench)
    roll_back(bench)
    assert bench.seen(DAY)[0] == 44
    bench.publish(DAY, "after", 47)
    bench.check()


def test_a_link_that_a_crash_left_behind_is_mended_by_the_next_deployment_of_any_day(bench: Bench) -> None:
    bench.publish(DAY, "before", 41)
    bench.deliver(DAY, 42)
    assert bench.do(DAY, "crashed", at=f"os.symlink .{DAY}", how="kill")["exit"] == -9
    assert bench.seen(DAY)[0] == 42
    bench.publish(SECOND_DAY, "another day", 43)
    bench.check()


def test_what_was_saved_long_ago_and_never_published_is_tidied_away(bench: Bench) -> None:
    bench.publish(DAY, "before", 41)
    bench.deliver(SECOND_DAY, 42)
    assert bench.do(SECOND_DAY, "red for long", last="save")["error"] == ""
    assert len(bench.run_ids(SECOND_DAY)) == 1
    bench.rows(
        "update daybook.run set saved_at = now() - interval '8 days' where pipeline = %s and day = %s returning 1",
        bench.pipeline.name,
        SECOND_DAY,
    )
    bench.publish(DAY, "next", 42)
    assert bench.run_ids(SECOND_DAY) == []
    # A person may clear `deploy` of the red run after all: it says what to do, and that mends it.
    assert "clear `save`" in bench.do(SECOND_DAY, "red for long", first="deploy")["error"]
    assert bench.do(SECOND_DAY, "red for long", first="save")["error"] == ""
    assert bench.seen(SECOND_DAY)[0] == 42
    bench.check()


def test_run_folders_that_no_kept_run_needs_go_after_a_while(bench: Bench) -> None:
    bench = bench.with_keep(0)
    bench.publish(DAY, "old", 41)
    bench.publish(DAY, "new", 42)
    old = Path(bench.servers.work(bench.pipeline, DAY, "old").folder.path)
    assert old.exists(), "not yet"
    past = time.time() - (orphans.ABANDONED_DAYS + 1) * 86_400
    for path in old.rglob("*"):
        os.utime(path, (past, past))
    bench.publish(DAY, "newer", 43)
    assert not old.exists()
    bench.check()


@pytest.mark.parametrize("name", ["lost+found", "2013-01-06", "by_fingerprint", "of_runs", "notes"])
def test_a_folder_that_is_not_a_runs_is_never_taken_for_an_abandoned_run(bench: Bench, name: str) -> None:
    bench = bench.with_keep(0)
    bench.publish(DAY, "old", 41)
    stray = Path(bench.servers.work(bench.pipeline, DAY, "old").folder.path).parent / name
    (stray / "a_run" / "load").mkdir(parents=True)
    (stray / "a_run" / "load" / "kept").write_text("somebody's")
    past = time.time() - (orphans.ABANDONED_DAYS + 1) * 86_400
    for path in stray.rglob("*"):
        os.utime(path, (past, past))
    bench.publish(DAY, "new", 42)
    assert (stray / "a_run" / "load" / "kept").exists()
    bench.check()


def test_what_a_dead_process_left_half_written_goes_and_what_is_being_written_stays(bench: Bench) -> None:
    bench.publish(DAY, "before", 41)
    bench.deliver(DAY, 42)
    assert bench.do(DAY, "killed", at="fsync", how="kill")["exit"] == -9
    (left,) = (path for path in bench.servers.data.rglob("*.tmp") if "killed" in str(path))
    stopped = bench.start(bench.job(DAY, "stopped", at="fsync", how="stop"))
    stopped.wait_until_stopped()
    bench.superuser("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'warehouse_owner'")
    (written,) = (path for path in bench.servers.data.rglob("*.tmp") if "stopped" in str(path))
    past = time.time() - 3600
    for path in (left, written):
        os.utime(path, (past, past))
    bench.publish(DAY, "after", 43)
    assert not left.exists()
    assert written.exists()
    stopped.process.kill()
    stopped.end()
    bench.publish(DAY, "last", 44)


def test_a_janitor_that_cannot_work_fails_no_publication(bench: Bench) -> None:
    bench.publish(DAY, "before", 41)
    bench.deliver(DAY, 42)
    told = bench.do(DAY, "run", at="sql \n    with publications", how="fail")
    assert told["error"] == ""
    assert any(name.startswith("sql \n    with publications") for name in told["operations"])
    assert bench.seen(DAY)[0] == 42
    bench.check()


def test_the_command_rolls_back_in_the_tasks_environment(thrice: Bench) -> None:
    flights = subprocess.run(
        [sys.executable, "-m", "commands", "rollback", DAY, "--why", "test"],
        env=environment(thrice),
        capture_output=True,
        text=True,
        check=False,
    )
    assert flights.returncode == 40
    assert "flights 2013-01-05: not published; nothing was changed" in flights.stderr
    assert "Traceback" not in flights.stderr


def environment(bench: Bench) -> dict[str, str]:
    """Return the variables that the tasks have: the warehouse's connection as Airflow writes it, and the data
    folder."""
    parts = conninfo_to_dict(bench.servers.postgres.dsn("warehouse", "warehouse_owner"))
    names = {"host": "host", "port": "port", "dbname": "schema", "user": "login", "password": "password"}
    connection = {"conn_type": "postgres"} | {airflow: parts[libpq] for libpq, airflow in names.items()}
    return {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY / "include"),
        "AIRFLOW_CONN_WAREHOUSE": json.dumps(connection),
        "DAYBOOK_DATA": f"file://{bench.servers.data}",
    }


def test_the_command_finds_the_warehouse_in_airflows_connection(thrice: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(thrice).items():
        monkeypatch.setenv(name, value)
    with psycopg.connect(connections.warehouse_dsn("warehouse")) as connection:
        assert connection.execute("select current_user").fetchone() == ("warehouse_owner",)
    monkeypatch.delenv("AIRFLOW_CONN_WAREHOUSE")
    with pytest.raises(BadSpec, match="DAYBOOK_WAREHOUSE is not set; AIRFLOW_CONN_WAREHOUSE is not set; "):
        connections.warehouse_dsn("warehouse")
