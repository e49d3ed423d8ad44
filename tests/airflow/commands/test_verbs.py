"""Every verb, in a checkout with two pipelines; and in one whose only pipeline is renamed and need not be named."""

import csv
import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import httpx
import pytest

from daybook_airflow.api import AirflowApi
from daybook_airflow.waiting import wait_until
from deployment.airflow_history import DATABASE, clean_history
from deployment.control.runs import start
from deployment.environment import metadata_database
from deployment.home import HOST, REPOSITORY, Home
from deployment.servers.postgres import LocalPostgres

from .conftest import SUPPLIED, Checkout, Up

DAY, NEXT, THIRD, LAST = ("2013-01-01", "2013-01-02", "2013-01-03", "2013-01-04")
FEW = 100


@dataclass(frozen=True)
class Asked:
    """A checkout, the pipeline that is asked about, and the words that name it, if it has to be named."""

    checkout: Checkout
    pipeline: str
    named: tuple[str, ...]

    def type(self, *words: str) -> tuple[int, str, str]:
        """Type a verb about the pipeline."""
        return self.checkout.type(*words, *self.named)

    def json(self, *words: str) -> dict[str, object]:
        """Return what a verb about the pipeline answers in JSON."""
        return dict(self.checkout.json(*words, *self.named))


@pytest.fixture(scope="module")
def asked(up: Up, several: Checkout) -> Asked:
    """What is typed: --pipeline names one of the two."""
    spoil(several)
    return Asked(several, "arrivals", ("--pipeline", "arrivals"))


def spoil(checkout: Checkout) -> None:
    """Let the first day's file have a row that is refused, and the last day's file hold few rows."""
    first, last = (checkout.home / "ftp" / "flights" / f"flights_{day}.csv" for day in (DAY, LAST))
    if b",soon," not in first.read_bytes():
        first.write_bytes(first.read_bytes().replace(b",517,", b",soon,", 1))
    last.write_bytes(b"".join(last.read_bytes().splitlines(keepends=True)[: 1 + FEW]))


def test_up_without_pipelines_says_how_to_get_one(up: Up) -> None:
    assert "There is no pipeline in include/pipelines; `./daybook init NAME --file SAMPLE`" in up.without_pipelines


def test_up_starts_renamed_pipelines_and_names_the_broken_module(up: Up) -> None:
    assert "include/pipelines/typo.py is broken: line 1: ImportError" in up.with_several


def test_up_names_a_pool_that_is_not_there_with_the_command_that_makes_it(up: Up, several: Checkout) -> None:
    (said,) = [line for line in up.with_several.splitlines() if " has no pool " in line]
    assert said.startswith("supplied: pools.ftp: Airflow has no pool 'supplied_ftp'; there are compute, default_pool, ")
    assert said.endswith("; until then its tasks wait")
    command = said.split("`")[-2]
    done = subprocess.run(["sh", "-c", command], cwd="/", env={"PATH": os.environ["PATH"]}, capture_output=True)
    assert done.returncode == 0, done.stderr
    assert api_of(several).pools()["supplied_ftp"] == 2


def test_a_pipeline_that_is_added_while_up_runs_is_paused_and_has_a_report_tab(up: Up, several: Checkout) -> None:
    api, added = api_of(several), several.folder / "include" / "pipelines" / "added.py"
    is_unknown = "This DAG is no pipeline of Daybook, so there is no report of its runs."
    assert report_tab(several, "added") == (404, is_unknown)
    added.write_text(SUPPLIED.format(name="added", zone="UTC"))
    try:
        api.wait_for_dag("added", seconds=120)
        assert "lets a pipeline run that you add from now on: it is paused at first" in up.with_several
        assert api.is_paused("added")
        status, said = report_tab(several, "added")
        assert (status, said.startswith("This run has not finished a step yet.")) == (200, True)
        code, said, error = several.type("resume", "--pipeline", "added")
        assert (code, said, api.is_paused("added")) == (0, "added goes on.\n", False)
        assert error.startswith("added: pools.ftp: Airflow has no pool 'added_ftp'; ")
    finally:
        added.unlink()


