"""A message in words, and texts that mean harm in each of its forms."""

import json
import re
import tempfile
from datetime import UTC, datetime
from email import message_from_bytes, policy
from html import unescape
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commands.unsent_alerts import in_words, unsent_alerts
from daybook.alerts import message
from daybook.alerts.alert import Alert
from daybook.alerts.outbox import Outbox, outbox_folder
from daybook.alerts.places import places
from daybook.errors import BadData, BadSpec
from daybook.pipelines import load_pipelines
from daybook.spec import Alerts
from daybook_airflow.alerts import listener
from daybook_airflow.alerts.described import alerts_of, bare
from daybook_airflow.alerts.post import mail

FLIGHTS = load_pipelines().good["flights"]
ERROR = "BadData: flights_2013-01-05.csv, line 17, column 'dep_time': 'foo' is not an integer"
HARMFUL = (
    *("a\r\nBcc: all@example.com", "a\n\n<script>alert(1)</script>", "\x1b[31mred\x1b]0;title\x07", "a\x00b\x85c"),
    *("<!channel> <@U1> <https://evil.invalid|good>", "\u202egpj.exe", "\ud800", "=?utf-8?q?=0d=0aBcc:_x?=", "&lt;"),
    *(
        '"><img src=x onerror=alert(1)>',
        "Run: https://evil.invalid",
        "a\u2028b\u2029c",
        "\n.\nMAIL FROM:<x>",
        "x" * 5000,
    ),
)


def alert(text: str = ERROR, day: int = 5, step: str = "load") -> Alert:
    """Return an alert whose texts are all from outside."""
    plain = {"step": step, "mend": "have the source mended", "again": "./daybook day 2013-01-05"}
    links = {"run": "https://airflow.example/dags/flights/runs/a%20b", "log": "https://airflow.example/log"}
    on = (f"2013-01-{day:02}",)
    words = Alert("failed", "flights", "2013-01-06T05:00:00+00:00", "i", "g", (), on, error=text, links=links).words()
    return Alert.of({**words, **plain})


def test_a_message_says_where_what_and_what_to_do() -> None:
    assert message.subject([alert()], is_more=False) == "[daybook] flights 2013-01-05: load failed"
    assert message.lines([alert()], is_more=False) == [
        "flights, 2013-01-05: the step load failed",
        ERROR,
        "To mend: have the source mended",
        "Again: ./daybook day 2013-01-05",
        "Run: https://airflow.example/dags/flights/runs/a%20b",
        "Log: https://airflow.example/log",
        "",
    ]


def test_gathered_alerts_are_counted_by_cause_with_their_days() -> None:
    alerts = [*(alert(f"line {day}: no integer", day) for day in (6, 7, 9)), alert("no server", 8, step="save")]
    assert message.subject(alerts, is_more=True) == "[daybook] flights 2013-01-06 to 2013-01-09: 4 more: failed"
    said = message.lines(alerts, is_more=True)
    assert said[0] == "4 alerts followed the one that was told before: 2013-01-06 to 2013-01-09"
    assert "flights, 2013-01-06 to 2013-01-07, 2013-01-09: the step load failed, 3 times" in said
    assert "flights, 2013-01-08: the step save failed" in said


@pytest.mark.parametrize("number", range(len(HARMFUL)))
def test_G17_a_text_from_outside_stays_text_in_every_form(number: int) -> None:
    text = HARMFUL[number]
    # As a run's id, a reason or a message in every place at once.
    alerts = [Alert(**{**alert(text).words(), "subject": text, "step": text, "run": text, "notes": (text,)})]
    check_is_text(alerts)


@given(text=st.one_of(st.sampled_from(HARMFUL), st.text(st.characters(exclude_categories=()))), which=st.booleans())
@settings(max_examples=60, deadline=None)
def test_any_text_that_airflow_hands_over_stays_text_from_the_outbox_on(text: str, which: bool) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        patched.setenv("DAYBOOK_DATA", folder)
        patched.setattr(listener, "start_sender", lambda: None)
        if which:
            listener.on_new_dag_import_error(f"/dags/{text}", f"Traceback:\n  File\n{text}")
        else:
            fail(text)
        outbox = Outbox(outbox_folder())
        ((_, event),) = outbox.events()
        found = [*alerts_of(event, outbox, load_pipelines()), bare(event)]
        check_is_text(found)
        for one in found:
            place = {"kind": "mail", "to": [text]}
            outbox.put(
                "one",
                {"name": "n", "place": place, "is_more": False, "alerts": [one.words()], "error": text, "tries": 1},
            )
            assert all(line.isprintable() for line in in_words(unsent_alerts()))


