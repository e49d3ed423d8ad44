"""Many days kept: nothing that is asked of a few days looks at the others, and the files of old runs go."""

import os
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from upath import UPath

from daybook import steps
from daybook.ledger import queries, step_log
from daybook.ledger.decisions import rollbacks
from daybook.pages.run_state import days_of, read_day
from daybook.planning.observe import observe
from daybook.planning.plan import plan
from daybook.postgres.session import at_once
from daybook.publish.cleanup import Deployed, clean_up
from daybook.publish.published_folder import follow
from daybook.run.several_days import over_days
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook.storage.run_names import folder_name
from tests.support.bench import DAY, Bench
from tests.support.counted import CountedConnection, Counts, counted_files
from tests.support.days import page_of
from tests.support.many_days import TABLES, Model, copies, fill_folder, fill_ledger
from tests.support.runner import do_steps

MODEL = date.fromisoformat(DAY)
REAL = MODEL + timedelta(days=1)


class Many:
    """A pipeline with one real day, of which others are made; and the work that is counted."""

    def __init__(self, bench: Bench) -> None:
        bench.publish(DAY, f"run__{DAY}", 40)
        self.bench, self.pipeline = bench, bench.pipeline
        self.data = DataFolder(UPath(f"file://{bench.servers.data}"))
        self.counts = Counts()

    def make(self, days: list[date], others: int = 0) -> None:
        """Make days of the pipeline, and of so many others."""
        model = Model(self.pipeline, MODEL)
        with psycopg.connect(self.bench.servers.postgres.dsn("warehouse"), autocommit=True) as session:
            session.execute("set search_path = daybook")
            (of_model,) = session.execute(
                "select run_id from published where pipeline = %s and day = %s", [self.pipeline.name, MODEL]
            ).fetchone() or (0,)
            (above,) = session.execute("select max(run_id) from run").fetchone() or (0,)
            names = [self.pipeline.name, *(f"{self.pipeline.name}_{number}" for number in range(others))]
            made = copies(names, days, above)
            fill_ledger(session, model, made)
            session.execute("analyze")
        own = [one for one in made if one.pipeline == self.pipeline.name]
        fill_folder(self.bench.servers.data, model, of_model, own)
        delivered = self.bench.servers.ftp.root / self.pipeline.name
        for day in days:
            os.link(delivered / f"flights_{DAY}.csv", delivered / f"flights_{day}.csv")

    def connect(self, name: str) -> CountedConnection:
        """Open a connection whose statements are counted."""
        role = {"source_db": ("source", "source_reader"), "warehouse": ("warehouse", "warehouse_owner")}[name]
        connection = CountedConnection.connect(self.bench.servers.postgres.dsn(*role))
        connection.counts = self.counts
        return connection

    def ask(self, do: Callable[[Any], object]) -> None:
        """Ask the ledger, in one transaction."""
        at_once(partial(self.connect, "warehouse"), do)


@pytest.fixture
def many(bench: Bench) -> Iterator[Many]:
    """The pipeline with its model day; the other pipelines' rows go with the test's."""
    yield Many(bench)
    with psycopg.connect(bench.servers.postgres.dsn("warehouse"), autocommit=True) as session:
        session.execute("set search_path = daybook")
        session.execute("set session_replication_role = replica")
        for table in TABLES:
            if table != "saved_summary":
                session.execute(
                    f"delete from {table} where starts_with(pipeline, %s)".encode(), [f"{bench.pipeline.name}_"]
                )


def masked(text: str, day: date) -> str:
    """Return what is kept of a day without what differs from run to run: hashes, numbers of runs, times, memory."""
    text = text.replace(str(day), "DAY")
    text = re.sub(r"[0-9a-f]{64}", "HASH", text)
    text = re.sub(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}[T ][0-9:.]+(\+00(:00)?|Z)?", "TIME", text)
    text = re.sub(r'"(run_id|linked_run_id|size_bytes|peak_memory_mib|seconds)": ?[0-9.]+', r'"\1": N', text)
    return re.sub(r'"modified_at": ?"[0-9.]+"', '"modified_at": "TIME"', text)


def ledger_of(many: Many, day: date) -> dict[str, list[str]]:
    """Return the rows that the ledger has of a day, by table."""
    found = {}
    for table in TABLES:
        which = "run_id in (select run_id from daybook.run where pipeline = %s and day = %s)"
        query = (
            f"select to_jsonb(t)::text from daybook.{table} t where {which}"
            if table != "step"
            else ("select to_jsonb(t)::text from daybook.step t where pipeline = %s and day = %s")
        )
        rows = many.bench.servers.rows(query, many.pipeline.name, day, role="warehouse_owner")
        found[table] = sorted(masked(row, day) for (row,) in rows)
    return found


