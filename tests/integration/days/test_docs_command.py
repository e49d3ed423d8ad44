"""`./daybook docs` as a reader sees it: in a real Chromium, over days that are really published."""

from pathlib import Path

from playwright.sync_api import Browser

from tests.support.browser import Watched, needs_chromium

from .conftest import Days


@needs_chromium
def test_a_reader_goes_from_the_list_of_pipelines_to_a_column(days: Days, tmp_path: Path, browser: Browser) -> None:
    name, folder = days.pipeline.name, tmp_path / "site"
    days.run("2013-01-02")
    days.run("2013-01-01")
    code, printed = days.command_alone("docs", str(folder))
    assert (code, f"{folder}/index.html" in printed) == (0, True)

    watched = Watched(browser.new_page())
    page = watched.page
    page.goto((folder / "index.html").as_uri())
    assert "2 days, the last one 2013-01-02" in page.get_by_role("row", name=name).inner_text()
    page.get_by_role("link", name=name, exact=True).click()
    page.get_by_role("list", name="From the sources to the views").get_by_text(f"{name}.by_day").click()
    assert page.url.endswith("#view-by_day")
    row = page.get_by_role("table", name="by_day").get_by_role("row", name="on_time_pct")
    assert [cell.inner_text() for cell in row.get_by_role("cell").all()] == [
        *("on_time_pct", "numeric(20,2)", "", "", "100 * on_time / arrivals", "flights.arr_delay_min")
    ]
    page.get_by_role("link", name=f"{name}.odcs.yaml").wait_for()
    page.get_by_role("link", name="All pipelines").click()
    page.get_by_role("heading", name="Pipelines").wait_for()
    assert watched.complaints == []
    page.close()
