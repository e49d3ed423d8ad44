"""What Airflow's own OpenTelemetry tells of a day, by the settings of docs/operating.md: its spans and its metrics."""

from daybook.ledger.receipt import STEPS
from daybook_airflow.waiting import wait_until
from tests.support.otlp import Span

from .conftest import Site


def test_the_nine_tasks_of_a_day_are_spans_of_one_trace_below_the_run(site: Site) -> None:
    # Each process sends its spans every few seconds.
    assert wait_until(lambda: {f"task_run.{step}" for step in STEPS} <= {span.name for span in of_run(site)}, 60)
    assert wait_until(lambda: any(span.name == "dag_run.flights" for span in of_run(site)), 60)
    (run,) = [span for span in of_run(site) if span.name == "dag_run.flights"]
    tasks = {span.name: span for span in of_run(site) if span.name.startswith("task_run.")}
    assert {(span.trace, span.parent) for span in tasks.values()} == {(run.trace, run.number)}
    assert run.parent == ""
    workers = {(span.name, span.parent) for span in of_run(site) if span.name.startswith("worker.")}
    assert workers == {(f"worker.{step}", tasks[f"task_run.{step}"].number) for step in STEPS}
    assert all(0 < span.seconds <= run.seconds for span in tasks.values())


def test_airflows_own_metrics_come_by_the_same_settings(site: Site) -> None:
    assert wait_until(lambda: "airflow.scheduler_heartbeat" in site.otlp.metrics, 90)


def of_run(site: Site) -> list[Span]:
    return [span for span in site.otlp.spans if span.attributes.get("airflow.dag_run.run_id") == site.run_id]