def files_of(many: Many, day: date) -> dict[str, str]:
    """Return the files that are kept of a day, each with its text if it is a receipt."""
    name, root = many.pipeline.name, many.bench.servers.data
    (number,) = many.data.saved_run_ids(name, day)
    folders = {root / "days" / name / str(day): "run", root / "published" / name / ".runs" / str(day): "published"}
    files = [(folder, file) for folder in folders for file in sorted(folder.rglob("*")) if file.is_file()]
    return {
        masked(f"{folders[folder]}/{file.relative_to(folder)}", day).replace(f"/{number}/", "/N/"): (
            masked(file.read_text(), day) if file.suffix == ".json" else ""
        )
        for folder, file in files
    }


def test_a_made_day_is_what_a_real_run_of_it_leaves(many: Many) -> None:
    delivered = many.bench.servers.ftp.root / many.pipeline.name
    rows = (delivered / f"flights_{MODEL}.csv").read_text()
    of_model, of_real = (f"{day.year},{day.month},{day.day}," for day in (MODEL, REAL))
    (delivered / f"flights_{REAL}.csv").write_text(rows.replace(f"\n{of_model}", f"\n{of_real}"))
    do_steps(many.bench.servers.work(many.pipeline, str(REAL), f"run__{REAL}"))
    made = REAL + timedelta(days=1)
    many.make([made])
    assert ledger_of(many, made) == ledger_of(many, REAL)
    assert files_of(many, made) == files_of(many, REAL)
    assert many.bench.rows("select count(*) from {}.by_day where day = %s", str(made)) == [(1,)]
    # No hash of it is wrong: a plan finds nothing to do.
    seen = observe(many.pipeline, [made], many.connect, many.bench.servers.connect_ftp, many.data)
    assert [day.reason for day in plan(many.pipeline, seen.standings, seen.tables)] == ["nothing changed"]


def a_plan(many: Many, days: list[date]) -> None:
    seen = observe(many.pipeline, days, many.connect, many.bench.servers.connect_ftp, many.data)
    assert {day.action for day in plan(many.pipeline, seen.standings, seen.tables)} == {"skip"}


def a_status(many: Many, days: list[date]) -> None:
    asked = (many.pipeline.name, days[0], days[-1])
    for question in (
        step_log.failures,
        step_log.published_days,
        step_log.reused_days,
        step_log.waiting,
        rollbacks,
        queries.rows_not_published,
    ):
        many.ask(partial(lambda session, question: question(session, *asked), question=question))


def the_history_of_a_day(many: Many, days: list[date]) -> None:
    for question in (queries.published, queries.confirmed, queries.decisions, queries.last_loaded):
        many.ask(partial(lambda session, question: question(session, many.pipeline.name, days[0]), question=question))


def a_tab(many: Many, days: list[date]) -> None:
    run = f"run__{days[0]}"
    assert days_of(many.data, many.pipeline, run) == [days[0]]
    page_of(read_day(many.data, many.pipeline, run, days[0]))


def a_cleanup(many: Many, days: list[date]) -> None:
    deployed = Deployed(many.pipeline.model_copy(update={"keep_files_days": 90}), days[0], f"run__{days[0]}", 10**9)
    clean_up(deployed, many.data, partial(many.connect, "warehouse"))


def a_link(many: Many, days: list[date]) -> None:
    many.ask(lambda session: follow(session, many.data, many.pipeline.name, days[0]))


ADDED = 200
WORK = (a_plan, a_status, the_history_of_a_day, a_tab, a_cleanup, a_link)


def test_what_is_asked_of_five_days_does_not_grow_with_the_other_days_that_are_kept(many: Many) -> None:
    asked = [MODEL + timedelta(days=number) for number in range(20, 25)]
    many.make(asked, others=2)
    for work in WORK:
        work(many, asked)
    few = took(many, asked)
    many.make([MODEL - timedelta(days=number) for number in range(1, ADDED + 1)], others=2)
    among_many = took(many, asked)
    for name, before in few.items():
        after = among_many[name]
        assert (name, after.statements, after.files) == (name, before.statements, before.files)
        # To look at one row of each added day would already be as many.
        assert after.rows - before.rows < ADDED, (name, before, after)
    assert {name for name, counts in few.items() if counts.files} >= {"a_tab", "a_cleanup"}
    assert all(counts.rows for name, counts in few.items() if name != "a_tab")


