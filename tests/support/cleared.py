"""Tasks of a run that a person clears or marks, done by the real steps in every combination.

The scheduler of `Run` is Airflow's rule for a cleared run: a cleared task begins when the tasks right before it have
succeeded, and a task that was not cleared has. All combinations of nine tasks are a tree with two branches at each
task: `every_subset` walks it, with the data folder and the warehouse copied at each fork. Two nodes at one task with
the same state have the same tree below them, so the second one is not walked again: `state` is all that the steps
decide by, without times and without the numbers of runs.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from daybook import steps
from daybook.ledger.receipt import STEPS, Receipt
from daybook.planning.observe import observe
from daybook.planning.plan import Planned, plan
from daybook.run.day_run import DayRun
from daybook.run.run_step import run_step
from daybook.spec import Pipeline

from .servers import Servers, run_steps
from .warehouse import Copied, copied, put_back

DAY = "2026-01-10"
UPSTREAM = {step: STEPS[:2] if step == "load" else STEPS[n - 1 : n] for n, step in enumerate(STEPS)}
UPSTREAM |= dict.fromkeys(STEPS[:2], ())


@dataclass(frozen=True)
class Run:
    """A run of the nine tasks on a day: their states, "success", "failed" or "upstream_failed", and what was raised."""

    day_run: DayRun
    states: dict[str, str] = field(default_factory=lambda: dict.fromkeys(STEPS, "success"))
    errors: list[Exception] = field(default_factory=list)

    def do(self, step: str) -> "Run":
        """Do a task as the scheduler would, if the tasks right before it have succeeded."""
        if any(self.states[before] != "success" for before in UPSTREAM[step]):
            return replace(self, states=self.states | {step: "upstream_failed"})
        try:
            run_step(getattr(steps, step), self.day_run)
        except Exception as error:
            self.errors.append(error)
            return replace(self, states=self.states | {step: "failed"})
        return replace(self, states=self.states | {step: "success"})


@dataclass
class Day:
    """A day of a pipeline on real servers: what readers see of it, what its plan is, and its state, to go back to."""

    servers: Servers
    pipeline: Pipeline
    work: DayRun
    admin: psycopg.Connection[Any]
    copies: int = 0

    def run(self, name: str) -> None:
        """Do all steps of the day in a run, as a backfill would."""
        run_steps(replace(self.work, run=name, is_forced=False), self.servers)

    def plan(self) -> Planned:
        """Return what a backfill would do to the day, and why."""
        ask = self.pipeline, [self.work.day], self.work.postgres, self.work.ftp, self.work.data
        seen = observe(*ask)
        return plan(self.pipeline, seen.standings, seen.tables)[0]

    def seen(self) -> list[tuple[Any, ...]]:
        """Return what readers see of the day."""
        if self._rows("select to_regclass(%s)", f"{self.pipeline.target.schema_}.by_shop") == [(None,)]:
            return []
        return self._rows(f"select * from {self.pipeline.target.schema_}.by_shop order by shop")

    def named(self) -> set[str]:
        """Return the hashes that the ledger names for the facts of what readers see: of the entry, and of a receipt."""
        query = "select facts_sha256, receipts from daybook.published join daybook.ledger using (run_id) where "
        found = self._rows(f"{query} published.pipeline = %s", self.pipeline.name)
        return {facts for facts, _ in found} | {
            made["sha256"]
            for _, receipts in found
            for receipt in receipts
            for name, made in receipt["outputs"].items()
            if receipt["step"].startswith("extract_") and name.split(".")[0] == self.pipeline.facts
        }

    def copy(self) -> tuple[Path, Copied]:
        """Copy the data folder and the warehouse. Files are never changed in place, so links are copies."""
        self.copies += 1
        there = self.servers.data.with_name(f"copy_{self.copies}")
        shutil.copytree(self.servers.data, there, symlinks=True, copy_function=os.link)
        return there, copied(self.admin, self.pipeline)

    def go_back(self, before: tuple[Path, Copied]) -> None:
        """Go back to a copy, which is used up."""
        there, warehouse = before
        shutil.rmtree(self.servers.data)
        there.rename(self.servers.data)
        put_back(self.admin, self.pipeline, warehouse)

    def state(self, run: Run, left: tuple[str, ...]) -> object:
        """Return all that steps and plan decide by, without times and numbers of runs. left: the tasks to come."""
        receipts = {step: self.work.receipt_if_done(step) for step in STEPS}
        published = self._rows("select run_id from daybook.published where pipeline = %s", self.pipeline.name)
        tried = self._rows(
            "select step, state = 'failed', error_kind from daybook.step where pipeline = %s and run = %s order by 1",
            *(self.pipeline.name, run.day_run.run),
        )
        # Only the tasks right before one that is still to come decide whether that one is done.
        states = {before: run.states[before] for step in left for before in UPSTREAM[step] if before not in left}
        facts = [_facts(receipt, published) for receipt in receipts.values()]
        return left, tuple(states.items()), tuple(tried), tuple(self._last_failure()), tuple(self.seen()), *facts

    def _last_failure(self) -> list[tuple[Any, ...]]:
        query = "select state, step from daybook.step where pipeline = %s and (state = 'failed' or step = 'deploy')"
        return self._rows(f"{query} order by ended_at desc limit 1", self.pipeline.name)

    def _rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        return self.admin.execute(query.encode(), values).fetchall()


def _facts(receipt: Receipt | None, published: list[tuple[Any, ...]]) -> object:
    if receipt is None:
        return None
    outputs = tuple((name, made.sha256) for name, made in receipt.outputs.items())
    return receipt.step, tuple(receipt.inputs.items()), outputs, receipt.outcome, (receipt.run_id,) in published


def every_subset(day: Day, run: Run, look: Callable[[tuple[str, ...]], None]) -> Iterator[int]:
    """Do every subset of the nine tasks of a run, have a look after each, and yield for how many subsets it stands.

    The tasks left out are those of a run that was done, or, if it was not, a person marked them as success.
    """
    yield from _walk(day, run, STEPS, (), look, set())


def _walk(
    day: Day,
    run: Run,
    left: tuple[str, ...],
    cleared: tuple[str, ...],
    look: Callable[[tuple[str, ...]], None],
    known: set[object],
) -> Iterator[int]:
    key = day.state(run, left)
    if key in known:
        yield 2 ** len(left)
        return
    known.add(key)
    if not left:
        look(cleared)
        yield 1
        return
    step, *rest = left
    go_on = partial(_walk, day, left=tuple(rest), look=look, known=known)
    before = day.copy()
    yield from go_on(run=run, cleared=cleared)
    day.go_back(before)
    yield from go_on(run=run.do(step), cleared=(*cleared, step))


def of_day(pipeline: Pipeline, servers: Servers, admin: psycopg.Connection[Any], **options: Any) -> Day:
    """Return the day of a pipeline, in a run named "run" with these options."""
    servers.data.mkdir(exist_ok=True)
    work = replace(servers.work(pipeline, DAY, "run"), day=date.fromisoformat(DAY), **options)
    return Day(servers, pipeline, work, admin)
