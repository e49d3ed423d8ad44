"""Decimal commas read by a transform."""

from datetime import date
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa

from daybook.spec import File, Measure, Pipeline, Schedule, Summary, Target, day_date, decimal, text


def numbers(facts: Any) -> Any:
    plain = facts["amount_text"].astype(str).str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
    facts["amount"] = pd.Series(
        [Decimal(x) for x in plain], index=facts.index, dtype=pd.ArrowDtype(pa.decimal128(12, 2))
    )
    return facts


F = File(
    name="f",
    connection="ftp",
    path="f_{day:%Y-%m-%d}.csv",
    is_written_whole=True,
    delimiter=";",
    columns=(day_date("day"), text("store"), text("amount", "amount_text", pattern=r"-?[0-9.]+(,[0-9]{2})?")),
)
PIPELINE = Pipeline(
    name="case",
    description="Decimal commas read by a transform",
    files=(F,),
    facts="f",
    day_columns=("day",),
    transform=numbers,
    transform_gives=(decimal("amount_x", "amount", digits=12, scale=2),),
    measures=(Measure(name="n", how="count"), Measure(name="total", how="sum", of="amount")),
    summaries=(Summary(name="by_day", columns=("n", "total")),),
    target=Target(schema="case"),
    schedule=Schedule(start=date(2024, 1, 1)),
)
