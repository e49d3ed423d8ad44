"""What Airflow's executor and Kubernetes's own models make of deploy/helm."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from airflow.providers.cncf.kubernetes.pod_generator import PodGenerator
from kubernetes.client import ApiClient, models

from deployment.home import REPOSITORY

HELM = REPOSITORY / "deploy" / "helm"
LOADED = "from airflow.executors.executor_loader import ExecutorLoader as e; print(e.import_default_executor_cls()[0])"


def known(document: Any, kind: str) -> Any:
    """Return what Kubernetes's model of a kind keeps of a document: words that it does not know are lost."""
    client = ApiClient()
    model = client._ApiClient__deserialize(document, getattr(models, kind))
    return client.sanitize_for_serialization(model)


def test_one_setting_selects_the_executor_and_airflow_can_import_it(tmp_path: Path) -> None:
    environment = {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__EXECUTOR": "KubernetesExecutor"}
    environment["PYTHONPATH"] = ":".join(sys.path)
    done = subprocess.run([sys.executable, "-c", LOADED], env=environment, capture_output=True, text=True)
    assert ".KubernetesExecutor'>" in done.stdout, done.stderr


def test_kubernetes_knows_every_word_of_the_pod_of_a_task() -> None:
    pod = yaml.safe_load((HELM / "pod-template.yaml").read_text())
    assert known(pod, "V1Pod") == pod


def test_kubernetes_knows_every_word_of_the_network_policies() -> None:
    policies = list(yaml.safe_load_all((HELM / "network-policies.yaml").read_text()))
    assert len(policies) == 5
    for policy in policies:
        assert known(policy, "V1NetworkPolicy") == policy


def test_the_executor_makes_of_the_template_a_pod_that_runs_one_task() -> None:
    pod = PodGenerator.construct_pod(
        dag_id="flights",
        task_id="load",
        pod_id="flights-load",
        try_number=1,
        kube_image="registry.example.com/daybook@sha256:0",
        date=datetime(2013, 1, 5, tzinfo=UTC),
        args=["python", "-m", "airflow.sdk.execution_time.execute_workload"],
        pod_override_object=None,
        base_worker_pod=PodGenerator.deserialize_model_file(str(HELM / "pod-template.yaml")),
        namespace="daybook",
        scheduler_job_id="1",
        run_id="manual",
    )
    [container] = pod.spec.containers
    assert container.image == "registry.example.com/daybook@sha256:0"
    assert container.args[-1].endswith("execute_workload")
    assert pod.metadata.labels.items() >= {"component": "worker", "release": "daybook", "dag_id": "flights"}.items()
    assert pod.spec.automount_service_account_token is False
    assert container.security_context.read_only_root_filesystem
