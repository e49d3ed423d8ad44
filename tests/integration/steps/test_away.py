"""A server that is away while a step asks: the run waits without a worker, longer each time, up to a limit."""

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import repeat
from pathlib import Path
from typing import Any

import psycopg
import pytest

from daybook import steps
from daybook.errors import NotYet, SourceUnavailable, StillAway
from daybook.ftp.connect import FtpServer
from daybook.ftp.copy import OVERLAP_BYTES
from daybook.ledger.receipt import Done
from daybook.ledger.waiting import DAYS, Waiting, note, noted
from daybook.pages.run_page import waits_in_words
from daybook.pages.run_state import read_day
from daybook.planning.look_back import changed_days
from daybook.run.away import waiting_for_servers
from daybook.run.day_run import DayRun
from daybook.run.run_step import run_step
from daybook.run.several_days import over_days
from daybook.run.step_run import StepRun
from daybook.spec import Pipeline
from tests.support.faulty_ftp import PASSWORD, USER, Cut, FaultyFtp, says_426
from tests.support.servers import Servers

from .conftest import Run

DAY = "2013-01-05"
EXTRACTS: list[Callable[[StepRun], Done]] = [steps.extract_tables, steps.extract_files]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def ftp_away(_: str) -> Any:
    """Open an FTP connection to a server that does not run."""
    return FtpServer(host="127.0.0.1", port=free_port(), insecure=True).open(1)


def postgres_away(*connections: str) -> Callable[[DayRun], DayRun]:
    """Return how a day's run is changed so that these databases do not run."""

    def change(work: DayRun) -> DayRun:
        def opened(connection: str) -> AbstractContextManager[Any]:
            if connection in connections:
                return psycopg.connect(f"host=127.0.0.1 port={free_port()}")
            return work.postgres(connection)

        return replace(work, postgres=opened)

    return change


def without_servers(work: DayRun) -> DayRun:
    """Return a day's run none of whose sources runs; the warehouse does."""
    connections = {table.connection for table in work.pipeline.tables} - {work.pipeline.target.connection}
    return replace(postgres_away(*connections)(work), ftp=ftp_away)


def has_been_away(work: DayRun, step: str, length: timedelta, kept_bytes: int = 0) -> None:
    """Let the step's server be away for so long already."""
    since = datetime.now(UTC) - length
    times = {"since": since, "looked_at": since, "again_at": since, "away_since": since}
    note(work.folder / step, Waiting(attempt=work.attempt, awaited=(), kept_bytes=kept_bytes, **times))


@pytest.fixture
def work(servers: Servers, pipeline: Pipeline) -> DayRun:
    """A day of a run whose tasks can wait."""
    return replace(servers.work(pipeline, DAY, "run_1"), attempt=1)


@pytest.mark.parametrize("step", EXTRACTS)
def test_a_source_that_is_away_is_waited_for_and_its_step_is_done_once_it_is_back(
    work: DayRun, step: Callable[[StepRun], Done]
) -> None:
    with pytest.raises(NotYet, match=r"so since .*; asked again at .*, and until ") as first:
        run_step(step, without_servers(work))
    has_been_away(work, step.__name__, timedelta(minutes=5))
    with pytest.raises(NotYet) as later:
        run_step(step, without_servers(work))
    assert later.value.look_again_at - first.value.look_again_at > timedelta(minutes=4)
    run_step(step, work)
    assert noted(work.folder / step.__name__) is None


@pytest.mark.parametrize("step", EXTRACTS)
def test_a_source_that_is_away_until_the_limit_fails_the_day_with_the_reason_and_since_when(
    work: DayRun, step: Callable[[StepRun], Done]
) -> None:
    has_been_away(work, step.__name__, timedelta(hours=2))
    with pytest.raises(StillAway, match=r"127.0.0.1.*refused.*so since .*not asked again after .*clear the task"):
        run_step(step, without_servers(work))


def test_a_task_that_was_cleared_waits_as_long_as_the_first_time(work: DayRun) -> None:
    has_been_away(work, "extract_files", timedelta(hours=2))
    with pytest.raises(NotYet):
        run_step(steps.extract_files, without_servers(replace(work, attempt=2)))


