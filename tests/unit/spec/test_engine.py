"""What `engine="pyspark"` refuses when the spec is built, and what it says where Spark is not installed."""

import sys
from pathlib import Path

import pytest

from daybook.errors import BadSpec
from daybook.ledger.fingerprint import libraries_of
from daybook.spec import Lookup
from daybook.spec.pipeline import check
from tests.support.offline import OfflineDay
from tests.support.shop import DAY, shop

EXTRACTED = {"sales": b"id,day,shop,customer,kind,amount\n", "shops": b"shop,city\n", "customers": b"customer,age\n"}


def test_spark_is_refused_with_a_transform_and_with_a_lookup_of_the_facts() -> None:
    itself = Lookup(source="sales", key={"id": "customer"}, gives={"kind": "kind_of_customer"}, when_unknown="keep")
    words = {"transform": lambda facts: facts, "lookups": (*shop().lookups, itself)}
    check(shop(**words))
    with pytest.raises(BadSpec) as refused:
        check(shop(**words, engine="pyspark"))
    said = str(refused.value).splitlines()
    assert said[0].startswith("shop.transform: it is refused with engine='pyspark', since it gets all facts of a day")
    assert said[1].startswith("shop.lookups[2].source: 'sales' is refused with engine='pyspark'")


def test_without_pyspark_a_spec_is_built_and_planned_and_the_first_step_that_needs_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyspark", None)
    pipeline = shop(engine="pyspark")
    check(pipeline)
    assert "polars" in libraries_of("clean", pipeline)
    day = OfflineDay(pipeline, DAY, tmp_path, EXTRACTED)
    day.do("load")
    with pytest.raises(
        BadSpec, match=r"engine='pyspark': the library pyspark is not .*requirements-spark\.lock"
    ) as said:
        day.do("clean")
    assert len(str(said.value).splitlines()) == 1
