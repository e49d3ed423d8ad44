"""The DAG file: the order, the pools, the same at every parse, nothing asked at parse time."""

import json
import shutil
import socket
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from daybook import steps
from daybook.catalog.runbook import runbook
from daybook.ledger.receipt import STEPS
from daybook.pipelines import load_pipelines
from deployment.home import REPOSITORY

PARSE = """
import json, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.serialized_objects import DagSerialization
bag = DagBag(dag_folder=sys.argv[1])
print("PARSED" + json.dumps({"errors": bag.import_errors, "dags": {
    name: DagSerialization.to_dict(dag) for name, dag in sorted(bag.dags.items())}}, default=str))
"""

# As a process of the scheduler, forked after the preload, reads the file for one task of `beside`.
FOR_A_TASK = """
import json, sys
from daybook_airflow.preload import import_modules
import_modules()
known = set(sys.modules)
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk.definitions._internal.dag_parsing_context import _airflow_parsing_context_manager as told
with told(dag_id="beside", task_id="load"):
    bag = DagBag(dag_folder=sys.argv[1] + "/daybook.py")
dags = {name: [dag.doc_md, list(dag.params), dag.task_ids] for name, dag in bag.dags.items()}
print("PARSED" + json.dumps({"dags": dags, "new": sorted(set(sys.modules) - known)}))
"""


def parsed(tmp_path: Path, **more: str) -> dict[str, Any]:
    """Parse the DAG folder in a process of its own, as the DAG processor does, and give what it serializes."""
    found = run(PARSE, tmp_path, **more)
    return {**found, "house": found["dags"].pop("daybook_tidy")}


def run(script: str, tmp_path: Path, **more: str) -> dict[str, Any]:
    """Run a script about the DAG folder in a process of its own, and give what it prints."""
    environment = {
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "PYTHONPATH": f"{REPOSITORY / 'include'}:{REPOSITORY / 'config'}",
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPOSITORY / "plugins"),
        "PATH": str(Path(sys.executable).parent),
        **more,
    }
    command = [sys.executable, "-W", "error::DeprecationWarning:daybook", "-c", script, str(REPOSITORY / "dags")]
    out = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    line = next((line for line in out.stdout.splitlines() if line.startswith("PARSED")), None)
    assert line, out.stderr[-3000:]
    return dict(json.loads(line.removeprefix("PARSED")))


