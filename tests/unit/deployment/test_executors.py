"""The executors that a setting selects, and what docker-compose.celery.yaml gives to workers."""

import re
import subprocess
import sys
from typing import Any

import pytest
import yaml

from daybook_airflow.queues import pool_and_queue
from deployment.environment import shared_settings
from deployment.home import REPOSITORY

HELM = REPOSITORY / "deploy" / "helm"
BASE, OVERLAY = "docker-compose.yaml", "docker-compose.celery.yaml"
# Read from the configuration, as the scheduler does.
LOADED = "from airflow.executors.executor_loader import ExecutorLoader as e; print(e.import_default_executor_cls()[0])"
CONFINED = ("restart", "cap_drop", "security_opt", "pids_limit", "logging", "read_only", "user")
# What another process could use in Airflow's name; see docs/compose.md.
OF_AIRFLOW = {"AIRFLOW", "FERNET_KEY", "JWT_SECRET", "API_SECRET_KEY", "POSTGRES"}
WORKERS = ("worker-1", "worker-2")
RUN_TASKS = {*WORKERS, "worker-1-logs", "worker-2-logs"}


def services(file: str) -> dict[str, dict[str, Any]]:
    """Return the services of a compose file."""
    found: dict[str, dict[str, Any]] = yaml.safe_load((REPOSITORY / file).read_text())["services"]
    return found


def secrets(service: dict[str, Any]) -> set[str]:
    """Return the secrets of `.env` that a service is given."""
    return set(re.findall(r"DAYBOOK_SECRET_(\w+)", yaml.safe_dump(service)))


@pytest.mark.parametrize("executor", ["LocalExecutor", "CeleryExecutor"])
def test_one_setting_selects_the_executor_and_airflow_can_import_it(executor: str, tmp_path: Any) -> None:
    environment = {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__EXECUTOR": executor}
    done = subprocess.run([sys.executable, "-c", LOADED], env=environment, capture_output=True, text=True)
    assert f".{executor}'>" in done.stdout, done.stderr


def test_workers_are_confined_as_all_others_are() -> None:
    known, own = services(BASE), services(OVERLAY)
    for name in RUN_TASKS:
        assert {word: own[name][word] for word in CONFINED} == {word: known["ftp"][word] for word in CONFINED}
        assert own[name]["image"] == known["ftp"]["image"]
    of_redis = [word for word in CONFINED if word != "user"]
    assert {word: own["redis"][word] for word in of_redis} == {word: known["ftp"][word] for word in of_redis}
    assert all("mem_limit" in own[name] and "ports" not in own[name] for name in {*RUN_TASKS, "redis"})


def test_a_worker_knows_what_tasks_need_and_no_secret_of_airflow() -> None:
    given = {name: secrets(service) for name, service in services(OVERLAY).items()}
    of_tasks = {"REDIS", "SOURCE_READER", "WAREHOUSE_OWNER", "FTP"}
    assert given["worker-1"] == given["worker-2"] == of_tasks
    assert not given["worker-1"] & OF_AIRFLOW
    assert given["worker-1-logs"] == given["worker-2-logs"] == {"API_SECRET_KEY"}


def test_a_worker_has_the_connections_and_the_alerts_that_the_scheduler_has_without_workers() -> None:
    alone, worker = (services(file)[name]["environment"] for file, name in ((BASE, "scheduler"), (OVERLAY, "worker-1")))
    shared = yaml.safe_load((REPOSITORY / BASE).read_text())["x-airflow"]["environment"] | alone
    of_tasks = {name: value for name, value in shared.items() if name.startswith(("AIRFLOW_CONN", "DAYBOOK_"))}
    assert len(of_tasks) > 10
    assert of_tasks == {name: worker.get(name) for name in of_tasks}
    beside_workers = services(OVERLAY)["scheduler"]["environment"]
    assert {name for name, value in beside_workers.items() if value == ""} == {
        "AIRFLOW_CONN_SOURCE_DB",
        "AIRFLOW_CONN_WAREHOUSE",
        "AIRFLOW_CONN_FTP",
    }


def test_no_message_comes_again_while_a_task_may_still_run() -> None:
    limits = re.findall(r"timedelta\((\w+)=(\d+)\)}", (REPOSITORY / "include/daybook_airflow/schedule.py").read_text())
    longest = max(int(number) * {"hours": 3600, "minutes": 60}[unit] for unit, number in limits)
    given = services(OVERLAY)["worker-1"]["environment"]["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"]
    # Several messages wait in a worker's hands while its processes are busy.
    assert int(given) > 10 * longest


@pytest.mark.parametrize(
    ("queues", "pool", "queue"),
    [
        ("", "ftp", None),
        ("ftp", "ftp", "ftp"),
        ("source_db, ftp", "ftp", "ftp"),
        ("source_db,ftp", "compute", None),
        ("supplier_ftp", "ftp", None),
    ],
)
def test_a_pool_has_a_queue_of_its_own_if_it_is_named(queues: str, pool: str, queue: str | None) -> None:
    words = pool_and_queue(pool, {"DAYBOOK_QUEUES": queues})
    assert (words["pool"], words.get("queue")) == (pool, queue)


def named(entries: list[dict[str, Any]]) -> dict[str, str]:
    """Return the variables of a container that have a value."""
    return {one["name"]: one["value"] for one in entries if "value" in one}


def test_kubernetes_has_the_settings_that_the_other_deployments_share() -> None:
    executor = "AIRFLOW__CORE__EXECUTOR"
    shared = {name: value for name, value in shared_settings().items() if name != executor}
    values = yaml.safe_load((HELM / "values.yaml").read_text())
    given = named(values["env"])
    assert {name: value for name, value in given.items() if name.startswith("AIRFLOW__")} == shared
    [container] = yaml.safe_load((HELM / "pod-template.yaml").read_text())["spec"]["containers"]
    of_pod = named(container["env"])
    assert {name: of_pod[name] for name in of_pod.keys() & given.keys()}.items() <= given.items()
    assert {"DAYBOOK_DATA", "DAYBOOK_OUTBOX"} <= of_pod.keys() & given.keys()


def test_a_pod_of_a_task_knows_no_secret_of_airflow_and_may_do_no_more_than_it_needs() -> None:
    pod = yaml.safe_load((HELM / "pod-template.yaml").read_text())["spec"]
    [container] = pod["containers"]
    names = {one["name"] for one in container["env"]}
    assert not [name for name in names if re.search(r"SQL_ALCHEMY|SECRET|FERNET|JWT", name)]
    assert [one["secretRef"]["name"] for one in container["envFrom"]] == ["daybook-connections"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    assert pod["automountServiceAccountToken"] is False


def test_a_pod_of_a_task_may_not_reach_the_database_of_airflow() -> None:
    policies = {one["metadata"]["name"]: one["spec"] for one in yaml.safe_load_all(policies_text())}
    assert policies["daybook-nothing-goes-out"] == {
        "podSelector": {"matchLabels": {"release": "daybook"}},
        "policyTypes": ["Egress"],
        "egress": [],
    }
    [database] = [rule for rule in policies["daybook-airflow"]["egress"] if rule["ports"][0]["port"] == 5432]
    of_tasks = [place for rule in policies["daybook-tasks"]["egress"] for place in rule["to"]]
    assert len(of_tasks) == 3
    assert not [place for place in database["to"] if place in of_tasks]
    assert "worker" not in policies["daybook-airflow"]["podSelector"]["matchExpressions"][0]["values"]


def policies_text() -> str:
    """Return the network policies as they are written."""
    return (HELM / "network-policies.yaml").read_text()