def api_of(checkout: Checkout) -> AirflowApi:
    """Return the API of the deployment that is up."""
    home = Home(checkout.home)
    return AirflowApi(f"http://{HOST}:{home.kept_port('ui')}", "admin", LocalPostgres(home).secrets.admin)


def report_tab(checkout: Checkout, pipeline: str) -> tuple[int, str]:
    """Return the status and the sentence of the Report tab of a run that has done nothing."""
    home = Home(checkout.home)
    with httpx.Client(base_url=f"http://{HOST}:{home.kept_port('ui')}", trust_env=False, timeout=60) as client:
        login = {"username": "viewer", "password": LocalPostgres(home).secrets.viewer}
        token = client.post("/auth/token", json=login).json()["access_token"]
        answer = client.get(f"/daybook/{pipeline}/run_1/run", headers={"Authorization": f"Bearer {token}"})
        return answer.status_code, "".join(re.findall(r"<p>([^<]*)</p>", answer.text))


def test_the_only_pipeline_need_not_be_named(asked: Asked, one: Checkout) -> None:
    assert one.json("status")["missing"] == [DAY, NEXT, THIRD, LAST]
    code, said, error = one.type("day", LAST)
    assert (code, f"{LAST}  published" in said) == (0, True), error
    assert one.json("status")["published"] == [LAST]
    assert one.type("why", LAST)[1].startswith(f"departures {LAST}: readers see run ")
    code, _, error = one.type("release", LAST, "--why", "x")
    assert (code, f"departures {LAST} is not held, " in error) == (40, True)


def test_status_says_what_is_missing(asked: Asked) -> None:
    code, said, _ = asked.type("status")
    assert code == 1
    assert "missing      4      0        0        2013-01-01 to 2013-01-04" in said
    assert "include/pipelines/typo.py is broken" in said
    assert asked.json("status")["pipeline"] == asked.pipeline


def test_day_publishes_a_day_and_tells_its_counts(asked: Asked) -> None:
    code, said, error = asked.type("day", DAY)
    assert code == 0, error
    assert said.splitlines()[-2].split() == ["day", "outcome", "rows", "read", "refused", "dropped", "seconds"]
    assert said.splitlines()[-1].split()[:5] == [DAY, "published", "842", "1", "0"]


def test_plan_and_backfill_say_and_do_the_same(asked: Asked) -> None:
    words = ("--from", DAY, "--to", THIRD)
    planned = asked.json("plan", *words)["planned"]
    assert [(day["day"], day["action"]) for day in planned] == [(THIRD, "run"), (NEXT, "run"), (DAY, "skip")]  # type: ignore[attr-defined]
    done = asked.json("backfill", *words, "--batch", "2")["days"]
    assert [(day["result"], day["is_well"]) for day in done] == [  # type: ignore[attr-defined]
        ("published", True),
        ("published", True),
        ("nothing changed", True),
    ]
    assert asked.type("backfill", *words, "-q")[:2] == (0, "")


def test_why_tells_a_published_day_and_one_that_is_not(asked: Asked) -> None:
    code, said, _ = asked.type("why", NEXT)
    assert (code, f"{asked.pipeline} {NEXT}: readers see run " in said) == (0, True)
    assert asked.type("why", LAST)[0] == 1


def test_trace_takes_a_group_with_a_blank(asked: Asked) -> None:
    code, said, error = asked.type("trace", NEXT, "by_airline", "flights", "airline=United Air Lines Inc.")
    assert code == 0, error
    assert f"{asked.pipeline} {NEXT} by_airline airline=United Air Lines Inc. flights = 170" in said
    assert said.rstrip().endswith("these lines give 170: equal")


