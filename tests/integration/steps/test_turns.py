"""The days that a task holds, on a real PostgreSQL: their rows come together, and no two tasks wait for each other."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, date, datetime
from functools import partial

import pytest

from daybook.errors import BadData
from daybook.ledger import runs
from daybook.ledger.step_rows import StepRow, Trying, failed
from daybook.ledger.turns import Turns, days_at_work
from daybook.postgres.session import OpenPostgres, at_once
from daybook.spec import Pipeline
from tests.support.servers import Servers

DAYS = [date(2013, 1, day) for day in (1, 2, 3)]
LONG_S = 3600.0


@pytest.fixture
def connect(servers: Servers) -> OpenPostgres:
    """Open a session with the warehouse, whose ledger is there."""
    at_once(opened := partial(servers.connect_postgres, "warehouse"), runs.prepare)
    return opened


@pytest.fixture
def at_work(connect: OpenPostgres, pipeline: Pipeline) -> Callable[[], list[date]]:
    """Ask of which days a step is at work."""
    return lambda: at_once(connect, lambda session: days_at_work(session, pipeline.name))


@pytest.fixture
def written(connect: OpenPostgres, pipeline: Pipeline) -> Iterator[Callable[[], list[tuple[date, str, str]]]]:
    """Ask for the rows of the pipeline's steps: day, run and error; they are removed afterwards."""
    query = "select day, run, error from step where pipeline = %s order by 1, 2"
    yield lambda: at_once(connect, lambda session: session.execute(query, [pipeline.name]).fetchall())
    at_once(connect, lambda session: session.execute("delete from step where pipeline = %s", [pipeline.name]))


def row(pipeline: Pipeline, day: date, run: str = "run", error: str = "bad") -> StepRow:
    """Return the row of a step that failed."""
    return failed(Trying(pipeline.name, day, run, "load", "a test", datetime.now(UTC)), BadData(error), None)


def do(turns: Turns, one: StepRow) -> None:
    """Take a row's day, and note the row."""
    with turns.of(one.trying):
        turns.note(one)


def do_and_give_back(turns: Turns, one: StepRow) -> None:
    """Do it, and go on to the end of the task."""
    do(turns, one)
    turns.give_back()


def test_days_that_are_held_together_are_given_back_together_with_their_rows(
    connect: OpenPostgres,
    pipeline: Pipeline,
    at_work: Callable[[], list[date]],
    written: Callable[[], list[tuple[date, str, str]]],
) -> None:
    with Turns(connect, LONG_S) as turns:
        for day in DAYS:
            do(turns, row(pipeline, day))
        assert (at_work(), written()) == (DAYS, [])
    assert (at_work(), written()) == ([], [(day, "run", "bad") for day in DAYS])
    with Turns(connect) as turns:
        do(turns, row(pipeline, DAYS[0], error="worse"))
        assert (at_work(), written()[0]) == ([], (DAYS[0], "run", "worse"))


def test_two_tasks_that_want_each_others_days_both_go_on(
    connect: OpenPostgres, pipeline: Pipeline, written: Callable[[], list[tuple[date, str, str]]]
) -> None:
    first, second = row(pipeline, DAYS[0]), row(pipeline, DAYS[1])
    with ExitStack() as held, ThreadPoolExecutor(2) as threads:
        one, other = (held.enter_context(Turns(connect, LONG_S)) for _ in range(2))
        do(one, first)
        do(other, second)
        ends = [
            threads.submit(do_and_give_back, one, row(pipeline, DAYS[1], "other")),
            threads.submit(do_and_give_back, other, row(pipeline, DAYS[0], "other")),
        ]
        for end in ends:
            end.result(timeout=25)
    assert [(day, run) for day, run, _ in written()] == [(day, run) for day in DAYS[:2] for run in ("other", "run")]


def test_a_row_that_cannot_be_written_takes_no_other_with_it(
    connect: OpenPostgres,
    pipeline: Pipeline,
    written: Callable[[], list[tuple[date, str, str]]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Turns(connect, LONG_S) as turns:
        for day, run in zip(DAYS, ("run", "r\0n", "run"), strict=True):
            do(turns, row(pipeline, day, run, error="name \udcff\0"))
    assert written() == [(DAYS[0], "run", "name ?"), (DAYS[2], "run", "name ?")]
    assert f"{pipeline.name} {DAYS[1]}, load: not written into the ledger" in caplog.text


def test_days_whose_session_is_cut_are_told_and_the_next_day_goes_on(
    connect: OpenPostgres,
    pipeline: Pipeline,
    written: Callable[[], list[tuple[date, str, str]]],
    caplog: pytest.LogCaptureFixture,
) -> None:
    with Turns(connect, LONG_S) as turns:
        with turns.of(row(pipeline, DAYS[0]).trying) as session:
            turns.note(row(pipeline, DAYS[0]))
        pid = session.info.backend_pid
        at_once(connect, lambda other: other.execute("select pg_terminate_backend(%s, 5000)", [pid]))
        do(turns, row(pipeline, DAYS[1]))
    assert [day for day, *_ in written()] == [DAYS[1]]
    assert f"{pipeline.name} {DAYS[0]}, load: not written into the ledger" in caplog.text
