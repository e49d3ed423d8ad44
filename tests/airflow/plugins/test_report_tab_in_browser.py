"""The Report tab as a person sees it: headless Chromium on the real UI, logged in as the viewer."""

import csv
import os
from datetime import date
from pathlib import Path

from playwright.sync_api import BrowserContext

from tests.support.browser import Watched, needs_chromium
from tests.support.files import leave_canary, publish

from .conftest import DAY, Site

IMAGES = Path(__file__).parents[3] / "docs" / "images"

CANARY_DAY = date(2013, 2, 1)
CANARY_REPORT = b"""<p>the report</p>
<script>document.title = 'owned'; alert('script')</script>
<img src="/api/v2/version" onerror="alert('image')">
<iframe src="/api/v2/version"></iframe>
<meta http-equiv="refresh" content="0;url=/api/v2/version">
<a href="javascript:top.alert('link')">link</a>
<form action="/api/v2/version"><button>button</button></form>
"""

pytestmark = needs_chromium


def test_the_tab_shows_the_steps_and_the_numbers_of_the_report(
    viewer: BrowserContext, site: Site, tmp_path: Path
) -> None:
    watched = Watched(viewer.new_page())
    page = watched.page
    page.goto(f"{site.url}/dags/flights/runs/{site.run_id}")
    page.get_by_role("link", name="Report", exact=True).click()
    run = page.frame_locator("iframe[title=Report]")
    run.get_by_text("Readers see this run, number 1.").wait_for()
    assert run.get_by_role("cell", name="done", exact=True).count() == 9
    report = run.frame_locator("iframe")
    flights, miles = totals(site)
    for number in (flights, miles):
        report.get_by_role("cell", name=f"{number:,}", exact=True).first.wait_for()
    page.screenshot(path=screenshot("report-tab.png", tmp_path))
    assert watched.complaints == []


def test_G16_what_is_hidden_in_receipts_and_reports_does_nothing(viewer: BrowserContext, site: Site) -> None:
    leave_canary(site.data, "canary", CANARY_DAY)
    publish(site.data, 9, CANARY_REPORT, CANARY_DAY)
    watched = Watched(viewer.new_page())
    page = watched.page
    page.goto(site.url + site.path("run", "canary"))
    report = page.frame_locator("iframe")
    report.get_by_text("link").click()
    report.get_by_role("button").click()
    # Time for what should not happen.
    page.wait_for_timeout(1000)
    assert page.title() == f"flights {CANARY_DAY}"
    assert watched.asked == [site.url + site.path(name, "canary") for name in ("run", "report")]
    # The browser says of each that it was refused, and nothing of it happened.
    assert not [complaint for complaint in watched.complaints if complaint.startswith("dialog")]
    refused = " ".join(watched.complaints)
    assert "Blocked script execution" in refused
    assert "Content Security Policy" in refused


def totals(site: Site) -> tuple[int, int]:
    """Count the flights and their miles in the day's file as it lies on the FTP server."""
    with (site.deployment.ftp.root / f"flights/flights_{DAY}.csv").open(newline="") as file:
        miles = [int(flight["distance"]) for flight in csv.DictReader(file)]
    return len(miles), sum(miles)


def screenshot(name: str, otherwise: Path) -> Path:
    """Return where a screenshot goes: to the README's images where UPDATE_SCREENSHOTS=1 asks for it."""
    folder = IMAGES if os.environ.get("UPDATE_SCREENSHOTS") == "1" else otherwise
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name
