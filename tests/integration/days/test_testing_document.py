"""The test in docs/testing.md passes, for the pipeline of docs/pipeline.md; and so do checks of facts in a table."""

import re
import sys
from datetime import date
from types import ModuleType

from daybook.spec import Measure, Pipeline, Schedule, Summary, Table, Target, decimal, integer, text, timestamp
from daybook.testing import PipelineChecks, Sample
from deployment.home import REPOSITORY


def module(name: str, document: str, words: str) -> ModuleType:
    """Run the first Python block of a document that has some words, as a module."""
    blocks = re.findall(r"```python\n(.*?)```", (REPOSITORY / "docs" / document).read_text(), re.DOTALL)
    made = sys.modules[name] = ModuleType(name)
    exec(next(block for block in blocks if words in block), made.__dict__)  # noqa: S102 - our own document
    return made


module("pipelines.sales", "pipeline.md", "PIPELINE = Pipeline(")
_document = module("testing_document", "testing.md", "class TestSales")
TestSales = _document.TestSales
test_sales_by_city = _document.test_sales_by_city

ORDERS = Table(
    name="orders",
    connection="source_db",
    relation="shop.orders",
    columns=(integer("id"), timestamp("sold_at"), text("store"), decimal("amount", digits=10, scale=2)),
    key=("id",),
    day="sold_at",
)


class TestFactsInATable(PipelineChecks):
    """Two of the four orders are of the day in Madrid."""

    pipeline = Pipeline(
        name="orders_of_a_day",
        description="Orders by store",
        tables=(ORDERS,),
        facts="orders",
        day_columns=("sold_at",),
        measures=(Measure(name="orders", how="count"), Measure(name="amount", how="sum", of="amount")),
        summaries=(Summary(name="by_store", by=("store",), columns=("orders", "amount")),),
        target=Target(schema="orders_of_a_day"),
        schedule=Schedule(time_zone="Europe/Madrid", start=date(2024, 3, 1)),
    )
    sample = Sample(
        day=date(2024, 3, 31),
        tables={
            "orders": "id,sold_at,store,amount\n"
            "1,2024-03-30 22:59:59Z,A,1.00\n2,2024-03-30 23:00Z,A,2.50\n"
            "3,2024-03-31 21:59:59Z,B,4.00\n4,2024-03-31 22:00Z,B,8.00\n"
        },
    )
