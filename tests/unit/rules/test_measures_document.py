"""Each example of docs/measures.md gives on every engine what the document says."""

import re
from decimal import Decimal
from typing import Any, get_args

import pyarrow as pa
import pytest

from daybook import spec
from daybook.rules.aggregate import aggregate
from daybook.rules.frames import rows_schema
from daybook.rules.per_summary import per_summary
from daybook.rules.summarize import summarize
from daybook.spec import File, Measure, Pipeline, Ratio, Schedule, Summary, Target, fact_columns
from deployment.home import REPOSITORY
from tests.support.shop import DAY

from .drawn import cells, drawing, table

DOCUMENT = (REPOSITORY / "docs" / "measures.md").read_text()
WORDS: dict[str, Any] = {**{name: getattr(spec, name) for name in spec.__all__}, "Decimal": Decimal}
EXAMPLES = re.findall(r"^\| `((?:Measure|Ratio)\(.*\))` \| (.*) \|$", DOCUMENT, re.MULTILINE)
LINES = File(
    name="lines",
    connection="ftp",
    path="{day}.csv",
    columns=(
        spec.integer("order_id"),
        spec.day_date("sold_on"),
        spec.text("city"),
        spec.text("customer"),
        spec.decimal("amount_eur", digits=9, scale=2),
        spec.integer("pieces"),
        spec.boolean("is_gift"),
        spec.day_date("shipped_on"),
        spec.day_date("returned_on"),
        spec.text("product"),
    ),
)
PARTS = (
    Measure(name="amount_eur", how="sum", of="amount_eur"),
    Measure(name="with_amount", how="count", of="amount_eur"),
    Measure(name="pieces", how="sum", of="pieces"),
    Measure(name="gift_eur", how="sum", of="amount_eur", where="is_gift"),
    Measure(name="smallest_eur", how="min", of="amount_eur"),
    Measure(name="median_eur", how="median", of="amount_eur"),
    Measure(name="returned", how="count", of="returned_on"),
)


def summary_of(engine: str, summary: Summary, measures: tuple[Measure, ...], ratios: tuple[Ratio, ...]) -> pa.Table:
    """Return a summary of the rows that the document draws."""
    pipeline = Pipeline(
        name="lines",
        description="Lines of orders",
        files=(LINES,),
        facts="lines",
        day_columns=("sold_on",),
        measures=measures,
        ratios=ratios,
        summaries=(summary,),
        target=Target(schema="lines"),
        schedule=Schedule(start=DAY),
        engine=engine,
    )
    facts = table(drawn("order_id"), rows_schema(list(fact_columns(pipeline).values())))
    return summarize(aggregate(facts, pipeline), pipeline, DAY, per_summary(facts, pipeline))[summary.name]


def drawn(first: str) -> str:
    """Return the table of the document whose first column has that name."""
    (found,) = re.findall(rf"^\| {first} \|.*\n\| ---.*\n(?:\|.*\n)+", DOCUMENT, re.MULTILINE)
    return str(found)


def test_the_document_has_an_example_of_every_measure() -> None:
    hows = {eval(written, WORDS).how for written, _ in EXAMPLES if written.startswith("Measure")}  # noqa: S307
    assert hows == set(get_args(Measure.model_fields["how"].annotation))


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb"])
def test_each_example_gives_what_the_document_says(engine: str) -> None:
    numbers = [eval(written, WORDS).model_copy(update={"name": f"n{n}"}) for n, (written, _) in enumerate(EXAMPLES)]  # noqa: S307
    measures = tuple(number for number in numbers if isinstance(number, Measure))
    ratios = tuple(number for number in numbers if isinstance(number, Ratio))
    by_day = Summary(name="by_day", columns=tuple(number.name for number in numbers))
    (found,) = summary_of(engine, by_day, (*measures, *PARTS), ratios).to_pylist()
    shown = ["nothing" if found[number.name] is None else str(found[number.name]) for number in numbers]
    assert list(zip([written for written, _ in EXAMPLES], shown, strict=True)) == EXAMPLES


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb"])
def test_the_first_groups_are_those_of_the_document(engine: str) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", DOCUMENT, re.DOTALL)
    words = dict(WORDS)
    exec(example, words)  # noqa: S102 - our own document
    shown = summary_of(engine, words["best"], PARTS, ())
    assert drawing(shown, "city", "product", "amount_eur", "place") == cells(drawn("city"))