def fail(text: str) -> None:
    """Have a task and its run fail with a text from outside wherever one can be."""
    end = datetime(2026, 1, 1, tzinfo=UTC)
    # Airflow's database takes no half of a sign for a name.
    name = text.encode("utf-8", "replace").decode()
    words = {"dag_id": "flights", "run_id": name, "run_type": text, "conf": {"day": "2013-01-05"}, "end_date": end}
    run = SimpleNamespace(**words, data_interval_start=None, logical_date=None, run_after=end)
    task = SimpleNamespace(dag_id="flights", run_id=name, task_id=name, try_number=1, log_url=f"http://a/{text}")
    listener.on_task_instance_failed(None, task, BadData(text))
    listener.on_dag_run_failed(run, text)


def check_is_text(alerts: list[Alert]) -> None:
    """Check that no text of alerts begins a header, a tag, a mention, a link or a terminal's command."""
    links = {address for one in alerts for address in one.links.values()}
    written = mail(("ops@example.com",), "daybook@example.com", alerts, is_more=False, name="n").as_bytes()
    read = message_from_bytes(written, policy=policy.default)
    assert set(read.keys()) == {
        *("Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type")
    }
    # A long word moves the subject to a line of its own; that fold's blank is none of it (RFC 5322, 2.2.3).
    assert read["Subject"].lstrip().startswith("[daybook] ")
    plain, html = (part.get_content() for part in read.iter_parts())
    lines = plain.splitlines()
    assert all(line.isprintable() and len(line) <= message.LINE_LENGTH for line in lines)
    assert len(lines) == len(message.lines(alerts, is_more=False))
    assert set(re.findall(r"<(/?\w+)", html)) <= {"html", "/html", "body", "/body", "br", "a", "/a"}
    assert {unescape(address) for address in re.findall(r'href="([^"]*)"', html)} <= links
    said = message.slack(alerts, is_more=False)
    assert not re.search(r"[<>]|&(?!(amp|lt|gt);)", said["text"])
    assert said["mrkdwn"] is False
    assert json.dumps(message.payload(alerts, is_more=False)["alerts"], ensure_ascii=False).isprintable()


def test_the_places_are_the_pipelines_then_its_owners_then_the_deployments() -> None:
    of_all = {"DAYBOOK_ALERTS_TO": "ops@example.com, night@example.com", "DAYBOOK_ALERTS_SLACK": "slack"}
    of_owner = {**of_all, "DAYBOOK_ALERTS_OWNERS": '{"finance": {"to": ["finance@example.com"]}}'}
    finance = FLIGHTS.model_copy(update={"owner": "finance"})
    own = finance.model_copy(update={"alerts": Alerts(webhook="pager")})
    address = FLIGHTS.model_copy(update={"owner": "anna@example.com"})
    assert places(own, of_owner) == Alerts(webhook="pager")
    assert places(finance, of_owner) == Alerts(to=("finance@example.com",))
    assert places(address, of_owner) == Alerts(to=("anna@example.com",))
    assert places(finance, of_all) == places(None, of_owner)
    assert places(None, of_owner) == Alerts(to=("ops@example.com", "night@example.com"), slack="slack")
    assert places(finance, {}) is None


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"DAYBOOK_ALERTS_TO": "ops"}, "'ops' is no address of mail"),
        ({"DAYBOOK_ALERTS_OWNERS": "finance"}, 'it takes JSON such as {"finance"'),
        ({"DAYBOOK_ALERTS_OWNERS": '{"finance": {"too": []}}'}, "did you mean 'to'?"),
    ],
    ids=["address", "JSON", "word"],
)
def test_a_bad_variable_is_named_with_its_mend(variables: dict[str, str], said: str) -> None:
    with pytest.raises(BadSpec, match="DAYBOOK_ALERTS_") as refused:
        places(FLIGHTS.model_copy(update={"owner": "finance"}), variables)
    assert said in str(refused.value)
