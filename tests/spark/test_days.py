"""A day on a Spark cluster of two workers is the day that Polars makes on one machine, to the byte."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest

from daybook.errors import BadData, BadSpec
from daybook.spec import Limits, Measure, Pipeline, Schedule, Summary, Target, col, lit, when
from tests.support.offline import OfflineDay
from tests.support.shop import DAY
from tests.support.spark_cluster import SparkCluster
from tests.unit.rules import test_measures_document as of_document
from tests.unit.stream import test_batches as batches

pytestmark = [pytest.mark.usefixtures("cluster", "many_parts")]
STEPS = batches.STEPS
SECONDS = 120
# Hostile as groups and as the first and last of their column: by code point `Z` is before `a`, and `é` after both.
TEXTS = ("", "Zoë", "a", "é", "a.b`c", "x'; drop", "💶", "=1+1", "NA", "\u00a0", "a\u0301")


@pytest.mark.parametrize("key", ["id", ""])
def test_a_day_with_equal_rows_shared_keys_and_refused_rows_is_the_same(data: Path, key: str) -> None:
    words: dict[str, Any] = {"key": (key,) if key else (), "twins": "drop"}
    here = batches.done(data / "here", batches.pipeline("polars", **words))
    assert "twin=" in here["counts"][1][0]
    assert batches.done(data / "spark", batches.pipeline("pyspark", **words)) == here
    assert len(list((data / "spark").rglob("index/sales.*.parquet"))) > 2


def test_every_measure_and_expression_is_the_same_by_any_group(data: Path) -> None:
    lines = [line(number) for number in range(200)]
    assert published(data / "spark", of_lines("pyspark"), lines) == published(data / "here", of_lines("polars"), lines)


def test_a_day_without_rows_is_the_same(data: Path) -> None:
    assert published(data / "spark", of_lines("pyspark"), []) == published(data / "here", of_lines("polars"), [])


def test_a_sum_that_could_leave_64_bits_over_all_parts_is_refused_in_the_same_words(data: Path) -> None:
    # Each part alone would fit.
    lines = [f"{number},{DAY},a,b,1.00,{2**59},false,,,p" for number in range(30)]
    said = []
    for engine in ("polars", "pyspark"):
        with pytest.raises(BadData, match=r"could leave 64 bits: 30 rows") as refused:
            published(data / engine, of_lines(engine), lines)
        said.append(str(refused.value))
    assert said[0] == said[1]


def test_a_value_that_fits_no_number_is_refused_at_once_with_its_line(data: Path) -> None:
    lines = [f"{number},{DAY},a,b,1.00,{2**61 if number == 28 else 1},false,,,p" for number in range(30)]
    of = of_lines("pyspark", Measure(name="eightfold", how="max", of=col("pieces") * 8))
    with pytest.raises(BadData, match=r"line 30\b.*eightfold"):
        published(data, of, lines)


def test_a_day_whose_worker_dies_comes_out_right(data: Path, cluster: SparkCluster) -> None:
    words: dict[str, Any] = {"key": ("id",), "twins": "drop"}
    here = batches.done(data / "here", batches.pipeline("polars", **words))
    of, folder = batches.pipeline("pyspark", **words), data / "spark"
    killer = threading.Thread(target=kill_when_a_part_is_clean, args=(cluster, folder))
    killer.start()
    try:
        assert batches.done(folder, of) == here
    finally:
        killer.join()
    cluster.start_worker("worker_1")
    assert batches.done(data / "again", of) == here


def kill_when_a_part_is_clean(cluster: SparkCluster, folder: Path) -> None:
    until = time.monotonic() + SECONDS
    while not list(folder.rglob("clean/sales.*.parquet")):
        assert time.monotonic() < until
        time.sleep(0.01)
    cluster.kill_worker("worker_1")


def test_without_java_the_step_says_so_and_how_it_is_mended(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(data))
    day = OfflineDay(of_lines("pyspark"), DAY, data / "day", {"lines": content([])})
    day.do("load")
    with pytest.raises(BadSpec, match=r"no Java runtime is here \(JAVA_HOME names .*Debian: default-jre-headless\)"):
        day.do("clean")


def of_lines(engine: str, *more: Measure) -> Pipeline:
    """Return a pipeline with each measure of docs/measures.md, by groups of every kind of column."""
    given = [eval(written, of_document.WORDS) for written, _ in of_document.EXAMPLES]  # noqa: S307 - our own document
    measures = (
        *(one.model_copy(update={"name": f"n{n}"}) for n, one in enumerate(given) if isinstance(one, Measure)),
        Measure(name="first_city", how="min", of="city"),
        Measure(name="last_city", how="max", of="city"),
        Measure(name="cities", how="distinct", of="city"),
        Measure(name="each_eur", how="sum", of=col("price_eur") * 3, where=col("pieces") > 2),
        *more,
    )
    groups: list[tuple[str, ...]] = [("city",), ("shipped_on", "is_gift", "size", "price_eur")]
    names = tuple(measure.name for measure in measures)
    price = col("amount_eur").divided_by(col("pieces"), scale=2, by_zero="nothing")
    return Pipeline(
        name="lines",
        description="Lines of orders",
        files=(of_document.LINES.model_copy(update={"limits": Limits(refused_rows=200, at_least=200)}),),
        facts="lines",
        day_columns=("sold_on",),
        derived={
            "price_eur": price,
            "size": when(col("pieces") > 3).then(lit("large")).otherwise(col("product").upper()),
        },
        rules={"no_13": col("pieces") != 13},
        measures=(*measures, *(part for part in of_document.PARTS if part.name not in names)),
        summaries=tuple(Summary(name=f"by_{n}", by=by, columns=names) for n, by in enumerate(groups)),
        target=Target(schema="lines"),
        schedule=Schedule(start=DAY),
        engine=engine,
    )


def line(number: int) -> str:
    """Return a line of orders: groups and values come again, in other parts, and some are missing."""
    city, customer = TEXTS[number % len(TEXTS)], TEXTS[number * 7 % 5]
    amount = f"{(number * 7919) % 4001 - 2000}.{number % 100:02}" if number % 9 else ""
    pieces, is_gift = number % 16, ("true", "false", "")[number % 3]
    shipped = f"2026-01-{number % 5 + 1:02}" if number % 5 else ""
    return f'{number},{DAY},"{city}","{customer}",{amount},{pieces},{is_gift},{shipped},,p{number % 3}'


def content(lines: list[str]) -> bytes:
    """Return the file with some lines."""
    head = ",".join(column.header for column in of_document.LINES.columns)
    return "".join(f"{one}\n" for one in (head, *lines)).encode()


def published(folder: Path, of: Pipeline, lines: list[str]) -> dict[str, bytes]:
    """Return what readers would get of a day with some lines."""
    day = OfflineDay(of, DAY, folder, {"lines": content(lines)})
    day.do(*STEPS)
    return day.published()
