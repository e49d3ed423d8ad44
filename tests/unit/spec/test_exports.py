"""The words of an export: where each file of a day goes, and what is refused when the spec is built."""

from datetime import date
from typing import Any

import pytest

from daybook.errors import BadSpec
from daybook.pipelines import load_pipelines
from daybook.spec import Export, Pipeline, Summary

FLIGHTS = load_pipelines().good["flights"]
SUMMARIES = tuple(summary.name for summary in FLIGHTS.summaries)
DAY = date(2013, 1, 5)
PATH = "out/{day:%Y-%m-%d}/{name}.{format}"


def export(**words: Any) -> Export:
    """Return an export."""
    return Export(**{"name": "partner", "connection": "partner", "path": PATH, **words})


def flights(*exports: Export) -> Pipeline:
    """Return the flights pipeline with exports."""
    words = {name: getattr(FLIGHTS, name) for name in Pipeline.model_fields}
    by_month = Summary(name="by_month", every="month", columns=("flights",))
    words["summaries"] = (*FLIGHTS.summaries, by_month)
    return Pipeline(**{**words, "target": {"schema": "flights"}, "exports": exports})


def test_every_summary_goes_out_in_every_form_and_the_report_once() -> None:
    found = export(formats=("csv", "parquet", "report")).files_on(DAY, ("a", "b"))
    folder = "out/2013-01-05"
    assert [file for file, _ in found] == ["a.csv", "b.csv", "a.parquet", "b.parquet", "report.html"]
    assert [path for _, path in found] == [f"{folder}/{file}" for file, _ in found]
    assert export(summaries=("b",)).files_on(DAY, ("a", "b")) == (("b.csv", f"{folder}/b.csv"),)
    assert export(marker="{day:%Y%m%d}.done").marker_on(DAY) == "20130105.done"


def test_of_a_roll_up_the_files_of_a_period_go_out_if_they_are_asked_for() -> None:
    both = export(formats=("csv", "parquet", "report"))
    assert [file for file, _ in both.files_of_period(DAY, "by_month")] == ["by_month.csv", "by_month.parquet"]
    assert export(summaries=("by_month",)).files_on(DAY, SUMMARIES) == ()
    assert export(summaries=("by_day",)).files_of_period(DAY, "by_month") == ()
    assert export(formats=("report",)).files_of_period(DAY, "by_month") == ()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ({"path": "out/{name}.csv"}, "path: 'out/{name}.csv' is refused: two days would go to one path"),
        ({"path": "{day:%Y-%m}/{name}.csv"}, "two days would go to one path"),
        ({"path": "{day:%m-%d}/{name}.csv"}, "two days would go to one path"),
        ({"marker": "done"}, "marker: 'done' is refused: two days would go to one path"),
        ({"marker": "{name}/{day}"}, "only the day can be filled in"),
        ({"path": "{dya}/{name}.csv"}, "only the day and the name and the format can be filled in"),
        ({"path": "../{day}/{name}.csv"}, "it leads out of its folder"),
        ({"path": "{day}/"}, "it names a folder, and a file is expected"),
        ({"path": "{day}/{name}\r\nDELE x"}, "a control character is not part of a path"),
        (
            {"connection": "https://example.org"},
            "it takes the id .*a web server takes no files",
        ),
        ({"formats": ()}, "formats"),
        ({"formats": ("xlsx",)}, "formats.0: 'xlsx' is refused: it takes 'csv', 'parquet' or 'report'"),
        ({"format": ("csv",)}, "did you mean 'formats'"),
    ],
)
def test_a_word_that_cannot_be_right_is_refused(words: dict[str, Any], told: str) -> None:
    with pytest.raises(BadSpec, match=told):
        export(**words)


@pytest.mark.parametrize(
    ("exports", "told"),
    [
        (
            (export(summaries=("by_airlin",)),),
            r"flights.exports\[0\].summaries\[0\]: 'by_airlin' is not a summary",
        ),
        ((export(), export()), "flights.exports: 'partner' stands twice"),
        (
            (export(), export(name="other")),
            r"exports\[1\].path: 'out/2000-06-15/\w+.csv' is where exports\[0\]",
        ),
        (
            (export(path="{day}/{name}", formats=("csv", "parquet")),),
            r"exports\[0\].path: .* is where exports\[0\]",
        ),
        ((export(path="{day}.csv"),), "writes too; write {name} and {format} into it"),
        (
            (export(summaries=("by_month",), marker="out/{day}.done"),),
            r"exports\[0\].marker: .* no file of a day goes there",
        ),
        ((export(path="{day}.{format}", summaries=("by_month", "by_airline")),), "write {name} and {format} into it"),
        (
            (export(marker="out/{day}/by_airline.csv"),),
            r"exports\[0\].marker: 'out/2000-06-15/by_airline.csv'",
        ),
    ],
)
def test_exports_that_do_not_fit_the_pipeline_or_each_other_are_refused(exports: tuple[Export, ...], told: str) -> None:
    with pytest.raises(BadSpec, match=told):
        flights(*exports)


def test_exports_to_different_places_may_have_one_path_and_change_no_step() -> None:
    assert "by_airline" in SUMMARIES
    assert len(flights(export(), export(name="other", connection="other")).exports) == 2
