"""A scheduler that was down for days: its next daily run does them, once the warehouse can be asked which they are."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import psycopg

from daybook.days import last_finished_day
from deployment.supervisor import Deployment
from tests.support.sales import file_of
from tests.support.servers import Servers, run_steps

from .conftest import MISSED, pipeline_of
from .outage import Outage, wait_until

DAY = timedelta(days=1)


def test_a_scheduler_that_was_down_for_five_days_does_them_in_its_next_daily_run(
    deployment: Deployment, outage: Outage
) -> None:
    last = last_finished_day("America/New_York", datetime.now(UTC))
    before, missed = [last - number * DAY for number in (8, 6)], [last - number * DAY for number in range(1, 6)]
    servers = Servers(deployment.postgres, deployment.ftp, Path(deployment.data.removeprefix("file://")))
    deliver(deployment, *before)
    for day in before:
        run_steps(servers.work(pipeline_of(deployment, MISSED), str(day), "before"), servers)
    deployment.api.wait_for_dag(MISSED)
    outage.kill("scheduler")
    deliver(deployment, last, *missed, last - 7 * DAY)
    deployment.api.unpause(MISSED)
    with full_warehouse(deployment):
        outage.start_again("scheduler")
        wait_until(lambda: "up_for_reschedule" in states(deployment), "no task waits for the warehouse")
    (run,) = deployment.api.dag_runs(MISSED)
    assert run["run_type"] == "scheduled"
    ended = deployment.api.wait_for_run(MISSED, run["dag_run_id"], check=deployment.keep_up)
    assert ended["state"] == "success"
    by_run = servers.rows(
        "select run.started_by, day from daybook.published join daybook.run using (run_id, day) "
        "where run.pipeline = %s order by day desc",
        MISSED,
        role="warehouse_owner",
    )
    daily = [day for started_by, day in by_run if started_by == run["dag_run_id"]]
    # One day of the window was missed in the week before, too.
    assert daily == [last, *missed, last - 7 * DAY]
    assert [day for _, day in by_run] == [last - number * DAY for number in range(9)]
    assert [r["dag_run_id"] for r in deployment.api.dag_runs(MISSED)] == [run["dag_run_id"]]


def deliver(deployment: Deployment, *days: date) -> None:
    """Put the files of some days on the FTP server."""
    folder = deployment.ftp.root / MISSED
    folder.mkdir(exist_ok=True)
    for day in days:
        (folder / f"{day}.csv").write_text(file_of(day, 3))


def states(deployment: Deployment) -> list[str]:
    """Return the states of the tasks of all runs."""
    return [task["state"] for task in deployment.api.task_instances(MISSED)]


@contextmanager
def full_warehouse(deployment: Deployment) -> Iterator[None]:
    """Have a warehouse that takes no more connections, except from its superuser."""
    with psycopg.connect(deployment.postgres.dsn("warehouse"), autocommit=True) as connection:
        connection.execute("alter database warehouse connection limit 0")
        try:
            yield
        finally:
            connection.execute("alter database warehouse connection limit -1")
