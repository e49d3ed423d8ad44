"""The events that only Airflow sees are told to a user's handlers: killed, out of time, tried again, broken."""

from pathlib import Path
from typing import Any

from psycopg import Connection

from tests.support.receivers import Receivers

from .conftest import OVERTIME
from .outage import Outage, kill, wait_until

DAY, TASK = "2013-01-05", "extract_tables"


def pid_of_try(outage: Outage, run: str, number: int, holder: Connection[object]) -> int:
    """Wait until a try of the task is at work, and so held; return the pid of its process."""
    tries: list[int] = []

    def is_at_work() -> bool:
        holder.execute("select 1")
        (task,) = [one for one in outage.deployment.api.task_instances(OVERTIME, run) if one["task_id"] == TASK]
        began = [one for one in outage.events() if one[:4] == ["START", OVERTIME, TASK, run]]
        tries[:] = [task["pid"]]
        return task["state"] == "running" and task["try_number"] == number and len(began) == number

    wait_until(is_at_work, f"try {number} does not begin")
    return tries[0]


def test_a_task_that_is_killed_then_out_of_time_then_killed_for_good_tells_each_once(
    outage: Outage, received: Receivers
) -> None:
    api = outage.deployment.api
    api.wait_for_dag(OVERTIME)
    api.unpause(OVERTIME)
    file = outage.deployment.ftp.root / OVERTIME / f"flights_{DAY}.csv"
    file.parent.mkdir(exist_ok=True)
    file.write_bytes((outage.deployment.ftp.root / outage.name / file.name).read_bytes())
    with outage.held_at_begin(OVERTIME, DAY) as holder:
        run = api.trigger(OVERTIME, conf={"day": DAY})
        kill(pid_of_try(outage, run, 1, holder))
        pid_of_try(outage, run, 2, holder)
        kill(pid_of_try(outage, run, 3, holder))
    assert api.wait_for_run(OVERTIME, run, check=outage.deployment.keep_up)["state"] == "failed"
    killed, retry, late = ("PROCESS_FAILURE", TASK, 1), ("RETRY", TASK, 1), ("TIMEOUT", TASK, 1)
    wait_until(lambda: len(outage.told(run)) > 4, "the last kill is not told")
    assert outage.told(run) == [killed, retry, late, retry, killed]
    subject = f"[daybook] {OVERTIME} {DAY}: {TASK} failed"
    wait_until(lambda: subject in received.subjects(), "no mail says that the task was killed")
    (mail,) = [one for one in received.mails if one["Subject"] == subject]
    assert "Killed: the process of try 3 is gone" in next(mail.iter_parts()).get_content()


def test_a_day_that_is_none_and_a_module_that_does_not_load_are_told_as_broken(outage: Outage) -> None:
    run = outage.deployment.api.trigger(outage.name, conf={"day": "2100-01-01"})
    assert outage.end(run) == "failed"
    assert {one[0] for one in outage.told(run)} == {"BROKEN_TASK"}
    variables = outage.deployment.environment
    dag_file = Path(variables["AIRFLOW__CORE__DAGS_FOLDER"]) / "broken_pipelines.py"
    module = Path(variables["PYTHONPATH"].split(":")[0]) / "pipelines" / "canary.py"
    module.write_text("raise ValueError('the canary')\n")
    try:
        dag_file.touch()
        wait_until(lambda: bool(of_module(outage)), "the module is not told")
    finally:
        module.unlink()
        dag_file.touch()
    (told,) = of_module(outage)
    assert told[4].startswith("include/pipelines/canary.py: ")
    assert "the canary" in told[4]


def of_module(outage: Outage) -> list[list[Any]]:
    """Return what was told of the module that does not load."""
    return [one for one in outage.events() if one[:2] == ["BROKEN_TASK", "canary"]]
