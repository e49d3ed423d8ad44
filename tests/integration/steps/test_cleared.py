"""Every subset of the nine tasks that a person can clear, or mark as success before they are done: no day lies.

After each, readers see the day as it was or as the source holds it now, never old numbers under a new file's name; the
plan says which days are not what the source holds; and the run that it asks for makes them so.
"""

import os
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import NamedTuple

import psycopg
import pytest

from daybook.errors import BrokenChain
from daybook.ledger.receipt import STEPS
from daybook.spec import (
    File,
    Lookup,
    Measure,
    Pipeline,
    Schedule,
    Summary,
    Table,
    Target,
    day_date,
    integer,
    text,
)
from deployment.servers.postgres import LocalPostgres
from tests.support.cleared import DAY, Day, Run, every_subset, of_day
from tests.support.servers import Servers
from tests.support.warehouse import drop_pipeline

SALES = (day_date("day", "sold_on"), integer("id"), text("shop"), integer("amount", "amount_eur"))
SHOPS = (text("shop"), text("city"))


Deliver = Callable[[int], None]
"""Delivers the facts, or corrects them: the amount of the second sale."""


class Made(NamedTuple):
    """A pipeline, and its supplier."""

    pipeline: Pipeline
    deliver: Deliver


class Supplied(NamedTuple):
    """A day of a pipeline, in a run as it is or a forced one, and its supplier."""

    day: Day
    deliver: Deliver


def lines(amount: int) -> list[str]:
    """Return the facts: sales of two shops, of which one was corrected."""
    return [f"{DAY},1,A,10", f"{DAY},2,B,{amount}", f"{DAY},3,B,5"]


def pipeline(name: str, **sources: object) -> Pipeline:
    """Return a pipeline of sales by shop."""
    words: dict[str, object] = {
        "name": name,
        "description": "Sales",
        "facts": "sales",
        "day_columns": ("sold_on",),
        "lookups": (Lookup(source="shops", key="shop", gives={"city": "city"}, when_unknown="refuse"),),
        "measures": (Measure(name="sales", how="count"), Measure(name="amount_eur", how="sum", of="amount_eur")),
        "summaries": (Summary(name="by_shop", by=("shop", "city"), columns=("sales", "amount_eur")),),
        "target": Target(schema=name),
        "schedule": Schedule(start=DAY),
    }
    return Pipeline(**(words | sources))


def facts_in_a_file(name: str, ftp: Path, source: psycopg.Connection[object]) -> Made:
    """Facts in a file, a lookup in a table."""
    _fill(source, f"{name}_shops", "shop text, city text", ["A,Lugo", "B,Vigo"])
    sales = File(name="sales", connection="ftp", path=name + "/{day}.csv", is_written_whole=True, columns=SALES)
    shops = Table(name="shops", connection="source_db", relation=f"public.{name}_shops", columns=SHOPS, key=("shop",))
    made = pipeline(name, files=(sales,), tables=(shops,))
    return Made(made, lambda amount: _write(ftp / name / f"{DAY}.csv", "day,id,shop,amount", lines(amount)))


def facts_in_two_parts(name: str, ftp: Path, source: psycopg.Connection[object]) -> Made:
    """Facts in two files, of which the second is corrected; pandas."""
    made = facts_in_a_file(name, ftp, source).pipeline
    (file,) = made.files
    parts = file.model_copy(update={"path": name + "/{day}_{part}of{parts}.csv", "parts": 2})

    def deliver(amount: int) -> None:
        _write(ftp / name / f"{DAY}_1of2.csv", "day,id,shop,amount", lines(amount)[:1])
        _write(ftp / name / f"{DAY}_2of2.csv", "day,id,shop,amount", lines(amount)[1:])

    return Made(made.model_copy(update={"files": (parts,), "engine": "pandas"}), deliver)


def facts_in_a_table(name: str, ftp: Path, source: psycopg.Connection[object]) -> Made:
    """Facts in a table, a lookup in a file; Polars."""
    _write(ftp / name / f"{DAY}.csv", "shop,city", ["A,Lugo", "B,Vigo"])
    relation = f"public.{name}_sales"
    sales = Table(name="sales", connection="source_db", relation=relation, columns=SALES)
    shops = File(
        name="shops", connection="ftp", path=name + "/{day}.csv", is_written_whole=True, columns=SHOPS, key=("shop",)
    )
    made = pipeline(name, files=(shops,), tables=(sales,), engine="polars")
    columns = "day date, id integer, shop text, amount integer"
    return Made(made, lambda amount: _fill(source, f"{name}_sales", columns, lines(amount)))


def _write(file: Path, header: str, rows: list[str]) -> None:
    file.parent.mkdir(exist_ok=True)
    later = file.stat().st_mtime + 2 if file.exists() else None  # servers tell the time in seconds
    file.write_text("\n".join([header, *rows, ""]))
    if later:
        os.utime(file, (later, later))


