"""What people do to a run in the UI while it publishes, and code that changes under it: never half, and then right."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from deployment.environment import with_this_shell
from tests.support.edits import edit
from tests.support.receivers import Receivers

from .conftest import NEW, OLD
from .outage import Outage, is_alive, saw_nothing_but, wait_until


def mark_failed(outage: Outage, run: str, task: str) -> None:
    """Mark a task as failed, as the UI does."""
    path = f"/dags/{outage.name}/dagRuns/{run}/taskInstances/{task}"
    outage.deployment.api._ask("PATCH", path, {"new_state": "failed"})


def clear(outage: Outage, run: str, task: str) -> None:
    """Clear a task and those after it, as the UI does."""
    body: dict[str, Any] = {"dry_run": False, "only_failed": False, "include_downstream": True}
    asked = body | {"dag_run_id": run, "task_ids": [task]}
    outage.deployment.api._ask("POST", f"/dags/{outage.name}/clearTaskInstances", asked)


def test_k3_a_task_that_is_marked_failed_while_it_publishes_ends_and_a_clear_makes_it_right(outage: Outage) -> None:
    day = "2013-01-14"
    run = outage.trigger(day, NEW)
    with outage.invariants.reader(day) as reader:
        with outage.held_in_deploy(day):
            process = outage.wait_until_held(run, "deploy")
            mark_failed(outage, run, "deploy")
            wait_until(lambda: not is_alive(process), "the task's process lives on")
        assert outage.end(run) == "failed"
        assert (outage.invariants.seen(day)[0], outage.publications(day)) == (OLD, 1)
        outage.invariants.check()
        clear(outage, run, "deploy")
        assert outage.end(run) == "success"
    assert saw_nothing_but(reader, OLD, NEW)
    assert (outage.invariants.seen(day)[0], outage.publications(day)) == (NEW, 2)
    outage.invariants.check()


def test_k3_a_task_that_is_cleared_while_it_publishes_is_run_again_and_publishes_once(outage: Outage) -> None:
    day = "2013-01-15"
    run = outage.trigger(day, NEW)
    with outage.invariants.reader(day) as reader:
        with outage.held_in_deploy(day):
            process = outage.wait_until_held(run, "deploy")
            clear(outage, run, "deploy")
            wait_until(lambda: not is_alive(process), "the task's process lives on")
        assert outage.end(run) == "success"
    assert saw_nothing_but(reader, OLD, NEW)
    assert (outage.invariants.seen(day)[0], outage.publications(day)) == (NEW, 2)
    outage.invariants.check()


def test_r5_a_run_whose_code_changes_between_two_steps_is_refused_until_it_is_cleared(outage: Outage) -> None:
    day = "2013-01-16"
    run = outage.trigger(day, NEW)
    with outage.held_in_save():
        outage.wait_until_held(run, "save")
        include = Path(outage.deployment.environment["PYTHONPATH"].split(":")[0])
        edit(include / "daybook" / "rules" / "clean.py", "_rules")
        outage.kill("scheduler")
        outage.start_again("scheduler")
    assert outage.end(run) == "failed"
    assert (outage.invariants.seen(day)[0], outage.publications(day)) == (OLD, 1)
    failure = "select step, error_kind, error from daybook.step where run = %s and state = 'failed'"
    ((step, kind, message),) = outage.invariants.rows(failure, run)
    assert (step, kind) == ("save", "BadSpec")
    assert "`clean` of this run was done with other code than there is now" in message
    assert "clear `clean` and all after it in this run" in message
    clear(outage, run, "clean")
    assert outage.end(run) == "success"
    assert (outage.invariants.seen(day)[0], outage.publications(day)) == (NEW, 2)
    outage.invariants.check()


def test_a_held_day_that_nobody_decides_in_time_is_red_and_stays_held_and_everybody_says_so(
    outage: Outage, received: Receivers
) -> None:
    day, few = "2013-01-18", 3
    run = outage.trigger(day, few)
    assert outage.end(run) == "failed"
    states = {one["task_id"]: one["state"] for one in outage.deployment.api.task_instances(outage.name, run)}
    assert (states["summarize"], states["save"]) == ("failed", "upstream_failed")
    assert outage.deployment.api.open_actions(outage.name) == []
    failure = "select error_kind, error from daybook.step where run = %s and state = 'failed'"
    ((kind, error),) = outage.invariants.rows(failure, run)
    assert kind == "Implausible"
    assert error.startswith(f"{outage.name} {day}")
    assert error.endswith("; nobody decided within 0.0025 hours, so it stays held")
    for said in (f"{day}: held: it waits for a decision", f"{day}: summarize failed"):
        wait_until(lambda: f"[daybook] {outage.name} {said}" in received.subjects(), f"no mail says {said}")  # noqa: B023
    failed = received.mails[received.subjects().index(f"[daybook] {outage.name} {day}: summarize failed")]
    text = next(failed.iter_parts()).get_content()
    assert error in text
    assert f'Again: ./daybook release {day} --pipeline {outage.name} --why "REASON"' in text
    command = [sys.executable, "-m", "commands", "why", day, "--pipeline", outage.name]
    environment = with_this_shell(outage.deployment.environment)
    why = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60).stdout
    assert "held" in why
    assert "nobody decided within 0.0025 hours" in why
