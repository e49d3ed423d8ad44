"""Steps at work say how far they are, and `status` shows it."""

import logging
from datetime import UTC, date, datetime
from functools import partial

import pytest

from commands.work import at_work
from daybook.ledger.receipt import STEPS
from daybook.ledger.step_rows import Trying
from daybook.ledger.turns import Turns
from daybook.postgres import copy_tables
from daybook.storage import progress
from tests.support.bench import DAY, Bench
from tests.support.runner import do_steps


def test_copies_and_load_say_how_far_they_are_and_leave_no_note(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(progress, "LEAST_BYTES", 1_000)
    monkeypatch.setattr(copy_tables, "ROWS_BETWEEN_LOOKS", 100)
    caplog.set_level(logging.INFO, logger=progress.__name__)
    bench.deliver(DAY, 40)
    work = bench.servers.work(bench.pipeline, DAY, "a run")
    do_steps(work, STEPS[0], "load")
    said = [record.getMessage() for record in caplog.records if record.name == progress.__name__]
    size = (bench.servers.ftp.root / bench.pipeline.name / f"flights_{DAY}.csv").stat().st_size
    assert any(line.startswith("public.planes: ") for line in said)
    assert any(line.startswith("ftp: ") and f" of {size:,} bytes" in line for line in said)
    loaded = [line for line in said if line.startswith("flights: ")]
    assert f"flights: {size:,} of {size:,} bytes, 100%, " in loaded[-1]
    assert not [name for step in STEPS[:3] for name in (work.folder / step).names() if name == progress.FILE]


def test_status_shows_the_days_of_which_a_step_is_at_work_and_how_far_it_is(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAYBOOK_DATA", f"file://{bench.servers.data}")
    connect = partial(bench.servers.connect_postgres, "warehouse")
    name, day, now = bench.pipeline.name, date.fromisoformat(DAY), datetime.now(UTC)
    work = bench.servers.work(bench.pipeline, DAY, "a run")
    with Turns(connect).of(Trying(name, day, "a run", "load", "ann", now)):
        assert at_work(connect, bench.pipeline) == [f"{DAY}: a step is at work"]
        progress.Progress(work.folder / "load", "flights", 2 * progress.LEAST_BYTES).at(progress.LEAST_BYTES, 7)
        (said,) = at_work(connect, bench.pipeline)
    assert said.startswith(f"{DAY}, load: flights: 67,108,864 of 134,217,728 bytes, 50%, 7 rows, ")
    assert at_work(connect, bench.pipeline) == []
