"""The Day page behind the real API server: what it says of a published day, and who may roll it back."""

import json
from datetime import date

import pytest

from tests.support.files import leave_receipt
from tests.support.html_page import Element, hidden_fields, read_page

from .conftest import DAY, Site

PAGE = f"/daybook/flights/day/{DAY}"
WHY = "the airline's <b>file</b> was wrong \u202e"


def page(site: Site, user: str = "viewer", path: str = PAGE) -> Element:
    """Return the page as a user reads it."""
    return read_page(site.get_with_cookie(path, user).content)


def form(site: Site, user: str = "admin") -> dict[str, str]:
    """Return the fields of the form to roll back, as a user's page has them."""
    found = page(site, user).one("form", id="rollback")
    return hidden_fields(found)


def decisions(site: Site) -> list[tuple[str, str, str]]:
    """Return what people decided about the day: what, who and why."""
    found = site.warehouse("select what, who, why from daybook.decision where day = %s order by decided_at", DAY)
    return [(what, who, why) for what, who, why in found]


def test_the_page_of_a_published_day_is_that_of_its_run_and_accounts_for_every_row(site: Site) -> None:
    shown = page(site)
    assert shown.all("section") == []
    assert "Readers see run 1, published at" in shown.one(id="readers").text
    assert shown.all(class_="balance")[0].text.endswith("every row is accounted for.")
    assert [row[0] for row in shown.one(id="runs").rows()] == [site.run_id]
    assert {row[0] for row in shown.one(id="sources").rows()} == {"airlines", "planes", "flights"}
    report = site.get(f"{PAGE}/report")
    assert report.content == (site.data / f"published/flights/{DAY}/report.html").read_bytes()
    assert "sandbox" in report.headers["Content-Security-Policy"]


def test_a_run_of_which_the_ledger_knows_nothing_has_its_account_from_its_files(site: Site) -> None:
    leave_receipt(site.data, "unknown_run", "extract_files", date(2013, 3, 20))
    shown = page(site, path=site.path("run", "unknown_run"))
    assert [section.attributes["id"] for section in shown.all("section")] == ["unfinished"]


@pytest.mark.parametrize("day", ["2013-13-45", "day", "%3Cscript%3E", "2013-1-5", "%00", "1/../.."])
def test_what_is_no_day_has_no_page(site: Site, day: str) -> None:
    status, body = site.get_raw(f"/daybook/flights/day/{day}")
    # An address that is none of ours is answered by Airflow's UI.
    assert (status == 404 and b"<script>" not in body) or b'id="root"' in body
    assert site.get(f"/daybook/no_pipeline/day/{DAY}").status_code == 404


def test_only_who_may_edit_the_dag_sees_the_form_and_only_that_page_may_send_it(site: Site) -> None:
    assert page(site, "viewer").all("form") == []
    policies = [site.get(PAGE, user).headers["Content-Security-Policy"] for user in ("viewer", "admin")]
    assert ["form-action 'none'" in policy for policy in policies] == [True, False]
    assert "form-action 'self'" in policies[1]
    fields = {**form(site), "to": "nothing", "why": WHY}
    refused = {
        user: site.post(f"{PAGE}/rollback", user, fields).status_code
        for user in ("anonymous", "forger", "nobody", "viewer")
    }
    assert refused["anonymous"] == 401
    assert {*refused.values()} <= {401, 403}
    for changed, status in (
        ({"token": ""}, 403),
        ({"token": "0" * 64}, 403),
        ({"why": " \t"}, 422),
        ({"why": "x" * 501}, 422),
        ({"to": "1 or 1=1"}, 422),
        ({"to": "999999"}, 409),
        ({"seen": "999999"}, 409),
        ({"seen": "nothing"}, 409),
    ):
        answer = site.post(f"{PAGE}/rollback", "admin", fields | changed)
        assert (answer.status_code, "nothing was changed" in answer.text or status == 403) == (status, True), changed
    assert site.get(f"{PAGE}/rollback", "admin").status_code == 405
    assert decisions(site) == []


def test_a_rollback_is_done_once_with_the_reason_and_the_name_and_can_be_taken_back(site: Site) -> None:
    fields = {**form(site), "to": "nothing", "why": WHY}
    done = site.post(f"{PAGE}/rollback", "admin", fields)
    assert (done.status_code, done.headers["Location"]) == (303, f"../{DAY}")
    assert site.warehouse("select from daybook.published where day = %s", DAY) == []
    assert not (site.data / f"published/flights/{DAY}").exists()
    shown = page(site)
    assert [section.attributes["id"] for section in shown.all("section")] == ["rolled_back"]
    assert "rolled back to nothing by admin" in shown.one("section").text
    assert "the airline's <b>file</b> was wrong" in shown.one("section").text
    # The same form again finds that readers see something else by now.
    assert site.post(f"{PAGE}/rollback", "admin", fields).status_code == 409
    again = site.post(f"{PAGE}/rollback", "admin", {**form(site), "to": "1", "why": "it was right"})
    assert again.status_code == 303
    assert "Readers see run 1, published at" in page(site).one(id="readers").text
    assert [(what, who) for what, who, _ in decisions(site)] == [("rollback", "admin")] * 2
    logged = site.get("/api/v2/eventLogs?event=daybook_rollback&limit=100", "admin").json()["event_logs"]
    assert {json.dumps([one["owner"], one["dag_id"]]) for one in logged} >= {json.dumps(["admin", "flights"])}
