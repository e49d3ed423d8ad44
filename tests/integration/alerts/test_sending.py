"""From what Airflow's listener notices to mails and a webhook's bodies, over real servers of both."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from commands.unsent_alerts import in_words, unsent_alerts
from daybook.alerts.outbox import Outbox
from daybook.errors import BadData, Implausible, SourceUnavailable
from daybook_airflow.alerts import listener
from daybook_airflow.alerts.sender import alone, work_off
from daybook_airflow.asked_runs import PREFIX
from tests.support.receivers import Receivers, receivers

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TO = {"DAYBOOK_ALERTS_TO": "ops@example.com,night@example.com"}


@pytest.fixture
def outbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Outbox:
    """An outbox of a deployment that tells by mail and a webhook; no sender is started by itself."""
    monkeypatch.setenv("DAYBOOK_DATA", f"file://{tmp_path}")
    monkeypatch.setenv("AIRFLOW__API__BASE_URL", "http://127.0.0.1:8080")
    for name, value in TO.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(listener, "SENDER", "this")
    return Outbox(tmp_path / "alerts")


@pytest.fixture
def received(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receivers]:
    """A mail server and a web server, named by connections."""
    found = receivers()
    for name, value in found.connections().items():
        monkeypatch.setenv(name, value)
    with found.mail_server(), found.web_server():
        yield found


def run_of(day: int, **words: Any) -> Any:
    """Return a run of Airflow, as its listener gets it."""
    end = NOW + timedelta(days=day)
    named = {
        "dag_id": "flights",
        "run_id": f"manual__{day}",
        "run_type": "manual",
        "conf": {"day": f"2013-01-{day:02}"},
    }
    dates = {"end_date": end, "data_interval_start": None, "logical_date": None, "run_after": end}
    return SimpleNamespace(**{**named, **dates, **words})


def fail(run: Any, error: object, task_id: str = "load") -> None:
    """Have a task fail, and its run."""
    task = SimpleNamespace(dag_id=run.dag_id, run_id=run.run_id, task_id=task_id, try_number=1, log_url="http://a/log")
    listener.on_task_instance_failed(None, task, error)
    listener.on_dag_run_failed(run, "task_failure")


def test_a_failed_run_is_one_mail_with_the_error_its_mend_the_command_and_links(
    outbox: Outbox, received: Receivers
) -> None:
    run = run_of(5)
    fail(run, BadData("flights_2013-01-05.csv, line 17: 'foo' is not an integer"))
    # The DAG's own callback finds the same.
    listener.tell_failed({"dag_run": run, "reason": "task_failure"})
    assert not work_off(outbox, NOW)
    (mail,) = received.mails
    assert received.recipients == ["ops@example.com", "night@example.com"]
    assert mail["Subject"] == "[daybook] flights 2013-01-05: load failed"
    plain, html = (part.get_content() for part in mail.iter_parts())
    assert plain.splitlines() == [
        "flights, 2013-01-05: the step load failed",
        "BadData: flights_2013-01-05.csv, line 17: 'foo' is not an integer",
        "To mend: have the source mended, then run the day again; the same bytes will fail again",
        "Again: ./daybook day 2013-01-05 --pipeline flights",
        "Run: http://127.0.0.1:8080/dags/flights/runs/manual__5",
        "Day: http://127.0.0.1:8080/daybook/flights/day/2013-01-05",
        "Log: http://a/log",
        "",
    ]
    assert "&#x27;foo&#x27; is not an integer" in html
    assert not work_off(outbox, NOW)
    assert len(received.mails) == 1


def test_a_held_day_is_told_when_it_waits_and_again_when_it_is_published(outbox: Outbox, received: Receivers) -> None:
    why = "flights 2013-01-05: 100 rows, within 50 % of 900 expected; the day is held"
    listener.tell_held("flights", "manual__5", ["2013-01-05"], why)
    listener.tell_held("flights", "manual__5", ["2013-01-05"], why)
    assert not work_off(outbox, NOW)
    (mail,) = received.mails
    assert mail["Subject"] == "[daybook] flights 2013-01-05: held: it waits for a decision"
    said = next(mail.iter_parts()).get_content()
    assert why in said
    assert 'Again: ./daybook release 2013-01-05 --pipeline flights --why "REASON"' in said
    assert "Run: http://127.0.0.1:8080/dags/flights/runs/manual__5" in said
    listener.on_dag_run_success(run_of(5), "success")
    work_off(outbox, NOW + timedelta(minutes=1))
    work_off(outbox, NOW + timedelta(minutes=20))
    assert [mail["Subject"] for mail in received.mails[1:]] == ["[daybook] flights 2013-01-05: recovered"]


def test_a_backfill_is_told_once_then_its_number_and_then_that_it_went_well(
    outbox: Outbox, received: Receivers
) -> None:
    begin = f"{PREFIX}2026-03-01T12-00-00.0__"
    runs = [run_of(day, run_id=f"{begin}2013-01-{day:02}") for day in range(1, 10)]
    for number, run in enumerate(runs):
        fail(run, BadData(f"line {number}: no") if number % 2 else Implausible(f"{number} rows; expected 900"))
    assert work_off(outbox, NOW)
    assert not work_off(outbox, NOW + timedelta(minutes=16))
    first, rest = received.mails
    assert first["Subject"] == "[daybook] flights 2013-01-01: load failed"
    assert rest["Subject"] == "[daybook] flights 2013-01-02 to 2013-01-09: 8 more: failed"
    said = next(rest.iter_parts()).get_content()
    assert "flights, 2013-01-02, 2013-01-04, 2013-01-06, 2013-01-08: the step load failed, 4 times" in said
    assert '"REASON"' in said
    for run in (*runs, run_of(20)):
        listener.on_dag_run_success(run, "success")
    work_off(outbox, NOW + timedelta(minutes=17))
    work_off(outbox, NOW + timedelta(minutes=40))
    assert [mail["Subject"] for mail in received.mails[2:]] == [
        "[daybook] flights 2013-01-01: recovered",
        "[daybook] flights 2013-01-02 to 2013-01-09: 8 more: recovered",
    ]


def test_a_mail_server_that_is_down_loses_nothing_and_what_went_is_not_sent_again(
    outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = receivers()
    for name, value in found.connections().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DAYBOOK_ALERTS_WEBHOOK", "hook")
    monkeypatch.setenv("DAYBOOK_ALERTS_SLACK", "hook")
    fail(run_of(5), BadData("no"))
    found.refuses += [503]
    with found.web_server():
        assert work_off(outbox, NOW)
        assert len(found.bodies) == 1
        (refused,) = [words for _, words in outbox.unsent() if words["place"]["kind"] != "mail"]
        assert refused["error"] == "the webhook of the connection 'hook' answers 503"
        # Not at each look of a sender, which would knock without end.
        assert work_off(outbox, NOW + timedelta(seconds=1), is_patient=True)
        assert len(found.bodies) == 1
        assert work_off(outbox, NOW + timedelta(seconds=6), is_patient=True)
        assert len(found.bodies) == 2
    ((_, unsent),) = outbox.unsent()
    assert (unsent["place"]["kind"], unsent["tries"]) == ("mail", 2)
    assert "Connection refused" in unsent["error"]
    assert "canary" not in json.dumps(unsent)
    said, counted = in_words(unsent_alerts())
    assert said.startswith("[daybook] flights 2013-01-05: load failed: not sent by mail, 2 tries: the mail server: ")
    assert counted.startswith("1 alert not sent; ")
    with found.mail_server():
        assert not work_off(outbox, NOW + timedelta(hours=1))
    assert len(found.mails) == 1
    assert {path for path, _ in found.bodies} == {"/hook/T000/canary"}
    kinds = sorted("mrkdwn" in body for _, body in found.bodies)
    assert kinds == [False, True]


def test_a_listener_writes_while_a_sender_hangs_and_the_senders_process_sends_it(
    outbox: Outbox, received: Receivers
) -> None:
    with alone(outbox) as is_alone:
        assert is_alone
        fail(run_of(5), BadData("no"))
        # One at a time: this one leaves all to the other.
        subprocess.run([sys.executable, "-m", "daybook_airflow.alerts.sender"], check=True, timeout=60)
        assert received.mails == []
    subprocess.run([sys.executable, "-m", "daybook_airflow.alerts.sender"], check=True, timeout=60)
    assert len(received.mails) == 1
    assert list(outbox.events()) == []


def test_a_pipeline_tells_its_own_places_and_after_its_last_try_how_to_go_on(
    outbox: Outbox, received: Receivers, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = "from pipelines.flights import PIPELINE as FLIGHTS\nfrom daybook.spec import Alerts\n"
    words = '"alerts": Alerts(webhook="hook"), "max_failed_runs": 2, "owner": "finance@example.com"'
    package = tmp_path / "modules" / "pipelines"
    package.mkdir(parents=True)
    flights = Path("include/pipelines/flights.py").read_text()
    (package / "__init__.py").write_text("")
    (package / "_flights.py").write_text(flights)
    module = module.replace("pipelines.flights", "pipelines._flights")
    (package / "own.py").write_text(f"{module}PIPELINE = FLIGHTS.model_copy(update={{{words}}})\n")
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path / 'modules'}:include:config")
    for day in (5, 6):
        fail(run_of(day), BadData(f"another cause {'x' * day}"), task_id="extract_files")
    subprocess.run([sys.executable, "-m", "daybook_airflow.alerts.sender"], check=True, timeout=60)
    assert received.mails == []
    first, second = (body for _, body in received.bodies)
    assert first["alerts"][0]["notes"] == []
    (said,) = second["alerts"][0]["notes"]
    assert said.startswith("2 runs have failed in a row, and with max_failed_runs=2 Airflow has paused the DAG")
    assert "`./daybook resume --pipeline flights`" in said


def test_a_killed_task_a_file_that_cannot_be_loaded_and_an_event_that_makes_no_sense_are_told(
    outbox: Outbox, received: Receivers
) -> None:
    fail(run_of(5), "Task did not emit heartbeat within time limit (300 seconds)", task_id="save")
    trace = 'Traceback (most recent call last):\n  File "x.py", line 1, in <module>\nBadSpec: a.py: word\nb.py: other\n'
    listener.on_new_dag_import_error("/opt/dags/x\r\n.py", trace)
    outbox.note({"kind": "?"})
    fail(run_of(6, dag_id="not_ours"), BadData("not ours"))
    with ExitStack() as stack:
        assert stack.enter_context(alone(outbox))
        work_off(outbox, NOW)
    subjects = [mail["Subject"] for mail in received.mails]
    assert "[daybook] flights 2013-01-05: save failed" in subjects
    assert "[daybook] x\\r\\n.py: cannot be loaded" in subjects
    assert len(subjects) == 3
    said = "".join(next(mail.iter_parts()).get_content() for mail in received.mails)
    assert "Killed: Task did not emit heartbeat" in said
    assert "BadSpec: a.py: word\r\nb.py: other" in said.replace("\n", "\r\n").replace("\r\r", "\r")
    assert "not ours" not in said


def test_an_error_that_is_not_ours_may_hold_a_row_and_is_not_repeated(outbox: Outbox, received: Receivers) -> None:
    fail(run_of(5), ValueError("the row of Anna Canary"))
    work_off(outbox, NOW)
    assert "Canary" not in received.mails[0].as_string()
    assert "ValueError: see the log of the task" in received.mails[0].as_string()


def test_a_failed_run_of_the_dag_that_keeps_house_is_told_and_that_it_goes_well_again(
    outbox: Outbox, received: Receivers
) -> None:
    run = run_of(5, dag_id="daybook_tidy", run_id="scheduled__5", conf={})
    fail(run, SourceUnavailable("the warehouse of orders cannot be reached"), "keep_house")
    assert not work_off(outbox, NOW)
    (mail,) = received.mails
    assert mail["Subject"] == "[daybook] daybook_tidy: keep_house failed"
    said = next(mail.iter_parts()).get_content()
    assert "SourceUnavailable: the warehouse of orders cannot be reached" in said
    assert "Run: http://127.0.0.1:8080/dags/daybook_tidy/runs/scheduled__5" in said
    listener.on_dag_run_success(run_of(6, dag_id="daybook_tidy", run_id="scheduled__6", conf={}), "success")
    listener.on_dag_run_success(run_of(7, dag_id="daybook_tidy", run_id="scheduled__7", conf={}), "success")
    assert not work_off(outbox, NOW + timedelta(minutes=20))
    assert [mail["Subject"] for mail in received.mails[1:]] == ["[daybook] daybook_tidy: recovered"]