def test_refused_rows_are_mended_and_replayed_then_rolled_back(asked: Asked, tmp_path: Path) -> None:
    file = tmp_path / "refused.csv"
    code, _, error = asked.type("refused", DAY, "--out", str(file))
    assert code == 0, error
    (row,) = csv.DictReader(file.read_text("utf-8-sig").splitlines())
    row["mended"] = row["raw"].replace("soon", "517")
    with file.open("w", newline="") as saved:
        csv.DictWriter(saved, list(row)).writeheader()
        csv.DictWriter(saved, list(row)).writerow(row)
    code, said, error = asked.type("replay", DAY, str(file), "--why", "the airline told us")
    assert code == 0, error
    assert "of these new: flights 1" in said
    assert said.splitlines()[-1].split()[1:4] == ["published", "842", "0"]
    code, said, error = asked.type("rollback", DAY, "--why", "it was right")
    assert code == 0, error
    assert f"{asked.pipeline} {DAY}: readers see run " in said
    assert asked.json("status")["rolled_back"] == [DAY]


def test_a_held_day_fails_and_is_released_and_another_day_is_not_held(asked: Asked) -> None:
    code, _, error = asked.type("day", LAST)
    assert code == 1
    assert "in its task summarize" in error
    assert asked.json("status")["held"] == [LAST]
    assert asked.type("plan", "--from", LAST)[0] == 1
    code, _, error = asked.type("release", NEXT, "--why", "x")
    assert code == 40
    assert f"{asked.pipeline} {NEXT} is not held, its last run did not fail; nothing was done" in error
    # Without a terminal a backfill names the day and asks nothing.
    code, said, _ = asked.type("backfill", "--from", LAST, "--to", LAST)
    assert (code, f"release --from {LAST} --to {LAST}" in said) == (1, True)
    words = ("--from", LAST, "--to", LAST, "--release-held", "--why", "a storm closed the airports")
    code, said, error = asked.type("backfill", *words)
    assert code == 0, error
    assert f"{LAST}  " in said
    assert " published " in said
    assert asked.json("status")["held"] == []
    assert "a storm closed the airports" in asked.type("why", LAST)[1]


def test_a_backfill_with_a_value_of_its_own_does_what_its_plan_says(asked: Asked) -> None:
    words = ("--from", NEXT, "--to", NEXT)
    own = (*words, "--set", "plausible.within_pct=90")
    assert actions(asked, *own) == {NEXT: "run"}
    code, said, error = asked.type("backfill", *own)
    assert (code, f"{NEXT}  " in said) == (0, True), error
    # The next plan does not do the day again because the run had a value of its own.
    assert actions(asked, *words) == actions(asked, *own) == {NEXT: "skip"}


def actions(asked: Asked, *words: str) -> dict[str, str]:
    """Return what a plan would do with each day."""
    return {day["day"]: day["action"] for day in asked.checkout.json("plan", *words, *asked.named)["planned"]}


def test_what_is_paused_goes_on_when_it_is_resumed(asked: Asked) -> None:
    assert asked.type("pause")[1].startswith(f"{asked.pipeline} is paused")
    assert asked.json("resume") == {"pipeline": asked.pipeline, "is_paused": False}


def test_cancel_finds_nothing_to_stop(asked: Asked) -> None:
    code, said, error = asked.type("cancel")
    assert code == 0, error
    assert said.startswith("Runs at work, which go on to their end: 0.")
    assert f"{asked.pipeline}: no backfill is left, and no run that `day`, `replay` or `release` asked for; " in said


@pytest.fixture
def api(asked: Asked) -> AirflowApi:
    """The deployment's API."""
    return api_of(asked.checkout)


def test_cancel_takes_back_what_other_commands_asked_for_and_names_it_with_its_days(
    asked: Asked, api: AirflowApi
) -> None:
    asked.type("pause")
    days: tuple[date, ...] = (date.fromisoformat(DAY), date.fromisoformat(NEXT))
    (run,) = start(api, asked.pipeline, [days], time_zone="UTC", is_forced=False, release="a storm")
    code, said, error = asked.type("cancel")
    asked.type("resume")
    assert code == 0, error
    assert f"{run} ({DAY} to {NEXT}; release: a storm): removed, it had not begun" in said
    assert api.dag_runs(asked.pipeline, state=("queued", "running")) == []


