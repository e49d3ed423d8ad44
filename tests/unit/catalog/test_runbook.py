"""A pipeline's Markdown for Airflow: complete, and harmless whatever the texts of a spec are."""

from datetime import date

import pytest
from markdown_it import MarkdownIt

from daybook.catalog.runbook import plain, runbook
from daybook.pipelines import load_pipelines
from daybook.spec import Measure, Schedule, Summary
from tests.support.sales import sales

HARM = "<img src=x onerror=alert(1)> [a](javascript:b) `c` **d** | e www.evil.example https://evil.example a@b.c \n# f"
# It also makes links of bare addresses, as GitHub's Markdown and Airflow's pages do.
MARKDOWN = MarkdownIt("gfm-like", {"html": True})


def kinds(markdown: str) -> set[str]:
    """Return all kinds of parts that Markdown is read as."""
    tokens = MARKDOWN.parse(markdown)
    return {token.type for token in tokens} | {child.type for token in tokens for child in token.children or ()}


def test_it_tells_owner_days_sources_views_and_each_column_with_unit_and_formula() -> None:
    pipeline = sales(
        "stall",
        Schedule(start=date(2026, 1, 1), time_zone="Asia/Tokyo"),
        owner="The stall's desk",
        measures=(Measure(name="pieces", how="sum", of="pieces", description="Pieces sold", unit="pcs"),),
        summaries=(Summary(name="by_month", every="month", columns=("pieces",), description="Sales by month"),),
    )
    shown = MARKDOWN.render(runbook(pipeline))
    for words in (
        "<h3>Pieces sold by day</h3>",
        "<strong>Owner</strong>: The stall's desk",
        "Its days are those of Asia/Tokyo from 2026-01-01 on that the cron '0 0 * * *' means",
        "<strong>sales</strong>: The file stall/{day}.csv of the connection ftp. Its key: shop.",
        "as views, and as files of each day and of each finished month.",
        "<strong>by_month</strong>: Sales by month; one row for each month",
        "<td>pieces</td>\n<td>numeric(38,0)</td>\n<td>pcs</td>\n<td>Pieces sold</td>\n<td>sum(pieces)</td>",
        "<td>days_due</td>\n<td>bigint</td>\n<td></td>\n<td>How many days of the month the schedule means</td>",
    ):
        assert words in shown


def test_no_text_of_a_spec_is_markdown_html_or_an_address() -> None:
    quiet = sales("stall", Schedule(start=date(2026, 1, 1)), owner="o")
    spoken = {"description": HARM, "unit": HARM}
    loud = sales(
        "stall",
        Schedule(start=date(2026, 1, 1)),
        owner=HARM,
        description=HARM,
        measures=tuple(measure.model_copy(update=spoken) for measure in quiet.measures),
        summaries=tuple(summary.model_copy(update={"description": HARM}) for summary in quiet.summaries),
    )
    assert kinds(runbook(loud)) <= kinds(runbook(quiet))
    assert "link_open" in kinds(HARM)
    assert MARKDOWN.renderInline(plain(HARM)).replace("&lt;", "<").replace("&gt;", ">") == HARM.replace("\n", "\\n")


@pytest.mark.parametrize("name", sorted(load_pipelines().good))
def test_it_is_alike_each_time(name: str) -> None:
    pipeline = load_pipelines().good[name]
    assert runbook(pipeline) == runbook(pipeline.model_copy(deep=True))
