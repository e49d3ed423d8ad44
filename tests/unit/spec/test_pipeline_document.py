"""The pipeline of docs/pipeline.md can be copied as it stands, and the defaults in its table are those of the spec."""

import re
from typing import Any

import pytest

from daybook import spec
from daybook.spec import File, Form, Limits, Pipeline, Plausible, text
from deployment.home import REPOSITORY

DOCUMENT = (REPOSITORY / "docs" / "pipeline.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)


def test_the_module_of_the_document_is_a_pipeline() -> None:
    words: dict[str, Any] = {}
    exec(EXAMPLES[0], words)  # noqa: S102 - our own document
    pipeline = words["PIPELINE"]
    assert isinstance(pipeline, Pipeline)
    assert [summary.name for summary in pipeline.summaries] == ["by_city", "by_day"]


@pytest.mark.parametrize("example", EXAMPLES[1:])
def test_each_further_example_is_accepted_by_the_spec(example: str) -> None:
    exec(example, {name: getattr(spec, name) for name in spec.__all__})  # noqa: S102 - our own document


def default_of(word: str) -> str:
    """Return the last cell of the row of the table that begins with a word."""
    (row,) = [line for line in DOCUMENT.splitlines() if line.startswith(f"| `{word}")]
    return row.split(" | ")[-1].removesuffix(" |")


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("Limits(refused_rows", f"{Limits().refused_rows} rows, {Limits().refused_share * 100:g} %"),
        ("Limits(systemic", f"{Limits().systemic_share * 100:g} %, from {Limits().at_least} rows on"),
        ("Plausible(min_rows", str(Plausible().min_rows)),
        ("Plausible(within_pct", f"{Plausible().within_pct} %, {Plausible().days} days"),
        ("catch_up_days", f"{Pipeline.model_fields['catch_up_days'].default} days"),
        ("look_back_days", f"{Pipeline.model_fields['look_back_days'].default} days"),
        ("Form(may_be_empty", "yes" if Form().may_be_empty else "no"),
    ],
)
def test_the_table_has_the_defaults_of_the_spec(word: str, said: str) -> None:
    assert default_of(word) == said


def test_the_table_has_the_default_of_twins() -> None:
    words = {"name": "f", "connection": "ftp", "path": "{day}", "columns": (text("id"),)}
    keyed, plain = File(**words, key=("id",)), File(**words)
    assert default_of("twins") == f'`"{keyed.on_twins}"` with a key, `"{plain.on_twins}"` without'
