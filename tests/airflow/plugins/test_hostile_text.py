"""Texts that mean harm, in every text of a file and of a table, through the nine steps and wherever they come out."""

import csv
import json
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import BrowserContext

from commands.__main__ import main
from tests.support.browser import Watched, needs_chromium

from .conftest import Site

DAY = "2013-05-06"
HARMFUL = (
    *("=cmd|'/c calc'!canary", '=HYPERLINK("http://canary.invalid","x")', "+canary", "-canary", "@SUM(canary)"),
    *("\tcanary", "<script>alert('canary')</script>", "<img src=//canary.invalid/x onerror=alert('canary')>"),
    *("\"'><svg/onload=alert('canary')>", "javascript:alert('canary')", "{{ 7 * 7 }}canary", "[canary](//a.invalid)"),
    *("'; drop table canary; --", "canary\nline", "canary\r\nline", "\u202ecanary", "canary \U0001f600", "%s%n canary"),
    *("../../canary", "\u00a0canary", "null", "NULL", "None", "nan", "-"),
    *("\uff1dcanary", "\u200b=canary", "\u00a0+canary", "canary\x7f", "canary\x85\x9b31m", "\u2066canary\u2069\u200f"),
)
TURNING = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
# Escapes, as of a terminal's colours, are no text: their rows are refused.
REFUSED = ("\x1b[31mcanary", "canary\x07")
FLIGHT = "2013,5,6,517,515,2,830,819,11,{carrier},{number},{tailnum},{origin},{dest},227,1400,5,15,2013-05-06T10:00:00Z"


class Published(NamedTuple):
    """The run of the day, its folder of published files, and the file that it came from."""

    run: str
    folder: Path
    file: Path


@pytest.fixture(scope="module")
def published(site: Site) -> Iterator[Published]:
    """A day of flights in whose texts, and in those of the tables that they are matched to, is nothing else."""
    file = site.deployment.ftp.root / "flights" / f"flights_{DAY}.csv"
    before = file.read_bytes()
    file.write_text(before.decode().splitlines()[0] + "\n" + "".join(map(flight, (*HARMFUL, *REFUSED))), newline="")
    with psycopg.connect(site.deployment.postgres.dsn("source", "source_owner"), autocommit=True) as source:
        source.execute("alter table airlines add if not exists is_canary boolean")
        source.cursor().executemany(
            "insert into airlines values (%s, %s, true)", [(t, t) for t in (*HARMFUL, *REFUSED)]
        )
        run = site.deployment.api.trigger("flights", conf={"day": DAY})
        ended = site.deployment.api.wait_for_run("flights", run)
        source.execute("delete from airlines where is_canary")
    assert ended["state"] == "success"
    yield Published(run, site.data / "published" / "flights" / DAY, file)
    file.write_bytes(before)


def flight(text: str) -> str:
    """Return a line whose every text is this one; its number is its own."""
    quoted = '"' + text.replace('"', '""') + '"'
    words = dict.fromkeys(("carrier", "tailnum", "origin", "dest"), quoted)
    return FLIGHT.format(**words, number=(*HARMFUL, *REFUSED).index(text) + 1) + "\n"


def in_a_spreadsheet(text: str) -> str:
    """Return what a text is to be written as where a spreadsheet may open it."""
    seen = text.lstrip("".join(sign for sign in text if unicodedata.category(sign) in ("Cc", "Cf", "Zs")))
    begins = text[0] in "\t\r\n" or unicodedata.normalize("NFKC", seen[:1]) in ("=", "+", "-", "@")
    return f"{chr(39) if begins else ''}{''.join(map(as_it_is_shown, text))}"


def as_it_is_shown(sign: str) -> str:
    """Return a sign, or its escape if it rules a terminal or turns a line around."""
    rules = unicodedata.category(sign) == "Cc" and sign not in "\t\r\n"
    turns = sign in "\u200e\u200f" or unicodedata.bidirectional(sign) in TURNING
    return sign.encode("unicode_escape").decode() if rules or turns else sign


