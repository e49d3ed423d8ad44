"""The page of a day in each of its states, parsed as a browser does."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from daybook.ledger.decisions import Rollback
from daybook.ledger.exports import Owed, Sent
from daybook.ledger.known_day import KnownDay
from daybook.ledger.queries import Decided
from daybook.ledger.receipt import Fingerprint, Lines, Origin, Output, Receipt, Rows
from daybook.pages.trouble import Noticed
from daybook.pipelines import load_pipelines
from daybook.spec import Pipeline
from tests.support.days import BEGAN, a_publication, a_run, shown
from tests.support.files import CANARY, DAY, data_folder, leave_canary, leave_receipt, leave_wait, publish
from tests.support.html_page import Element

FLIGHTS = load_pipelines().good["flights"]
LINE = "flights_2013-01-05.csv, line 17, column 'dep_time': 'foo' is not an integer"


def kinds(page: Element) -> list[str]:
    """Return what is wrong, in the order of the page."""
    return [one.attributes["id"] for one in page.all("section", class_="trouble")]


def first(page: Element) -> Element:
    """Return what the page says first after its title and its links to other days."""
    body = page.one("body")
    return next(one for one in body.inside if isinstance(one, Element) and one.tag not in ("h1", "nav"))


def test_a_failed_day_says_first_the_step_the_error_its_mend_and_the_command(tmp_path: Path) -> None:
    failed = a_run(load=("failed", "BadData", LINE), extract_files="done")
    page = shown(tmp_path, KnownDay(runs=(failed,), run="run_1"))
    trouble = first(page)
    assert (trouble.attributes["id"], trouble.attributes["role"]) == ("failed", "alert")
    assert trouble.one("h2").text == "load failed"
    assert trouble.one(class_="error").text == f"BadData: {LINE}"
    assert trouble.one(class_="mend").text.startswith("To mend: have the source mended")
    assert trouble.one("code").text == "./daybook day 2013-01-05 --pipeline flights"
    assert [link.attributes["href"] for link in trouble.all("a")] == [
        "../run_1/run?day=2013-01-05",
        "../../../dags/flights/runs/run_1/tasks/load",
    ]
    assert "Readers see nothing of this day." in trouble.text


def test_a_day_that_failed_again_says_what_readers_see_meanwhile_and_gives_the_account_of_that(tmp_path: Path) -> None:
    rows = {"flights": Rows(read=842, kept=842)}
    leave_receipt(tmp_path, "run_1", "load", rows=rows)
    failed = a_run("run_2", minutes=5, load=("failed", "BadData", LINE))
    known = KnownDay(
        runs=(failed, a_run(outcome="published", deploy="done")), published=(a_publication(7),), run="run_1"
    )
    page = shown(tmp_path, known)
    assert kinds(page) == ["failed"]
    assert "Meanwhile readers see run 7" in first(page).text
    assert page.one(id="readers").text.startswith("Published Readers see run 7, published at 2013-01-06 11:00 UTC")
    assert page.one(class_="flow").rows()[0][2] == "842"
    assert [row[4] for row in page.one(id="runs").rows()] == ["failed in load", "readers see it"]


def test_a_held_day_shows_its_numbers_beside_the_days_before_and_how_to_release_it(tmp_path: Path) -> None:
    why = "flights 2013-01-05: 12 rows, expected 500 to 1,200; the day is held"
    leave_receipt(tmp_path, "run_1", "aggregate", totals={"row_count": Decimal(12), "flights": Decimal(12)})
    before = {date(2013, 1, 4): {"row_count": Decimal(915), "flights": Decimal(915)}}
    known = KnownDay(runs=(a_run(save=("failed", "Implausible", why)),), run="run_1", days_before=before)
    trouble = first(shown(tmp_path, known))
    assert (trouble.attributes["id"], trouble.one("h2").text) == ("held", "save holds the day")
    assert why in trouble.one(class_="error").text
    assert trouble.one("table").rows() == [["2013-01-04 Fri", "915", "915"], ["2013-01-05 Sat", "12", "12"]]
    assert trouble.one("code").text == './daybook release 2013-01-05 --pipeline flights --why "REASON"'


def test_a_day_that_waits_says_for_which_file_since_when_and_until_when(tmp_path: Path) -> None:
    leave_wait(tmp_path, "run_1")
    known = KnownDay(runs=(a_run(extract_files=("waiting", "NotYet", "the ledger's words")),), run="run_1")
    trouble = first(shown(tmp_path, known))
    assert trouble.attributes["id"] == "waiting"
    assert "waits for flights since 2013-01-06 06:00:00, until 2013-01-06 12:00:00" in trouble.text
    assert "the ledger's words" not in trouble.text


def test_a_wait_whose_note_is_lost_is_told_as_the_ledger_knows_it(tmp_path: Path) -> None:
    known = KnownDay(runs=(a_run(extract_files=("waiting", "NotYet", "no file yet")),), run="run_1")
    assert "extract_files waits: no file yet." in first(shown(tmp_path, known)).text


@pytest.mark.parametrize(("is_at_work", "kind"), [(True, "running"), (False, "unfinished")])
def test_a_day_at_work_is_told_from_one_whose_work_stopped(tmp_path: Path, is_at_work: bool, kind: str) -> None:
    leave_receipt(tmp_path, "run_1", "extract_tables")
    known = KnownDay(runs=(a_run(extract_tables="done"),), run="run_1", is_at_work=is_at_work)
    page = shown(tmp_path, known)
    assert kinds(page) == [kind]
    assert "next is extract_files." in first(page).text
    assert "its log says" not in page.text


def test_a_killed_task_that_the_ledger_does_not_know_is_told_as_airflow_noticed_it(tmp_path: Path) -> None:
    leave_receipt(tmp_path, "run_1", "extract_tables")
    noticed = {"run_1": Noticed("clean", ("Killed",), "the process ended with -9")}
    known = KnownDay(runs=(a_run(extract_tables="done"),), run="run_1")
    trouble = first(shown(tmp_path, known, noticed=noticed))
    assert (trouble.attributes["id"], trouble.one("h2").text) == ("failed", "clean failed")
    assert "lack of memory" in trouble.one(class_="mend").text


def test_an_error_whose_text_may_quote_a_row_is_named_with_the_way_to_its_log(tmp_path: Path) -> None:
    known = KnownDay(runs=(a_run(clean=("failed", "KeyError", "see the log of the task")),), run="run_1")
    trouble = first(shown(tmp_path, known))
    assert trouble.one(class_="error").text.startswith("KeyError: an error that is not Daybook's")
    assert trouble.all("a")[1].attributes["href"].endswith("/runs/run_1/tasks/clean")


def due(now_after: timedelta) -> Pipeline:
    """Return `flights` with a day that is over, and due so long ago."""
    at = datetime.now(UTC) - now_after
    schedule = FLIGHTS.schedule.model_copy(
        update={"time_zone": "UTC", "cron": "0 0 * * *", "due": at.time(), "start": date(2013, 1, 1), "end": None}
    )
    return FLIGHTS.model_copy(update={"schedule": schedule})


@pytest.mark.parametrize(("words", "found"), [({}, ["late", "not_begun"]), ({"published": (a_publication(7),)}, [])])
def test_a_day_is_late_if_its_time_has_come_and_nothing_is_published(
    tmp_path: Path, words: dict[str, Any], found: list[str]
) -> None:
    page = shown(tmp_path, KnownDay(**words), pipeline=due(timedelta(minutes=1)), day=DAY)
    assert kinds(page) == found
    if found:
        assert "not published, and it was due at" in first(page).one(class_="error").text
        assert first(page).one("code").text == "./daybook day 2013-01-05 --pipeline flights"


def test_a_day_that_no_run_has_begun_is_missing_and_one_outside_of_the_schedule_not_due(tmp_path: Path) -> None:
    missing, not_due = (first(shown(tmp_path, KnownDay(), day=day)) for day in (DAY, date(2012, 12, 31)))
    assert (missing.one("h2").text, missing.one("code").text) == (
        "Missing",
        "./daybook day 2013-01-05 --pipeline flights",
    )
    assert not_due.one("h2").text == "Not due"
    assert "is before the schedule's first day" in not_due.text


@pytest.mark.parametrize("day", [date.min, date.max])
def test_the_first_and_the_last_day_that_can_be_written_have_a_page(tmp_path: Path, day: date) -> None:
    assert kinds(shown(tmp_path, KnownDay(), day=day)) == ["not_begun"]


def test_a_day_that_was_rolled_back_says_by_whom_when_and_why(tmp_path: Path) -> None:
    rollback = Rollback(8, "ann", "the airline sent a wrong file", BEGAN, is_to_nothing=False)
    decided = Decided(BEGAN, "rollback", 7, "ann", "the airline sent a wrong file", "readers saw run 8")
    published = (a_publication(8, "run_2", is_seen=False), a_publication(7))
    runs = (a_run("run_2", "published", deploy="done"), a_run(outcome="published", deploy="done"))
    known = KnownDay(runs=runs, published=published, decisions=(decided,), rollback=rollback, run="run_2")
    page = shown(tmp_path, known)
    assert kinds(page) == ["rolled_back"]
    assert "run 8 was rolled back by ann at 2013-01-06 11:00 UTC: the airline sent a wrong file" in first(page).text
    assert "Readers see run 7 now." in first(page).text
    assert page.one(id="decisions").rows()[0][1:] == [
        "rollback",
        "7",
        "ann",
        "the airline sent a wrong file",
        "readers saw run 8",
    ]
    assert [row[4] for row in page.one(id="runs").rows()] == [
        "published, and readers see another one now",
        "readers see it",
    ]


@pytest.mark.parametrize(("error", "kind"), [("", "owed"), ("SourceUnavailable: no answer", "behind")])
def test_what_is_owed_to_other_places_is_told_and_is_an_alarm_once_a_try_has_failed(
    tmp_path: Path, error: str, kind: str
) -> None:
    sent = Sent("report", BEGAN, "sftp_out", 6, {"out/by_day.csv": {"size_bytes": 1_234, "sha256": "00"}})
    owed = Owed(DAY, "analytics.flights", 7, False, BEGAN, 2 if error else 0, error)
    done = a_run(outcome="published", deploy="done")
    known = KnownDay(runs=(done,), published=(a_publication(7),), run="run_1", sent=(sent,), owed=(owed,))
    page = shown(tmp_path, known)
    assert kinds(page) == [kind]
    assert ("role" in first(page).attributes) is bool(error)
    said = f"tries that failed: 2, the last: {error}" if error else "it was not tried yet"
    assert f"target analytics.flights owes run 7 since 2013-01-06 11:00:00 UTC; {said}." in first(page).text
    assert first(page).one("code").text == "./daybook export 2013-01-05 --pipeline flights"
    assert [one.text for one in page.one(id="sent").all("li")] == [
        "export report sent run 6 at 2013-01-06 11:00:00 UTC to sftp_out: out/by_day.csv (1,234 bytes)."
    ]


def test_an_empty_day_says_so(tmp_path: Path) -> None:
    leave_receipt(tmp_path, "run_1", "summarize", totals={"row_count": Decimal(0)})
    known = KnownDay(runs=(a_run(outcome="published", deploy="done"),), published=(a_publication(7),), run="run_1")
    page = shown(tmp_path, known)
    assert kinds(page) == []
    assert page.one(id="empty").text == "The day has no rows, which the spec allows."


def account(data: Path) -> None:
    """Leave the receipts of a run that lost a row for each reason."""
    made = Output(rows=2, size_bytes=10, sha256="")
    loaded = Rows(
        read=10, kept=9, refused={"dep_time_not_integer": 1}, lines=Lines(read=10, kept=9, refused=1, blank=0)
    )
    leave_receipt(data, "run_1", "load", rows={"flights": loaded, "planes": Rows(read=3, kept=3)})
    cleaned = {"flights": Rows(read=9, kept=6, refused={"other_day": 1}, dropped={"twin": 2})}
    leave_receipt(data, "run_1", "clean", rows=cleaned)
    leave_receipt(
        data,
        "run_1",
        "index",
        rows={"flights": Rows(read=6, kept=5, refused={"carrier_unknown_in_airlines": 1})},
        unknown={"planes": 2},
    )
    leave_receipt(
        data, "run_1", "aggregate", rows={"flights": Rows(read=5, kept=5)}, outputs={"aggregates.parquet": made}
    )
    by_origin = {"by_origin": Rows(read=5, kept=5)}
    leave_receipt(data, "run_1", "summarize", rows=by_origin, outputs={"by_origin.parquet": made})
    leave_receipt(data, "run_1", "save", rows={"by_origin": Rows(read=2, kept=2)}, run_id=7)
    leave_receipt(data, "run_1", "deploy", outcome="published", run_id=7)


def test_the_picture_shows_how_many_rows_went_on_which_left_and_that_it_balances(tmp_path: Path) -> None:
    account(tmp_path)
    page = shown(tmp_path, KnownDay(run="run_1"), run="run_1")
    flow, planes = page.all("table", class_="flow")
    assert [[row[0], row[2], row[3]] for row in flow.rows()] == [
        ["extract_files: in the source", "10", ""],
        ["load: loaded", "9", "1 refused: dep_time_not_integer"],
        ["clean: cleaned", "6", "1 refused: of another day 2 dropped: exact twins of a row that is kept"],
        ["index: indexed", "5", "1 refused: carrier_unknown_in_airlines kept: 2 unknown in planes"],
        ["aggregate: aggregated", "5", "into 2 groups"],
        ["deploy: published in by_origin", "5", "as 2 rows"],
    ]
    assert [bar.attributes["width"] for bar in flow.all("rect", class_="kept")] == [
        "300",
        "270",
        "180",
        "150",
        "150",
        "150",
    ]
    assert [bar.attributes["width"] for bar in flow.all("rect", class_="gone")] == ["30", "90", "30"]
    assert [one.text for one in page.all(class_="balance")] == [
        "flights: 10 read = 5 that are published + 3 refused + 2 dropped: every row is accounted for.",
        "planes: 3 read = 3 that are kept + 0 refused + 0 dropped: every row is accounted for.",
    ]
    assert planes.rows()[0][2] == "3"


def test_rows_that_are_not_accounted_for_are_an_alarm(tmp_path: Path) -> None:
    leave_receipt(tmp_path, "run_1", "load", rows={"flights": Rows(read=10, kept=9)})
    balance = shown(tmp_path, KnownDay(run="run_1"), run="run_1").one(class_="balance")
    assert balance.has({"class_": "alarm"})
    assert balance.text.endswith("1 are missing.")


def test_sources_are_shown_with_place_size_time_and_hash(tmp_path: Path) -> None:
    origin = Origin(
        place="ftp: flights/a.csv", modified_at="20130106060000", is_encrypted=False, checked_by="a.csv.md5"
    )
    leave_receipt(
        tmp_path,
        "run_1",
        "extract_files",
        outputs={"flights.csv": Output(size_bytes=65784, sha256="ab" * 32)},
        origins={"flights": origin},
    )
    page = shown(tmp_path, KnownDay(run="run_1"), run="run_1")
    assert page.one(id="sources").rows() == [
        [
            "flights",
            "ftp: flights/a.csv",
            "-",
            "65,784",
            "20130106060000",
            "ab" * 32,
            "checked by a.csv.md5, unencrypted",
        ]
    ]


def a_receipt(step: str, run: str, reused_from: str | None = None, **parts: str) -> Receipt:
    """Return the receipt of a step with its fingerprint."""
    ground = Fingerprint(**({"inputs": "i", "spec": "s", "code": "c", "libraries": "l"} | parts))
    words = {"pipeline": "flights", "day": DAY, "run": run, "step": step, "seconds": 1, "peak_memory_mib": 1}
    return Receipt(**words, fingerprint=ground, reused_from=reused_from)


def test_it_says_what_was_reused_and_why_and_what_was_done_anew_for(tmp_path: Path) -> None:
    before = {step: a_receipt(step, "run_1") for step in ("extract_tables", "load", "clean", "index")}
    now = {
        "extract_tables": a_receipt("extract_tables", "run_2"),
        "load": a_receipt("load", "run_2", reused_from="run_1"),
        "clean": a_receipt("clean", "run_2", spec="other", code="other"),
        "index": a_receipt("index", "run_2"),
        "aggregate": a_receipt("aggregate", "run_2"),
    }
    page = shown(tmp_path, KnownDay(run="run_2", receipts=now, receipts_before=before), run="run_2")
    assert [one.text for one in page.one(id="made").all("li")] == [
        "extract_tables done anew: each run asks the source what is there; it found the same.",
        "load reused from run_1: its input, its part of the spec, its code and the libraries are the same as there.",
        "clean done anew: its part of the spec and its code changed since run_1.",
        "index done anew: nothing changed since run_1, but it was asked for, or the result of then is gone.",
        "aggregate done: no run before it did this step.",
    ]


def by_origin(data: Path, run_id: int, **flights: int) -> None:
    """Leave the published file of a run."""
    table = pa.table({"day": [DAY] * len(flights), "origin": [*flights], "flights": [*flights.values()]})
    with data_folder(data).published_files("flights", DAY, run_id).new_file("by_origin.parquet") as file:
        pq.write_table(table, file)


def test_it_says_which_published_numbers_changed_against_the_run_before(tmp_path: Path) -> None:
    by_origin(tmp_path, 7, EWR=3, JFK=5)
    by_origin(tmp_path, 8, EWR=4, LGA=1, JFK=5)
    published = (
        a_publication(
            8,
            "run_2",
            totals={"row_count": Decimal(10)},
            changes={"by_origin": {"added": 1, "removed": 0, "changed": 1}},
        ),
        a_publication(7, is_seen=False, totals={"row_count": Decimal(8)}),
    )
    runs = (a_run("run_2", "published", deploy="done"), a_run(outcome="published", deploy="done"))
    page = shown(tmp_path, KnownDay(runs=runs, published=published, run="run_2"))
    assert page.one(id="totals").rows() == [["rows", "8", "10", "2"]]
    assert page.one(id="numbers").rows() == [
        ["by_origin", "EWR", "flights", "3", "4"],
        ["by_origin", "LGA", "flights", "-", "1"],
    ]
    assert "by_origin 1 added, 1 changed" in page.text


def test_the_first_publication_changed_everything_and_a_run_that_published_nothing_changed_nothing(
    tmp_path: Path,
) -> None:
    known = KnownDay(runs=(a_run(outcome="published", deploy="done"),), published=(a_publication(7),), run="run_1")
    assert "it was the first publication of the day" in shown(tmp_path, known).text
    assert "this run has published nothing of its own" in shown(tmp_path, KnownDay(run="run_9"), run="run_9").text


def test_files_that_are_gone_leave_the_account_of_the_ledger(tmp_path: Path) -> None:
    rows = {"flights": Rows(read=842, kept=842)}
    loaded = a_receipt("load", "run_1").model_copy(update={"rows": rows})
    page = shown(tmp_path, KnownDay(run="run_1", receipts={"load": loaded}), run="run_1")
    assert page.one(class_="flow").rows()[0][2] == "842"


def test_a_ledger_that_does_not_answer_is_told_and_the_files_have_to_do(tmp_path: Path) -> None:
    account(tmp_path)
    page = shown(tmp_path, KnownDay(run="run_1"), run="run_1", remark="The ledger did not answer: it is away")
    assert "The ledger did not answer: it is away" in page.text
    assert len(page.all("table", class_="flow")) == 2


def test_each_day_leads_to_the_days_beside_it_and_to_all(tmp_path: Path) -> None:
    links = [link.attributes["href"] for link in shown(tmp_path, KnownDay()).one("nav").all("a")]
    assert links == ["../days?year=all", "../day/2013-01-04", "../day/2013-01-06"]


def test_the_report_of_the_day_is_embedded_from_its_own_address_or_the_runs(tmp_path: Path) -> None:
    publish(tmp_path, 7)
    assert shown(tmp_path, KnownDay()).one("iframe").attributes["src"] == "2013-01-05/report"
    frame = shown(tmp_path, KnownDay(run="run_1"), run="run_1").one("iframe")
    assert (frame.attributes["src"], frame.attributes["sandbox"]) == ("report", "")


def test_only_who_may_roll_back_is_offered_the_runs_that_are_kept_and_nothing(tmp_path: Path) -> None:
    published = (
        a_publication(9, "run_3"),
        a_publication(8, "run_2", is_seen=False),
        a_publication(7, is_seen=False, is_kept=False),
    )
    known = KnownDay(published=published, run="run_3")
    assert shown(tmp_path, known).all("form") == []
    form = shown(tmp_path, known, rollback_token="word").one("form")
    assert (form.attributes["method"], form.attributes["action"]) == ("post", "../day/2013-01-05/rollback")
    assert [one.attributes["value"] for one in form.all("option")] == ["8", "nothing"]
    assert [one.attributes["value"] for one in form.all("input", type="hidden")] == ["word", "9"]
    assert "required" in form.one("input", name="why").attributes
    taken_back = known._replace(published=tuple(one._replace(is_seen=False) for one in published))
    form = shown(tmp_path, taken_back, rollback_token="word").one("form")
    assert [one.attributes["value"] for one in form.all("option")] == ["9", "8"]
    assert form.one("input", name="seen").attributes["value"] == "nothing"
    assert shown(tmp_path, KnownDay(), rollback_token="word").all("form") == []


def test_nothing_from_outside_becomes_markup_or_an_address(tmp_path: Path) -> None:
    odd = f"{CANARY}\u202e\x1b[31m"
    leave_canary(tmp_path, odd)
    failed = a_run(odd, load=("failed", odd, odd))._replace(started_by=odd)
    published = (a_publication(8, odd, totals={odd: Decimal(1)}, changes={odd: {odd: 1}}), a_publication(7, odd))
    known = KnownDay(
        runs=(failed,),
        published=published,
        decisions=(Decided(BEGAN, odd, 7, odd, odd, odd),),
        rollback=Rollback(8, odd, odd, BEGAN, is_to_nothing=False),
        days_before={date(2013, 1, 4): {odd: Decimal(1)}},
        run=odd,
        run_before=odd,
        sent=(Sent(odd, BEGAN, odd, 7, {odd: {"rows": 1}}),),
        owed=(Owed(DAY, odd, 7, False, BEGAN, 1, odd),),
    )
    for words in ({}, {"run": odd}, {"noticed": {odd: Noticed(odd, (odd,), odd)}}):
        page = shown(tmp_path, known, remark=odd, **words)
        assert not page.all("script")
        assert not page.all("img")
        assert not [one for one in page.within() if any(name.startswith("on") for name in one.attributes)]
        assert not [sign for sign in "\u202e\x1b" if sign in page.text]
        assert CANARY in page.text
        links = [link.attributes["href"] for link in page.all("a")]
        assert not [link for link in links if not link.startswith("../") and link != "run"]
        assert not [link for link in links if set(link) & set("<>\"' ")]
