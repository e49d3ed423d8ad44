"""A server that is away during a run: the run waits without a worker, and goes on when the server is back."""

import time

from .conftest import NEW
from .outage import Outage

LOOKS_AGAIN_S = 2


def test_a_file_server_that_is_away_is_waited_for_without_a_worker_over_many_looks(outage: Outage) -> None:
    day = "2013-01-17"
    outage.kill("ftp")
    run = outage.trigger(day, NEW)
    # More looks than a task has tries.
    for _ in range(7):
        outage.wait_for_task(run, "extract_files", "up_for_reschedule")
        time.sleep(LOOKS_AGAIN_S)
    assert outage.task(run, "extract_files")["state"] != "failed"
    outage.start_again("ftp")
    assert outage.end(run) == "success"
    assert outage.tries(run)["extract_files"] == 1
    assert outage.invariants.seen(day)[0] == NEW
