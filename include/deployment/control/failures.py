"""The failure of a run of Airflow: the task, the last lines of its log, and the path of the log."""

import json
from pathlib import Path

from daybook_airflow.api import AirflowApi
from daybook_airflow.api_requests import Json
from deployment.errors import TAIL_LINES, RunFailed
from deployment.home import Home


def failure(api: AirflowApi, home: Home, failed: list[Json]) -> RunFailed:
    """Return an error about the first of some failed runs, with their number."""
    run = failed[0]
    tasks = api.task_instances(run["dag_id"], run["dag_run_id"], state="failed")
    what = f"{len(failed)} run(s) of {run['dag_id']} failed; the first is {run['dag_run_id']}"
    if not tasks:
        return RunFailed(f"{what}, in which no task says why; see {home.logs / 'scheduler.log'}.")
    log = _task_log(home, tasks[0])
    return RunFailed(f"{what}, in its task {tasks[0]['task_id']}. The last lines of {log}:\n\n{_last_words(log)}")


def _task_log(home: Home, task: Json) -> Path:
    # Airflow's default for [logging] log_filename_template.
    place = f"dag_id={task['dag_id']}/run_id={task['dag_run_id']}/task_id={task['task_id']}"
    return home.logs / "tasks" / place / f"attempt={task['try_number']}.log"


def _last_words(log: Path) -> str:
    if not log.exists():
        return "(there is no such file)"
    return "\n".join(_readable(line) for line in log.read_text(errors="replace").splitlines()[-TAIL_LINES:])


def _readable(line: str) -> str:
    """Return the message of a line that Airflow wrote as JSON, with its error."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line
    errors = [f"{one['exc_type']}: {one['exc_value']}" for one in entry.get("error_detail") or []]
    return "\n".join([str(entry.get("event", line)), *errors])