def took(many: Many, asked: list[date]) -> dict[str, Counts]:
    """Return what each kind of work takes for some days."""
    found = {}
    for work in WORK:
        many.counts = Counts()
        with counted_files(many.counts):
            work(many, asked)
        found[work.__name__] = many.counts
    return found


def aged(many: Many, day: date, days: int) -> None:
    """Let a day's runs, and their files, be as old as that."""
    then = (
        f"update daybook.run set saved_at = saved_at - make_interval(days => {days}) where pipeline = %s and day = %s"
    )
    with psycopg.connect(many.bench.servers.postgres.dsn("warehouse"), autocommit=True) as session:
        session.execute(then.encode(), [many.pipeline.name, day])
    for file in Path(many.data.day(many.pipeline.name, day).path).rglob("*"):
        moment = file.stat().st_mtime - days * 86_400
        os.utime(file, (moment, moment))


def with_age(many: Many, **words: Any) -> Pipeline:
    """Return the pipeline with files that go after 30 days."""
    return many.pipeline.model_copy(update={"keep_files_days": 30, **words})


def test_the_files_of_old_runs_go_and_what_is_published_stays(many: Many) -> None:
    young = MODEL + timedelta(days=1)
    many.make([young])
    for day, age in ((MODEL, 31), (young, 29)):
        aged(many, day, age)
    seen = many.bench.seen(DAY)
    published = many.data.published_files(
        many.pipeline.name, MODEL, many.data.saved_run_ids(many.pipeline.name, MODEL)[0]
    )
    before = published.names()
    clean_up(Deployed(with_age(many), young, f"run__{young}", 0), many.data, partial(many.connect, "warehouse"))
    assert not many.data.day(many.pipeline.name, MODEL).exists()
    assert many.data.run(many.pipeline.name, young, f"run__{young}").exists()
    assert (many.bench.seen(DAY), published.names()) == (seen, before)
    assert len(before) <= 10


def test_the_copies_of_lookups_as_of_the_day_stay_when_the_other_files_go(many: Many) -> None:
    lookup, *others = many.pipeline.lookups
    lookups = (lookup.model_copy(update={"as_of": "day"}), *others)
    aged(many, MODEL, 31)
    deployed = Deployed(with_age(many, lookups=lookups), REAL, "another", 0)
    clean_up(deployed, many.data, partial(many.connect, "warehouse"))
    folder = Path(many.data.day(many.pipeline.name, MODEL).path)
    left = [str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file()]
    assert left == [f"run__{DAY}/extract_tables/{lookup.source}.csv"]


def test_the_log_of_steps_keeps_the_runs_that_are_kept_or_asked_for(many: Many) -> None:
    for rows in (41, 42, 43):
        many.bench.publish(DAY, f"run_{rows}", rows)
    with psycopg.connect(many.bench.servers.postgres.dsn("warehouse"), autocommit=True) as session:
        old = "update daybook.step set ended_at = ended_at - interval '8 days' where pipeline = %s"
        session.execute(old, [many.pipeline.name])
    before = history(many)
    kept = many.pipeline.model_copy(update={"keep_runs": 1})
    clean_up(Deployed(kept, MODEL, "run_43", 10**9), many.data, partial(many.connect, "warehouse"))
    runs = many.bench.rows("select distinct run from daybook.step where pipeline = %s order by 1", many.pipeline.name)
    assert runs == [("run_42",), ("run_43",)]
    assert history(many) == before


def history(many: Many) -> list[object]:
    """Return what the ledger says of the model's day."""
    asked = many.pipeline.name, MODEL
    questions = (queries.published, queries.confirmed, queries.last_loaded)
    at = partial(many.connect, "warehouse")
    found: list[object] = [
        at_once(at, partial(lambda session, ask: ask(session, *asked), ask=ask)) for ask in questions
    ]
    return [*found, at_once(at, lambda session: step_log.receipts_of_last_deployed(session, *asked, MODEL))]


def test_a_run_whose_name_has_no_day_is_found_without_a_look_at_each_day(many: Many) -> None:
    for run in ("by hand", f"of_{DAY}"):
        work = many.bench.servers.work(many.pipeline, DAY, run)
        over_days(steps.extract_tables, [work], is_last_try=True)
        assert days_of(many.data, many.pipeline, run) == [MODEL]
    assert many.data.days_of_runs(many.pipeline.name).names() == [f"{folder_name('by hand')}.json"]
