"""A day through the scheduler, compared with nine PythonOperators that do nothing, in the same order and pools.

    .venv/bin/python bench/day.py

Prints the median wall seconds of a run of each, measured in turn on one warm deployment, and their ratio.
"""

import os
import shutil
import statistics
import sys
import tempfile
from datetime import datetime
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY / "include"), str(REPOSITORY / "config")]

from deployment.supervisor import Deployment  # noqa: E402 - the path is set above

ROUNDS = 7
EMPTY = """
from datetime import datetime, timezone

from airflow.providers.standard.operators.python import PythonOperator
from airflow.sdk import DAG

with DAG("empty", schedule=None, start_date=datetime(2013, 1, 1, tzinfo=timezone.utc)):
    a, b, c, d, e, f, g, h, i = (
        PythonOperator(task_id=f"task_{n}", python_callable=lambda: None, pool=pool)
        for n, pool in enumerate(["source_db", "ftp", *["compute"] * 5, "warehouse", "warehouse"])
    )
    [a, b] >> c >> d >> e >> f >> g >> h >> i
"""


def main() -> None:
    """Run the bench in a folder of its own, and print the table."""
    # Without bytecode each task would compile the DAG file, the plugins and the pipelines.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        dags = Path(folder) / "dags"
        shutil.copytree(REPOSITORY / "dags", dags, ignore=shutil.ignore_patterns("__pycache__"))
        (dags / "empty.py").write_text(EMPTY)
        with Deployment(home=Path(folder) / "home", data=Path(folder) / "data", dags_folder=dags) as deployment:
            seconds = measure(deployment)
    ours, empty = (statistics.median(seconds[name]) for name in ("flights", "empty"))
    print(f"{ROUNDS} runs of each in turn, {os.cpu_count()} processors: median seconds of a run")
    print(f"  flights, nine steps on 842 to 943 rows   {ours:.2f}   (least {min(seconds['flights']):.2f})")
    print(f"  empty, nine operators that do nothing    {empty:.2f}   (least {min(seconds['empty']):.2f})")
    print(f"  ratio                                    {ours / empty:.2f}")


def measure(deployment: Deployment) -> dict[str, list[float]]:
    """Return the wall seconds of each run by DAG, after one of each to warm the workers."""
    seconds: dict[str, list[float]] = {"flights": [], "empty": []}
    for dag in seconds:
        deployment.api.wait_for_dag(dag)
        deployment.api.unpause(dag)
    for number in range(ROUNDS + 1):
        for dag, taken in seconds.items():
            conf = {"day": f"2013-01-0{number % 7 + 1}"} if dag == "flights" else {}
            run = deployment.api.wait_for_run(dag, deployment.api.trigger(dag, conf=conf))
            assert run["state"] == "success", run
            start, end = (datetime.fromisoformat(run[word]) for word in ("start_date", "end_date"))
            taken.append((end - start).total_seconds())
    return {dag: taken[1:] for dag, taken in seconds.items()}


if __name__ == "__main__":
    main()