def _fill(source: psycopg.Connection[object], table: str, columns: str, rows: list[str]) -> None:
    source.execute(f"drop table if exists {table}; create table {table} ({columns})".encode())
    for row in rows:
        values = row.split(",")
        source.execute(f"insert into {table} values ({', '.join(['%s'] * len(values))})".encode(), values)


@pytest.fixture(
    params=[(facts_in_a_file, False), (facts_in_two_parts, False), (facts_in_a_table, True)],
    ids=["facts_in_a_file", "facts_in_two_parts", "facts_in_a_table_forced"],
)
def supplied(request: pytest.FixtureRequest, servers: Servers, postgres: LocalPostgres) -> Iterator[Supplied]:
    """A pipeline of the test's own, with its first delivery."""
    name, (make, is_forced) = f"s{zlib.crc32(request.node.nodeid.encode())}", request.param
    with psycopg.connect(postgres.dsn("source", "source_owner"), autocommit=True) as source:
        made = make(name, servers.ftp.root, source)
        made.deliver(20)
        with psycopg.connect(postgres.dsn("warehouse"), autocommit=True) as admin:
            yield Supplied(of_day(made.pipeline, servers, admin, is_forced=is_forced), made.deliver)
        source.execute(f"drop table if exists {name}_shops, {name}_sales".encode())
    with psycopg.connect(postgres.dsn("warehouse", "warehouse_owner")) as connection:
        drop_pipeline(connection, name)


@pytest.fixture
def day(supplied: Supplied) -> Day:
    """Its day, in a run as it is or a forced one."""
    return supplied.day


OLD = [(date.fromisoformat(DAY), "A", "Lugo", 1, 10), (date.fromisoformat(DAY), "B", "Vigo", 2, 25)]
NEW = [OLD[0], (date.fromisoformat(DAY), "B", "Vigo", 2, 35)]


@dataclass
class Checked:
    """What must hold after each subset of tasks. old: the hashes that the ledger names for the old result."""

    day: Day
    old: set[str] | None
    holds: list[tuple[date, str, str, int, int]]
    mended: set[tuple[str, str]] = field(default_factory=set)

    def __call__(self, cleared: tuple[str, ...]) -> None:
        """Look at the day after these tasks were done."""
        day, seen, planned = self.day, self.day.seen(), self.day.plan()
        assert seen in (OLD, self.holds, []), cleared
        assert not seen or self.old is None or (seen == OLD) == (day.named() == self.old), cleared
        assert (planned.action, planned.reason == "nothing changed") == (
            ("skip", True) if seen == self.holds else ("run", False)
        ), (cleared, planned)
        # Such a run starts from the sources: what else is in the run that it follows, it takes over or leaves.
        if planned.action == "run" and (planned.reason, str(seen)) not in self.mended:
            self.mended.add((planned.reason, str(seen)))
            day.run("backfill")
            assert (day.seen(), day.plan().reason) == (self.holds, "nothing changed"), (cleared, planned)
            assert self.holds == OLD or day.named() != self.old


def check_words(errors: list[Exception]) -> None:
    """Check that errors say what to clear, and that the scheduler does not try again."""
    for error in errors:
        assert isinstance(error, BrokenChain), error
        assert re.search(
            r" was not done, nothing was published; clear `\w+` and everything downstream of it$", str(error)
        )


def test_no_subset_of_the_tasks_cleared_after_the_source_was_corrected_lets_the_day_lie(
    day: Day, supplied: Supplied
) -> None:
    day.run("run")
    check, run = Checked(day, day.named(), NEW), Run(day.work)
    supplied.deliver(30)
    assert sum(every_subset(day, run, check)) == 2**9
    check_words(run.errors)
    said = {str(error) for error in run.errors}
    for step, before in zip(STEPS[2:8], STEPS[1:7], strict=True):
        assert any(f"`{step}` of this run rests on an older result of " in one for one in said), (step, before)


def test_no_subset_of_the_tasks_cleared_over_the_same_source_fails_or_is_done_again(day: Day) -> None:
    day.run("run")
    check, run = Checked(day, day.named(), OLD), Run(day.work)
    assert sum(every_subset(day, run, check)) == 2**9
    assert not run.errors
    assert not check.mended


@pytest.mark.parametrize("supplied", [(facts_in_a_file, False)], indirect=True, ids=["facts_in_a_file"])
def test_no_subset_of_the_tasks_marked_as_success_before_they_are_done_lets_the_day_lie(day: Day) -> None:
    check, run = Checked(day, None, OLD), Run(day.work)
    assert sum(every_subset(day, run, check)) == 2**9
    check_words(run.errors)
    said = {str(error) for error in run.errors}
    for step in STEPS[:8]:
        assert any(f"`{step}` of this run has no receipt: it was marked as success" in one for one in said), step
