"""The Report tab as a person sees it: headless Chromium on the real UI, logged in as the viewer."""

import csv
import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Response, sync_playwright

from tests.support.files import leave_canary, publish

from .conftest import DAY, Site

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
# In a container there is often no GPU and, as root, no sandbox; nothing may be fetched but what the test opens.
ARGUMENTS = [
    *(["--no-sandbox"] if os.geteuid() == 0 else []),
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
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

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium here; on Debian: apt-get install chromium")


class Watched:
    """A page, and what its browser complained about or was refused."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.asked: list[str] = []
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog {dialog.message}"))
        page.on("response", self._on_response)

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" or "Content Security Policy" in message.text:
            self.complaints.append(message.text)

    def _on_response(self, response: Response) -> None:
        self.asked.append(response.url)
        if not response.ok:
            self.complaints.append(f"{response.status} {response.url}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def viewer(browser: Browser, site: Site) -> Iterator[BrowserContext]:
    """A window of the viewer, who has logged in by the UI's own form."""
    context = browser.new_context(viewport={"width": 1440, "height": 1240}, color_scheme="light")
    page = context.new_page()
    page.goto(f"{site.url}/auth/login")
    page.locator("input[name=username]").fill("viewer")
    page.locator("input[type=password]").fill(site.password("viewer"))
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(lambda url: "/auth/" not in url)
    page.close()
    yield context
    context.close()


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