@pytest.fixture(scope="module")
def parse(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """One parse, without any connection or data folder in the environment; `house` is the DAG that keeps house."""
    return parsed(tmp_path_factory.mktemp("airflow"))


def tasks(parse: dict[str, Any], dag: str) -> dict[str, dict[str, Any]]:
    """Return the serialized tasks of a DAG by id."""
    return {task["__var"]["task_id"]: task["__var"] for task in parse["dags"][dag]["dag"]["tasks"]}


def test_every_pipeline_is_a_dag_and_nothing_else_is(parse: dict[str, Any]) -> None:
    assert parse["errors"] == {}
    assert sorted(parse["dags"]) == sorted(load_pipelines().good)


def test_one_more_dag_keeps_house_once_a_day_and_can_be_asked_what_it_would_do(parse: dict[str, Any]) -> None:
    house = parse["house"]["dag"]
    assert [task["__var"]["task_id"] for task in house["tasks"]] == ["keep_house"]
    assert [word for word, _ in house["params"]] == ["dry_run"]
    assert house["catchup"] is False


@pytest.mark.parametrize("name", sorted(load_pipelines().good))
def test_the_nine_steps_follow_each_other(parse: dict[str, Any], name: str) -> None:
    follows = {task: sorted(words.get("downstream_task_ids", [])) for task, words in tasks(parse, name).items()}
    chain = STEPS[2:]
    assert follows == {
        "extract_tables": ["load"],
        "extract_files": ["load"],
        **{step: [after] for step, after in pairwise(chain)},
        "deploy": [],
    }


@pytest.mark.parametrize("name", sorted(load_pipelines().good))
def test_the_form_is_kept_once_and_no_task_has_a_template(parse: dict[str, Any], name: str) -> None:
    assert [word for word, _ in parse["dags"][name]["dag"]["params"]] == ["day", "days", "force", "release"]
    for task in tasks(parse, name).values():
        assert "params" not in task
        assert not task["template_fields"]


@pytest.mark.parametrize("name", sorted(load_pipelines().good))
def test_every_task_is_a_step_with_a_time_limit_and_a_policy(parse: dict[str, Any], name: str) -> None:
    kinds = {step: task["task_type"] for step, task in tasks(parse, name).items()}
    assert kinds == dict.fromkeys(STEPS, "StepTask") | dict.fromkeys(("summarize", "deploy"), "HoldingTask")
    for task in tasks(parse, name).values():
        assert task["execution_timeout"] > 0
        assert task["retries"] >= 1


@pytest.mark.parametrize("name", sorted(load_pipelines().good))
def test_every_pool_that_is_named_exists(parse: dict[str, Any], name: str) -> None:
    # A task in a pool that does not exist waits for ever, and nothing says so.
    pools = json.loads((REPOSITORY / "config" / "pools.json").read_text())
    assert {task["pool"] for task in tasks(parse, name).values()} <= set(pools)


def test_two_parses_serialize_alike(parse: dict[str, Any], tmp_path: Path) -> None:
    again = parsed(tmp_path, PYTHONHASHSEED="7", TZ="Asia/Tokyo")
    assert json.dumps(again, sort_keys=True) == json.dumps(parse, sort_keys=True)


def test_nothing_is_asked_at_parse_time(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        port = server.getsockname()[1]
        uri = {"AIRFLOW_CONN_FTP": f"ftp://a:secret@127.0.0.1:{port}"}
        for connection in ("SOURCE_DB", "WAREHOUSE"):
            uri[f"AIRFLOW_CONN_{connection}"] = f"postgres://a:secret@127.0.0.1:{port}/db"
        assert parsed(tmp_path, DAYBOOK_DATA=f"ftp://127.0.0.1:{port}", **uri)["errors"] == {}
        with pytest.raises(BlockingIOError):
            server.accept()


def test_the_runbook_names_every_step(parse: dict[str, Any]) -> None:
    for dag in parse["dags"].values():
        text = dag["dag"]["doc_md"].replace("`extract_*`", "`extract_tables` `extract_files`")
        assert [step for step in STEPS if f"`{step}`" not in text] == []


def test_a_dag_tells_what_its_pipeline_is_and_each_task_what_it_does(parse: dict[str, Any]) -> None:
    for name, dag in parse["dags"].items():
        assert dag["dag"]["doc_md"].startswith(runbook(load_pipelines().good[name]))
        assert {task: words["doc_md"] for task, words in tasks(parse, name).items()} == {
            step: getattr(steps, step).__doc__ for step in STEPS
        }


def test_a_tasks_process_reads_its_own_dag_alone_and_imports_only_the_pipelines(tmp_path: Path) -> None:
    own = tmp_path / "include" / "pipelines"
    shutil.copytree(REPOSITORY / "include" / "pipelines", own, ignore=shutil.ignore_patterns("__pycache__"))
    text = (own / "flights.py").read_text().replace('schema="flights"', 'schema="beside"')
    (own / "beside.py").write_text(text.replace('name="flights",\n    desc', 'name="beside",\n    desc'))
    found = run(FOR_A_TASK, tmp_path, PYTHONPATH=f"{own.parent}:{REPOSITORY / 'include'}:{REPOSITORY / 'config'}")
    assert list(found["dags"]) == ["beside"]
    page, form, tasks = found["dags"]["beside"]
    assert (page, form, sorted(tasks)) == (None, [], sorted(STEPS))
    new = [name for name in found["new"] if not name.startswith(("pipelines", "unusual_prefix"))]
    assert new == [], "each task would import these anew: name them in daybook_airflow/preload.py"


def test_the_form_names_the_values_that_a_run_may_set_with_their_kinds(tmp_path: Path) -> None:
    own = tmp_path / "include" / "pipelines"
    shutil.copytree(REPOSITORY / "include" / "pipelines", own, ignore=shutil.ignore_patterns("__pycache__"))
    module = own / "flights.py"
    may_override = 'may_override=("plausible.within_pct", "flights.limits.refused_share"),\n    target='
    module.write_text(module.read_text().replace("target=", may_override))
    path = f"{own.parent}:{REPOSITORY / 'include'}:{REPOSITORY / 'config'}"
    params = dict(parsed(tmp_path, PYTHONPATH=path)["dags"]["flights"]["dag"]["params"])
    kinds = {name: params[name]["schema"]["__var"]["type"] for name in list(params)[4:]}
    assert kinds == {
        "plausible.within_pct": ["null", "integer"],
        "flights.limits.refused_share": ["null", "number"],
    }


def test_the_form_asks_for_days_for_force_and_for_a_release(parse: dict[str, Any]) -> None:
    for dag in parse["dags"].values():
        names = [name for name, _ in dag["dag"]["params"]]
        assert names == ["day", "days", "force", "release"]
