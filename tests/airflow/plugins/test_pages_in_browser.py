"""Every page as a person sees it, in each of its states: headless Chromium, at 1280 pixels, in light and in dark."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from daybook_airflow.waiting import wait_until
from tests.support.browser import Watched, needs_chromium
from tests.support.html_page import hidden_fields, read_page

from .conftest import DAY, Site
from .test_report_tab_in_browser import screenshot

pytestmark = needs_chromium

WIDTH = 1280
SECONDS = 120
# The days of the run of several: most go well, one has rows that are refused, one has a file that cannot be read.
SEVERAL = [f"2013-01-{number:02}" for number in range(6, 14)]
REFUSED, FAILED, NEVER = "2013-01-13", "2013-01-09", "2013-01-20"
# It is held when it is run again, since it was rolled back.
HELD = "2013-01-12"
PAGES = {
    "days": "flights/days",
    "days-of-a-state": "flights/days?year=2013&state=refused",
    "day": f"flights/day/{REFUSED}",
    "day-failed": f"flights/day/{FAILED}",
    "day-held": f"flights/day/{HELD}",
    "run-of-several": "flights/several/run",
    "day-empty": f"flights/day/{NEVER}",
    "charts": f"flights/day/{REFUSED}/charts",
    "charts-empty": f"flights/day/{NEVER}/charts",
    "refused": f"flights/day/{REFUSED}/refused",
    "refused-failed": f"flights/day/{FAILED}/refused",
    "refused-none": f"flights/day/{DAY}/refused",
    "report": f"flights/day/{REFUSED}/report",
    "counts": "",
    "counts-of-a-state": "?state=failed",
}
# In the README and the documents.
SHOWN = ("days", "day", "charts", "refused", "counts")
LINKS = "[...document.querySelectorAll('a[href]')].filter(link => link.checkVisibility()).map(link => link.href)"


@pytest.fixture(scope="module")
def lived(site: Site) -> Iterator[Site]:
    """The deployment with days of every kind."""
    files = {day: site.deployment.ftp.root / "flights" / f"flights_{day}.csv" for day in (REFUSED, FAILED)}
    before = {file: file.read_bytes() for file in files.values()}
    lines = before[files[REFUSED]].decode().splitlines(keepends=True)
    lines[3] = lines[3].replace("2013,1,13,", "2013,1,thirteen,")
    lines[7] = "<script>alert('row')</script>," + "x" * 300 + "\n"
    lines[9] = lines[9].replace(lines[9].split(",")[9], "ZZ")
    files[REFUSED].write_text("".join(lines))
    files[FAILED].write_text("<b>year</b>,month\n1,2\n")
    api = site.deployment.api
    run = api.trigger("flights", conf={"days": SEVERAL}, run_id="several")
    ended = api.wait_for_run("flights", run, seconds=300, check=site.deployment.keep_up)
    # A day that fails is left out, and the run fails at its end.
    assert ended["state"] == "failed", json.dumps(ended)
    with held(site):
        yield site
    for file, content in before.items():
        file.write_bytes(content)


@contextmanager
def held(site: Site) -> Iterator[None]:
    """Have a run that holds its day until the block ends."""
    path = f"/daybook/flights/day/{HELD}"
    form = read_page(site.get_with_cookie(path, "admin").content).one("form", id="rollback")
    asked = {**hidden_fields(form), "to": "nothing", "why": "the file was wrong"}
    assert site.post(f"{path}/rollback", "admin", asked).status_code == 303
    api = site.deployment.api
    run = api.trigger("flights", conf={"day": HELD})
    assert wait_until(lambda: api.count_task_instances("flights", run, state="awaiting_input") == 1, SECONDS)
    yield
    api.end_run("flights", run, "failed")


@pytest.fixture(scope="module", params=["viewer", "admin"])
def person(request: pytest.FixtureRequest, browser: Browser, lived: Site) -> Iterator[BrowserContext]:
    """A window of somebody whom Airflow knows: the viewer's is light, the admin's dark."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": 900}, color_scheme="light" if request.param == "viewer" else "dark"
    )
    context.add_cookies([{"name": "_token", "value": lived.tokens[request.param], "url": lived.url}])
    yield context
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_complains_of_nothing_and_its_links_are_reached_by_the_keyboard(
    person: BrowserContext, lived: Site, name: str, tmp_path: Path
) -> None:
    watched = Watched(person.new_page())
    page = watched.page
    page.goto(f"{lived.url}/daybook/{PAGES[name]}")
    assert page.evaluate("document.documentElement.scrollWidth") <= WIDTH
    links = page.evaluate(LINKS)
    assert set(links) <= reached(page, len(links)) if name != "report" else links == []
    # No page has a picture, a font or a script of elsewhere, or one at all.
    assert {url for url in watched.asked if not url.startswith(f"{lived.url}/daybook/")} == set()
    assert page.evaluate("document.scripts.length") == 0
    is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    if name in SHOWN:
        page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
        page.screenshot(path=screenshot(f"page-{name}{'-dark' if is_dark else ''}.png", tmp_path))
    assert watched.complaints == []
    page.close()


def test_the_counts_open_from_airflows_navigation_and_lead_to_airflows_own_page_of_a_task(
    viewer: BrowserContext, lived: Site
) -> None:
    page = viewer.new_page()
    page.goto(lived.url)
    page.get_by_text("Browse", exact=True).first.click(timeout=120_000)
    with viewer.expect_page() as opened:
        page.get_by_text("Daybook counts").click()
    counts = opened.value
    assert counts.url == f"{lived.url}/daybook/"
    counts.get_by_role("link", name="summarize").click()
    counts.get_by_role("heading", name="summarize").first.wait_for(timeout=120_000)
    assert counts.url.startswith(f"{lived.url}/dags/flights/tasks/summarize")


def test_who_is_not_logged_in_sees_no_page(browser: Browser, lived: Site) -> None:
    context = browser.new_context()
    answers = {name: context.request.get(f"{lived.url}/daybook/{path}") for name, path in PAGES.items()}
    assert {name: answer.status for name, answer in answers.items()} == dict.fromkeys(PAGES, 401)
    assert not [name for name, answer in answers.items() if "flights" in answer.text()]
    context.close()


def reached(page: Page, count: int) -> set[str]:
    """Return the addresses of the links on which the focus is, when the tabulator is pressed often enough."""
    found = set()
    for _ in range(count + 40):
        page.keyboard.press("Tab")
        found.add(page.evaluate("document.activeElement.href || ''"))
    return found
