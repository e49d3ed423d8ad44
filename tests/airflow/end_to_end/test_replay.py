"""Rows mended and replayed through the real scheduler: whatever runs the day takes them, and no value leaks."""

import csv
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployment.environment import with_this_shell
from deployment.supervisor import Deployment

from .conftest import airflow, published, rows

DAY = "2013-10-08"
WHY = "the departure was typed as a word"
CANARY = "N0MENDED"


@pytest.fixture(scope="module")
def broken(deployment: Deployment) -> Iterator[Deployment]:
    """A day that `airflow dags backfill` published without a row, the first of its file."""
    file = deployment.ftp.root / "flights" / f"flights_{DAY}.csv"
    whole = file.read_bytes()
    header, first, *rest = whole.splitlines(keepends=True)
    fields = first.split(b",")
    fields[3], fields[11] = b"soon", CANARY.encode()
    file.write_bytes(b"".join([header, b",".join(fields), *rest]))
    done = airflow(deployment, "dags", "backfill", "-s", DAY, "-e", DAY, "--wait", "flights")
    assert done.returncode == 0, done.stdout + done.stderr
    yield deployment
    file.write_bytes(whole)


def daybook(deployment: Deployment, *words: str) -> str:
    """Run `python -m commands` in the deployment's environment; give what it printed."""
    environment = with_this_shell(deployment.environment)
    done = subprocess.run(
        [sys.executable, "-m", "commands", *words], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def flights(deployment: Deployment) -> int:
    """Return how many flights of the day readers see."""
    return int(rows(deployment, f"select flights from flights.by_day where day = '{DAY}'")[0][0])


@pytest.fixture(scope="module")
def replayed(broken: Deployment, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, str]:
    """The row mended and kept: how many flights readers saw before, and what was printed."""
    file = tmp_path_factory.mktemp("mended") / "refused.csv"
    printed = daybook(broken, "refused", DAY, "-p", "flights", "--out", str(file))
    (row,) = csv.DictReader(file.read_text("utf-8-sig").splitlines())
    row["mended"] = row["raw"].replace("soon", "517")
    with file.open("w", newline="") as saved:
        lines = csv.DictWriter(saved, list(row))
        lines.writeheader()
        lines.writerow(row)
    return flights(broken), printed + daybook(
        broken, "replay", DAY, str(file), "-p", "flights", "--why", WHY, "--who", "ann"
    )


def test_a_cleared_run_takes_the_mended_row(broken: Deployment, replayed: tuple[int, str]) -> None:
    before, _ = replayed
    done = airflow(broken, "tasks", "clear", "--yes", "--start-date", DAY, "--end-date", f"{DAY}T23:59:59", "flights")
    assert done.returncode == 0, done.stdout + done.stderr
    backfilled = [run for run in broken.api.dag_runs("flights") if run["run_type"] == "backfill"]
    (run,) = [run for run in backfilled if run["logical_date"].startswith(DAY)]
    assert broken.api.wait_for_run("flights", run["dag_run_id"])["state"] == "success"
    assert flights(broken) == before + 1
    assert f"1 row mended by ann: {WHY} (flights 1)." in (published(broken, "flights", DAY) / "report.html").read_text()
    decided = f"select what, who, why, found from daybook.decision where day = '{DAY}'"
    assert rows(broken, decided, role="warehouse_owner") == [("mend", "ann", WHY, "flights 1")]


def test_a_triggered_run_takes_it_too_and_has_nothing_to_do(broken: Deployment, replayed: tuple[int, str]) -> None:
    run = broken.api.trigger("flights", conf={"day": DAY})
    assert broken.api.wait_for_run("flights", run)["state"] == "success"
    assert flights(broken) == replayed[0] + 1
    assert "load reused=backfill__" in str(broken.api.xcom("flights", run, "load"))


def test_no_log_and_no_xcom_holds_a_value_of_the_row(broken: Deployment, replayed: tuple[int, str]) -> None:
    assert CANARY not in replayed[1]
    logs = [log for log in (broken.home.logs).glob("**/*.log") if log.is_file()]
    assert [
        log for log in logs if "mend" in log.read_text(errors="replace") or "load" in log.name or log.stat().st_size
    ]
    assert not [log for log in logs if CANARY in log.read_text(errors="replace")]
    for run in broken.api.dag_runs("flights"):
        if run["state"] == "success":
            told = str(broken.api.xcom("flights", run["dag_run_id"], "load"))
            assert "load " in told
            assert CANARY not in told
    mends = Path(broken.data.removeprefix("file://")) / "mends" / "flights" / DAY
    assert [file for file in mends.rglob("*.json") if CANARY in file.read_text()]