def test_X3_G16_warehouse_and_parquet_keep_each_text_and_every_row_is_accounted_for(
    site: Site, published: Published
) -> None:
    seen = site.warehouse("select carrier, airline, flights from flights.by_airline where day = %s", DAY)
    assert sorted(seen) == sorted((text, text, 1) for text in HARMFUL)
    parquet = pq.read_table(published.folder / "by_airline.parquet").select(["carrier", "airline"]).to_pylist()
    assert sorted(row["carrier"] for row in parquet) == sorted(row["airline"] for row in parquet) == sorted(HARMFUL)
    assert sorted(pq.read_table(published.folder / "by_origin.parquet")["origin"].to_pylist()) == sorted(HARMFUL)
    refused = site.warehouse("select rows_read, rows_refused from daybook.ledger where day = %s", DAY)
    assert refused[0][1] == 2 * len(REFUSED)


@pytest.mark.parametrize(
    ("summary", "column"), [("by_airline", "carrier"), ("by_airline", "airline"), ("by_origin", "origin")]
)
def test_X3_G16_no_published_cell_is_a_formula(published: Published, summary: str, column: str) -> None:
    with (published.folder / f"{summary}.csv").open(newline="") as file:
        cells = [row[column] for row in csv.DictReader(file)]
    assert sorted(cells) == sorted(map(in_a_spreadsheet, HARMFUL))


def test_X3_no_page_holds_a_sign_that_rules_a_terminal_or_turns_a_line_around(site: Site, published: Published) -> None:
    pages = [(published.folder / "report.html").read_text(), site.get(site.path("run", published.run)).text]
    for page in pages:
        assert [sign for sign in page if as_it_is_shown(sign) != sign] == []
    assert r"canary\x85\x9b31m" in pages[0]


def test_X3_G16_no_cell_that_check_writes_is_a_formula(published: Published, tmp_path: Path) -> None:
    assert main(["check", str(published.file), "--pipeline", "flights", "--out", str(tmp_path)]) == 10
    with (tmp_path / f"flights_{DAY}.accepted.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for column in ("carrier", "tailnum", "origin", "dest"):
        assert [row[column] for row in rows] == list(map(in_a_spreadsheet, HARMFUL))


def test_X3_G9_no_log_and_no_xcom_holds_a_value_of_a_row(site: Site, published: Published) -> None:
    logs = [file for file in site.deployment.home.logs.rglob("*.log") if file.is_file()]
    assert any(published.run in str(file) for file in logs)
    assert [file for file in logs if "canary" in file.read_text(errors="replace")] == []
    tasks = site.deployment.api.task_instances("flights", published.run)
    told = [site.deployment.api.xcom("flights", published.run, task["task_id"]) for task in tasks]
    assert len(told) == 9
    assert "canary" not in json.dumps([told, tasks])


@needs_chromium
def test_X3_G16_the_report_and_its_tab_run_nothing_and_ask_for_nothing(
    viewer: BrowserContext,
    site: Site,
    published: Published,
) -> None:
    watched = Watched(viewer.new_page())
    watched.page.goto(site.url + site.path("run", published.run))
    report = watched.page.frame_locator("iframe")
    report.get_by_role("cell", name="<script>alert('canary')</script>").first.wait_for()
    # Time for what should not happen.
    watched.page.wait_for_timeout(1000)
    assert watched.asked == [site.url + site.path(name, published.run) for name in ("run", "report")]
    assert watched.complaints == []


@needs_chromium
def test_X3_G16_the_report_opened_from_the_disk_runs_nothing_and_may_load_nothing(
    viewer: BrowserContext,
    published: Published,
) -> None:
    watched = Watched(viewer.new_page())
    watched.page.goto((published.folder / "report.html").as_uri())
    assert watched.page.get_by_text("canary").count() > len(HARMFUL)
    loaded = "fetch('data:,x').then(() => 'loaded', () => 'refused')"
    assert watched.page.evaluate(loaded) == "refused"
    watched.page.wait_for_timeout(500)
    assert len(watched.asked) <= 1
    assert not [complaint for complaint in watched.complaints if complaint.startswith("dialog")]