@pytest.fixture
def without_the_pool(asked: Asked, api: AirflowApi) -> Iterator[AirflowApi]:
    """The deployment's API, while a pool of every pipeline is not there."""
    api._ask("DELETE", "/pools/ftp")
    yield api
    api.put_pool("ftp", 2, "The FTP server.")


def test_a_pool_that_is_not_there_is_told_before_anything_is_started(
    asked: Asked, without_the_pool: AirflowApi
) -> None:
    before = len(without_the_pool.dag_runs(asked.pipeline))
    for verb in (("day", DAY), ("backfill", "--from", DAY, "--to", NEXT)):
        code, _, error = asked.type(*verb)
        assert code == 40
        assert f"{asked.pipeline}: pools.ftp: Airflow has no pool 'ftp'; there are compute, default_pool, " in error
        made = f". {asked.checkout.home}/env && airflow pools set ftp 2 'for {asked.pipeline}'"
        assert f"mend the spec's `pools`, or make it: `{made}`; nothing was started" in error
        assert "nothing was started" in error
    assert len(without_the_pool.dag_runs(asked.pipeline)) == before


def test_cancel_ends_a_run_that_waits_for_a_pool_that_is_not_there(asked: Asked, without_the_pool: AirflowApi) -> None:
    (run,) = start(without_the_pool, asked.pipeline, [(date.fromisoformat(NEXT),)], time_zone="UTC", is_forced=True)
    waits = {"state": "scheduled", "task_id": "extract_files"}
    assert wait_until(lambda: without_the_pool.count_task_instances(asked.pipeline, run, **waits) == 1, 60)
    code, said, error = asked.type("cancel")
    assert code == 0, error
    assert without_the_pool.dag_runs(asked.pipeline, state=("queued", "running")) == []
    assert f"{run}: failed; it waited for a pool that is not there: 'ftp'" in said


def test_check_takes_a_file_of_the_current_folder(asked: Asked, tmp_path: Path) -> None:
    whole = asked.checkout.home / "ftp" / "flights" / f"flights_{DAY}.csv"
    (tmp_path / "flights.csv").write_bytes(whole.read_bytes())
    code, said, error = asked.checkout.type("check", "flights.csv", "-p", asked.pipeline, cwd=tmp_path)
    assert code == 10, error
    assert said.startswith("flights.csv: 842 rows, 841 accepted, 1 refused")


def test_doctor_finds_all_well_but_the_module_that_does_not_load(asked: Asked) -> None:
    findings = asked.checkout.json("doctor")["findings"]
    wrong = [f"{one['check']}: {one['found']}" for one in findings if one["state"] != "well"]
    broken = [one for one in wrong if one.startswith("pipelines: include/pipelines/typo.py is broken")]
    assert (wrong, len(broken)) == (broken, 1)
    assert {one["check"] for one in findings} >= {"published", "receipts", "servers", "airflow", "pools", "disk"}
    assert asked.checkout.type("doctor")[0] == 1


def test_tidy_asks_airflows_own_command_about_its_history_and_touches_nothing_young(asked: Asked) -> None:
    for words in (["--dry-run"], []):
        said = asked.checkout.json("tidy", *words, "--airflow-days", "7")
        assert (said["removed"], said["airflow"], said["left"]) == ([], {}, [])
    home = Home(asked.checkout.home)
    of_airflow = {"AIRFLOW_HOME": str(home.airflow), DATABASE: metadata_database(LocalPostgres(home))}
    assert clean_history(of_airflow, 0, is_dry=True)["job"] > 0


def test_psql_shows_the_analyst_what_is_published(asked: Asked) -> None:
    code, said, _ = asked.checkout.type("psql", f"select count(*) from {asked.pipeline}.by_day")
    assert (code, said.split()[2]) == (0, "4")
    assert asked.checkout.type("psql", "select nothing from nowhere")[0] == 1


