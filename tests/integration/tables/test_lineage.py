"""What OpenLineage is told of a day that was published from a table and a file: its datasets, against the spec."""

import json
import os
import tempfile
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from openlineage.client.serde import Serde

from daybook.spec import (
    CleanRows,
    Export,
    File,
    Lookup,
    Measure,
    Pipeline,
    Plausible,
    Ratio,
    Schedule,
    Summary,
    Table,
    Target,
    col,
    day_date,
    decimal,
    integer,
    text,
)
from daybook.testing import Sample, Trial

os.environ.setdefault("AIRFLOW_HOME", tempfile.mkdtemp(prefix="airflow-"))

DAY, CANARY = date(2026, 1, 10), "canary"
HOSTILE = 'public.<b>"; drop table x --'
SHOPS_PATH = "in/'%s'<script>_{day}.csv"
ORDERS = Table(
    name="orders",
    connection="shop",
    relation=HOSTILE,
    columns=(
        integer("id"),
        day_date("sold", "sold_on"),
        text("shop", "shop_id"),
        decimal("price", "price_eur", digits=9, scale=2, description="What a piece costs"),
        integer("pieces"),
    ),
    day="sold_on",
    key=("id",),
)
SHOPS = File(
    name="shops",
    connection="partner",
    path=SHOPS_PATH,
    columns=(text("Shop", "shop_id"), text("city")),
    key=("shop_id",),
)
PIPELINE = Pipeline(
    name="orders",
    description="Orders",
    tables=(ORDERS,),
    files=(SHOPS,),
    facts="orders",
    day_columns=("sold_on",),
    derived={"is_large": col("price_eur") > 100},
    lookups=(Lookup(source="shops", key="shop_id", gives={"city": "city"}, when_unknown="keep"),),
    measures=(
        Measure(name="orders", how="count"),
        Measure(name="revenue_eur", how="sum", of=col("price_eur") * col("pieces")),
        Measure(name="large", how="count", where="is_large"),
    ),
    ratios=(Ratio(name="large_pct", of="large", over="orders", times=100),),
    summaries=(
        Summary(name="by_city", by=("city", "is_large"), columns=("orders", "revenue_eur"), description="By city"),
        Summary(name="by_month", every="month", columns=("orders", "large_pct")),
    ),
    clean_rows=CleanRows(name="all_orders", columns=("shop_id",)),
    exports=(
        Export(
            name="partner",
            connection="bucket",
            path="out/{day:%Y/%m/%d}/{name}.{format}",
            summaries=("by_city",),
            formats=("csv", "report"),
        ),
    ),
    plausible=Plausible(min_rows=0, within_pct=None),
    target=Target(schema="orders"),
    also=(Target(connection="copy", schema="orders_copy"),),
    schedule=Schedule(start=DAY),
)
SAMPLE = Sample(
    day=DAY,
    tables={"orders": f"id,sold,shop,price,pieces\n1,{DAY},A,1.50,2\n2,{DAY},B,200.00,1\n"},
    files={SHOPS.path_on(DAY): b"Shop,city\nA,Vigo\nB,Reus\n"},
)
CONNECTIONS: dict[str, dict[str, Any]] = {
    "shop": {"conn_type": "postgres", "host": "shop.example", "schema": "shop"},
    "warehouse": {"conn_type": "postgres", "host": "wh.example", "port": 5433, "schema": "dw"},
    "copy": {"conn_type": "postgres", "host": "copy.example", "schema": "dw"},
    "partner": {"conn_type": "sftp", "host": "files.example"},
    "bucket": {"conn_type": "aws", "extra": {"bucket": "out"}},
}
ORDERS_IN, SHOPS_IN = ("postgres://shop.example:5432", f"shop.{HOSTILE}"), ("sftp://files.example:22", SHOPS_PATH)
WAREHOUSE, COPY = "postgres://wh.example:5433", "postgres://copy.example:5432"
VIEWS = ("by_city", "by_month", "all_orders")
SENT = ("out/{day:%Y/%m/%d}/by_city.csv", "out/{day:%Y/%m/%d}/report.html")


