"""A day comes out the same, to the byte, however many of its rows are looked at together; on all three engines."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from daybook.refused.rows import FILE
from daybook.rules.first_look import has_one_of, ranges, shared
from daybook.run import step_run
from daybook.spec import CleanRows, Limits, Measure, Pipeline, Summary, col
from daybook.storage import tables
from daybook.storage.folder import Folder
from daybook.storage.spill import Spill
from daybook.storage.tables import parquet_batches
from daybook.stream import cleaned
from tests.support.offline import OfflineDay
from tests.support.shop import CUSTOMERS, DAY, SALES, SHOPS, shop

STEPS = ("load", "clean", "index", "aggregate")
ROWS = 40


def pipeline(engine: str, **words: object) -> Pipeline:
    """Return the shop with measures of every kind, a rule, and published rows."""
    measures = (
        *shop().measures,
        Measure(name="customers", how="distinct", of="customer"),
        Measure(name="median_eur", how="median", of="amount_eur", scale=3),
        Measure(name="first_kind", how="min", of="kind"),
        Measure(name="double_eur", how="sum", of=col("amount_eur") * 2),
    )
    summaries = (*shop().summaries, Summary(name="by_kind", by=("kind",), columns=("customers", "median_eur")))
    rows = CleanRows(name="rows", columns=("id", "city", "amount_eur"))
    limits = Limits(refused_rows=ROWS, at_least=ROWS)
    sales = SALES.model_copy(update={"limits": limits, **words})
    shops = SHOPS.model_copy(update={"limits": limits})
    rules = {"sold": col("amount_eur") != 13}
    return shop(
        engine=engine,
        files=(sales,),
        tables=(shops, CUSTOMERS),
        measures=measures,
        summaries=summaries,
        clean_rows=rows,
        rules=rules,
    )


def delivered() -> dict[str, bytes]:
    """Return a day's bytes: equal rows, keys that several rows have, rows that break rules, and good ones."""
    random, lines = Random(7), list[str]()
    for _ in range(ROWS):
        number = random.randrange(90)
        amount = random.choice(["10.00", "20.05", "200.00", "", "0.01", *(["13.00", "1001.00", "x"] * (number < 30))])
        kind = random.choice(["cash", "card", "NA", *(["loan"] * (number < 30))])
        on = random.choice([DAY, DAY, DAY, DAY.replace(day=9 if number < 40 else 10)])
        shop_, customer = random.choice(["A1", "A1", "B2", "B2", "C3"]), random.choice(["7", "8", ""])
        lines.append(f"{number},{on},{shop_},{customer},{kind},{amount}")
        lines += lines[-1:] * (random.random() < 0.2)
    sales = "id,day,shop,customer,kind,amount\n" + "".join(f"{line}\n" for line in lines)
    shops, customers = "shop,city\nA1,Bilbao\nB2,Vigo\nA9,x\nA9,y\n", "customer,age\n7,41\n"
    return {"sales": sales.encode(), "shops": shops.encode(), "customers": customers.encode()}


# Texts come as codes, however many different ones there are.
ANY = 10**6


def done(folder: Path, of: Pipeline) -> dict[str, Any]:
    """Return all that a day leaves: published bytes, refused rows, counts and the keys of lookups."""
    day = OfflineDay(of, DAY, folder, delivered())
    day.do(*STEPS)
    receipts = [day.receipts[step] for step in STEPS]
    return {
        "published": day.published(),
        "refused": [day.table(step, FILE).to_pylist() for step in STEPS[:3]],
        "counts": [(one.line(), one.unknown, one.totals) for one in receipts],
        "keys": [day.table("index", f"keys.{name}.parquet") for name in ("shops", "customers")],
    }


@pytest.mark.parametrize(("engine", "key"), [("polars", "id"), ("pandas", "id"), ("duckdb", "id"), ("polars", "")])
def test_a_day_is_the_same_by_one_row_by_seven_and_at_once(
    tmp_path: Path, engine: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = pipeline(engine, key=(key,) if key else (), twins="drop")
    at_once = done(tmp_path / "all", of)
    dropped, refused = at_once["counts"][1][0], {row["reason"] for row in at_once["refused"][1]}
    assert "twin=" in dropped
    assert refused >= {"other_day", "not_allowed", "sold", *(["key_conflict"] if key else [])}
    assert [row["reason"] for row in at_once["refused"][2]] == ["unknown_in_shops"] * len(at_once["refused"][2])
    for rows, coded_bytes in ((1, 0), (7, ANY)):
        monkeypatch.setattr(tables, "CODED_BYTES", coded_bytes)
        monkeypatch.setattr(step_run, "parquet_batches", by(rows))
        monkeypatch.setattr(cleaned, "ranges", lambda suspects: ranges(suspects, 8))
        assert done(tmp_path / f"{rows}_{coded_bytes}", of) == at_once


def by(rows: int) -> Any:
    """Return what reads so many rows at a time."""

    def batches(file: Any, columns: Any = None, least_rows: int = 0) -> Iterator[pa.Table]:
        for batch in parquet_batches(file, columns):
            yield from (batch.slice(start, rows) for start in range(0, max(batch.num_rows, 1), rows))

    return batches


def test_numbers_that_do_not_fit_into_memory_come_back_by_their_first_bits(tmp_path: Path) -> None:
    numbers = np.random.default_rng(1).integers(0, 2**64, 1000, np.uint64)
    twice = np.concatenate([numbers, numbers[:100], numbers[:10]])
    with Spill(Folder(tmp_path), in_memory=64) as spill:
        for some in np.split(twice, 37 * np.arange(1, 30)):
            spill.add(some)
        parts = list(spill.parts())
    assert len(parts) > 1
    assert all(before.max() < after.min() for before, after in pairwise(parts))
    found = shared(parts)
    assert found.values.tolist() == sorted(numbers[:100].tolist())
    assert sorted(found.rows.tolist()) == [2] * 90 + [3] * 10
    cut = list(ranges(found, 20))
    assert np.concatenate(cut).tolist() == found.values.tolist()
    assert max(map(len, cut)) <= 10
    assert has_one_of(twice, cut[0]).sum() == found.rows[: len(cut[0])].sum()
    assert list(tmp_path.iterdir()) == []