def test_a_backup_is_restored_elsewhere_read_and_cleaned(up: Up, several: Checkout, tmp_path: Path) -> None:
    copy, other = tmp_path / "copy", several.elsewhere(tmp_path / "other")
    assert several.type("backup", str(copy))[0] == 0
    code, said, error = other.type("restore", str(copy))
    assert code == 0, error
    assert "`./daybook up` goes on from there" in said
    status = json.loads(other.type("status", "--json", "-p", "arrivals")[1])
    assert status["published"] == [DAY, NEXT, THIRD, LAST]
    assert other.type("clean")[0] == 0
    assert not other.home.exists()


def test_env_prints_what_another_terminal_reads(asked: Asked) -> None:
    code, said, _ = asked.checkout.type("env")
    assert code == 0
    assert f"export AIRFLOW_HOME={asked.checkout.home / 'airflow'}" in said


def test_the_demo_says_that_its_pipeline_is_not_there(asked: Asked) -> None:
    code, _, error = asked.checkout.type("demo")
    assert code == 40
    assert error.startswith("the demo needs the pipeline 'flights', which is not in include/pipelines")


@pytest.mark.parametrize(
    "words",
    [
        *(["status"], ["plan"], ["backfill"], ["pause"], ["resume"], ["cancel"], ["day", DAY], ["why", DAY]),
        *(["refused", DAY], ["rollback", DAY], ["release", DAY, "--why", "x"], ["replay", DAY, "--withdraw"]),
        ["trace", DAY, "by_day", "flights"],
    ],
    ids=lambda words: words[0],
)
def test_with_two_pipelines_a_missing_name_is_asked_for(several: Checkout, words: list[str], tmp_path: Path) -> None:
    code, said, error = several.elsewhere(tmp_path).type(*words)
    assert (code, said) == (2, "")
    assert error.startswith(
        "which pipeline? add --pipeline with one of arrivals, departures; nothing was done; include"
    )
    assert error.count("\n") == 1
    assert not (tmp_path / "home").exists()


def test_without_a_pipeline_a_verb_says_how_to_get_one(none: Checkout, tmp_path: Path) -> None:
    code, said, error = none.elsewhere(tmp_path).type("status")
    assert (code, said) == (40, "")
    assert error.startswith("there is no pipeline in include/pipelines; `./daybook init NAME --file SAMPLE`")
    assert not (tmp_path / "home").exists()


def test_down_clean_and_backup_import_no_pipeline(several: Checkout, tmp_path: Path) -> None:
    other = several.elsewhere(tmp_path)
    (several.folder / "include/pipelines/boom.py").write_text("raise SystemExit('boom')\n")
    try:
        assert other.type("down") == (0, f"Nothing runs: there is no {tmp_path / 'home'}.\n", "")
        assert other.type("clean")[0] == 0
        assert "boom" not in "".join(map(str, other.type("backup", str(tmp_path / "copy"))))
    finally:
        (several.folder / "include/pipelines/boom.py").unlink()


def test_the_script_makes_the_environment_first_if_it_is_older_than_the_lock(one: Checkout, tmp_path: Path) -> None:
    (tmp_path / "daybook").write_bytes((REPOSITORY / "daybook").read_bytes())
    (tmp_path / "daybook").chmod(0o755)
    (tmp_path / "requirements.lock").touch()
    (tmp_path / "include").symlink_to(one.folder / "include")
    (tmp_path / "config").symlink_to(one.folder / "config")
    made = f"ln -s {(REPOSITORY / '.venv').resolve()} .venv && touch -d @0 requirements.lock && echo made"
    (tmp_path / "Makefile").write_text(f"setup:\n\t@{made}\n")
    fresh = Checkout(tmp_path, tmp_path / "home", tmp_path / "data")
    assert fresh.type("--version", cwd=Path("/")) == (0, "daybook 0.1.0\n", "made\n")
    assert fresh.type("--version", cwd=Path("/")) == (0, "daybook 0.1.0\n", "")