@pytest.fixture
def told(
    trial_of: Callable[[Pipeline, Sample], Trial], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], dict[str, Any]]:
    """Returns what OpenLineage gets of a step of a day that was published, as JSON; half a run stands beside it."""
    # It imports all of Airflow.
    from daybook_airflow.hooks import stored
    from daybook_airflow.lineage.datasets import lineage_of

    for name, words in CONNECTIONS.items():
        whole = {**words, "login": "ann", "password": CANARY, "extra": {**words.get("extra", {}), "token": CANARY}}
        monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(whole))
    trial = trial_of(PIPELINE, SAMPLE)
    trial.run(DAY, run="whole")
    trial.run(DAY, run="half", until="extract_tables")
    day_runs = [trial.day_run(DAY, "whole"), trial.day_run(DAY, "half")]

    def told(step: str) -> dict[str, Any]:
        lineage = lineage_of(step, day_runs, stored)
        texts = {kind: [*map(Serde.to_json, getattr(lineage, kind))] for kind in ("inputs", "outputs")}
        assert CANARY not in str(texts)
        return {kind: [*map(json.loads, of_kind)] for kind, of_kind in texts.items()}

    return told


def names(datasets: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(dataset["namespace"], dataset["name"]) for dataset in datasets]


def test_each_step_tells_the_sources_and_what_is_published_as_the_spec_names_them(
    told: Callable[[str], dict[str, Any]],
) -> None:
    read = {step: names(told(step)["inputs"]) for step in ("extract_tables", "extract_files", "load", "save", "deploy")}
    assert read == {
        "extract_tables": [ORDERS_IN],
        "extract_files": [SHOPS_IN],
        "load": [],
        "save": [ORDERS_IN, SHOPS_IN],
        "deploy": [ORDERS_IN, SHOPS_IN],
    }
    assert names(told("save")["outputs"]) == [(WAREHOUSE, f"dw.orders_store.{view}") for view in VIEWS]
    assert names(told("deploy")["outputs"]) == [
        *((WAREHOUSE, f"dw.orders.{view}") for view in VIEWS),
        *((COPY, f"dw.orders_copy.{view}") for view in VIEWS),
        *(("s3://out", path) for path in SENT),
    ]
    # Both runs have read the table: two rows each. Only the whole one has read the file.
    (orders,), (shops,) = told("extract_tables")["inputs"], told("extract_files")["inputs"]
    assert orders["inputFacets"]["inputStatistics"]["rowCount"] == 4
    assert shops["inputFacets"]["subset"]["inputCondition"]["locations"] == [SHOPS.path_on(DAY)]
    assert (
        shops["inputFacets"]["inputStatistics"] | {"fileCount": 1, "size": 24}
        == shops["inputFacets"]["inputStatistics"]
    )


def test_each_published_column_tells_the_columns_that_it_is_made_from(told: Callable[[str], dict[str, Any]]) -> None:
    by_name = {dataset["name"]: dataset for dataset in told("deploy")["outputs"]}
    price, pieces, shop, sold = ((*ORDERS_IN, name) for name in ("price", "pieces", "shop", "sold"))
    city, key = (*SHOPS_IN, "city"), (*SHOPS_IN, "Shop")
    assert made_from(by_name["dw.orders.by_city"]) == {
        "day": ("TRANSFORMATION", [sold]),
        "city": ("TRANSFORMATION", [shop, city]),
        "is_large": ("TRANSFORMATION", [price]),
        "revenue_eur": ("AGGREGATION", [pieces, price]),
    }
    assert made_from(by_name["dw.orders.by_month"])["large_pct"] == ("AGGREGATION", [price])
    assert made_from(by_name["dw.orders.all_orders"])["shop_id"] == ("IDENTITY", [shop])
    assert key not in {field for _, fields in made_from(by_name["dw.orders.by_city"]).values() for field in fields}
    for copy in ("dw.orders_copy.by_city", SENT[0]):
        assert by_name[copy]["facets"] == by_name["dw.orders.by_city"]["facets"]
    facets = by_name["dw.orders.by_city"]["facets"]
    fields = {field["name"]: field["type"] for field in facets["schema"]["fields"]}
    assert list(fields) == ["day", "city", "is_large", "orders", "revenue_eur"]
    assert (fields["day"], fields["orders"]) == ("date", "bigint")
    assert facets["documentation"]["description"] == "By city"
    assert by_name["dw.orders.by_city"]["outputFacets"]["outputStatistics"]["rowCount"] == 2


def made_from(dataset: dict[str, Any]) -> dict[str, tuple[str, list[tuple[str, str, str]]]]:
    """Return how each column was made, and from which columns."""
    fields = dataset["facets"]["columnLineage"]["fields"]
    return {
        name: (
            one["inputFields"][0]["transformations"][0]["subtype"],
            [(used["namespace"], used["name"], used["field"]) for used in one["inputFields"]],
        )
        for name, one in fields.items()
    }