def test_the_warehouse_is_waited_for_by_each_step(work: DayRun) -> None:
    away = postgres_away(work.pipeline.target.connection)
    for name in ("extract_tables", "extract_files", "load"):
        with pytest.raises(NotYet, match=r"the warehouse: .*so since"):
            run_step(getattr(steps, name), away(work))
        run_step(getattr(steps, name), work)


def test_the_ledger_says_that_the_day_waits_and_not_that_it_failed(work: DayRun) -> None:
    with pytest.raises(NotYet):
        run_step(steps.extract_files, without_servers(work))
    with work.postgres(work.pipeline.target.connection) as connection:
        told = connection.execute("select state, error from daybook.step where pipeline = %s", [work.pipeline.name])
        assert [(state, "so since" in error) for state, error in told] == [("waiting", True)]


def test_where_nobody_looks_again_the_error_is_told_as_it_is(run: Run, work: DayRun) -> None:
    with pytest.raises(SourceUnavailable) as raised:
        run_step(steps.extract_files, without_servers(replace(work, attempt=0)))
    assert not isinstance(raised.value, NotYet)


@pytest.fixture
def breaking(tmp_path: Path) -> Iterator[FaultyFtp]:
    """A server with a large file of the day, each of whose transfers ends after some bytes."""
    file = tmp_path / "flights" / f"flights_{DAY}.csv"
    file.parent.mkdir()
    file.write_bytes(b"0123456789" * 300_000)
    with FaultyFtp(tmp_path) as server:
        server.cuts = repeat(Cut(200_000, says_426))
        yield server


def over(server: FaultyFtp, work: DayRun) -> DayRun:
    """Return a day's run whose file lies on another server."""
    ftp = FtpServer(host=server.host, port=server.port, user=USER, password=PASSWORD, insecure=True)
    return replace(work, ftp=lambda _: ftp.open())


def test_a_copy_that_breaks_gives_its_worker_back_and_goes_on_from_there(work: DayRun, breaking: FaultyFtp) -> None:
    with pytest.raises(NotYet, match=r"bytes are here and kept; .*so since .*; asked again at "):
        run_step(steps.extract_files, over(breaking, work))
    kept = (work.folder / "extract_files").kept_bytes
    assert 0 < kept < 3_000_000
    breaking.cuts, before = iter([]), len(breaking.commands)
    run_step(steps.extract_files, over(breaking, work))
    assert f"REST {kept - OVERLAP_BYTES}" in breaking.commands[before:]
    assert work.receipt("extract_files").outputs["flights.csv"].size_bytes == 3_000_000


def test_a_copy_that_comes_forward_at_each_look_is_not_given_up(work: DayRun, breaking: FaultyFtp) -> None:
    has_been_away(work, "extract_files", timedelta(hours=2))
    with pytest.raises(NotYet):
        run_step(steps.extract_files, over(breaking, work))
    has_been_away(work, "extract_files", timedelta(hours=2), kept_bytes=4_000_000)
    with pytest.raises(StillAway):
        run_step(steps.extract_files, over(breaking, work))


def test_a_daily_run_that_cannot_ask_which_days_to_do_waits_and_says_so(work: DayRun) -> None:
    looking = work.pipeline.model_copy(update={"look_back_days": 3})
    asking = partial(waiting_for_servers, work, work.folder / DAYS, "the servers of earlier days")
    with pytest.raises(NotYet, match="so since"), asking():
        changed_days(looking, work.day, work.data, work.postgres, ftp_away)
    [waits, _] = waits_in_words(read_day(work.data, work.pipeline, work.run, work.day))
    assert waits.startswith("the run waits for the servers of earlier days since ")
    with asking():
        changed_days(looking, work.day, work.data, work.postgres, work.ftp)
    assert read_day(work.data, work.pipeline, work.run, work.day).waits == {}


def test_a_batch_waits_for_the_server_even_on_its_tasks_last_try(work: DayRun, servers: Servers) -> None:
    other = replace(servers.work(work.pipeline, "2013-01-06", "run_1"), attempt=1)
    with pytest.raises(NotYet, match=r"2 of 2 days wait; the first: .*so since"):
        over_days(steps.extract_files, [without_servers(one) for one in (work, other)], is_last_try=True)
    assert list(over_days(steps.extract_files, [work, other], is_last_try=True)) == [DAY, "2013-01-06"]
