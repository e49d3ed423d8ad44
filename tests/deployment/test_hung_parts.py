"""Parts that are stopped (SIGSTOP) and do not end: `up` says so, and when it is over; commands end with a message."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from daybook.alerts.outbox import outbox_folder
from deployment.home import HOST, REPOSITORY, Home
from deployment.servers.postgres import LocalPostgres
from tests.support.receivers import Receivers, receivers

UP_SECONDS = 180
SAID_SECONDS = 30
STOP_SECONDS = 60
END_SECONDS = 120
# Together only such as can be told apart: without PostgreSQL or the API server nobody hears of the others.
# As `watch` calls it.
WATCHED = {"PostgreSQL": "PostgreSQL (warehouse)"}
PARTS = (("scheduler", "dag-processor", "triggerer", "ftp"), ("api-server",), ("PostgreSQL",))


@dataclass
class Up:
    """`./daybook up` in a process of its own, what it says, and commands beside it."""

    home: Home
    environment: dict[str, str]
    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def read(self) -> None:
        """Read what it says until its end."""
        assert self.process.stdout
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def wait_for(self, words: str, seconds: float, after: int = 0) -> None:
        """Wait until a line with some words is said, after so many lines."""
        until = time.monotonic() + seconds
        while not any(words in line for line in self.lines[after:]):
            assert time.monotonic() < until, f"{words!r} is not said within {seconds} s, but: {self.lines}"
            time.sleep(0.1)

    def pid(self, part: str) -> int:
        """Return the number of a part's first process."""
        if part == "PostgreSQL":
            return LocalPostgres(self.home).pid()
        return int(json.loads((self.home.path / "processes" / f"{part}.json").read_text())["pid"])

    def run(self, *commands: str) -> list[tuple[int, str]]:
        """Run commands side by side to their end; give the exit code of each, and what it printed."""
        words = [[sys.executable, "-m", "commands", *command.split(" ")] for command in commands]
        pipe = subprocess.PIPE
        started = [
            subprocess.Popen(one, env=self.environment, stdout=pipe, stderr=subprocess.STDOUT, text=True)
            for one in words
        ]
        said = [process.communicate(timeout=END_SECONDS)[0] for process in started]
        return [(process.returncode, text) for process, text in zip(started, said, strict=True)]


def all_of(pid: int) -> list[psutil.Process]:
    """Return a process and all that it has started."""
    first = psutil.Process(pid)
    return [first, *first.children(recursive=True)]


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Stop a process and all that it has started, and let them go on when the block ends."""
    processes = all_of(pid)
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()


@pytest.fixture(scope="module")
def received() -> Iterator[Receivers]:
    """A mail server and a web server that the deployment's alerts and pings come to."""
    found = receivers()
    with found.mail_server(), found.web_server():
        yield found


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, received: Receivers) -> Iterator[Up]:
    folder = tmp_path_factory.mktemp("hung")
    own = {"DAYBOOK_HOME": str(folder / "home"), "DAYBOOK_DATA": str(folder / "data"), "PYTHONUNBUFFERED": "1"}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "DAYBOOK"))}
    told = {"DAYBOOK_ALERTS_TO": "ops@example.com", **received.connections()}
    environment = {**kept, **own, **told, "PYTHONPATH": f"{REPOSITORY / 'include'}:{REPOSITORY / 'config'}"}
    process = subprocess.Popen(
        [sys.executable, "-m", "commands", "up", "--ui-port", "0"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    up = Up(Home(folder / "home"), environment, process)
    reader = threading.Thread(target=up.read, daemon=True)
    reader.start()
    try:
        up.wait_for("Ctrl-C stops everything", UP_SECONDS)
        yield up
    finally:
        up.run("down")
        process.wait(STOP_SECONDS)
        reader.join(STOP_SECONDS)


@pytest.mark.parametrize("parts", PARTS, ids=" ".join)
def test_parts_that_are_stopped_are_named_within_half_a_minute_and_again_when_they_go_on(
    up: Up, received: Receivers, parts: tuple[str, ...]
) -> None:
    before, pids = len(up.lines), {part: up.pid(part) for part in parts}
    with ExitStack() as all_stopped:
        for pid in pids.values():
            all_stopped.enter_context(stopped(pid))
        until = time.monotonic() + SAID_SECONDS
        for part, pid in pids.items():
            up.wait_for(f"{part} does not answer; its process {pid} is stopped.", until - time.monotonic(), before)
            assert f"`kill -CONT {pid}` lets a stopped process go on" in "".join(up.lines[before:])
        told = watched_until(up, received, "does not answer", [WATCHED.get(part, part) for part in parts])
        assert "ping" not in told
    for part in parts:
        up.wait_for(f"{part} answers again, after about ", SAID_SECONDS, before)
    watched_until(up, received, "answers again", [WATCHED.get(part, part) for part in parts])
    said = [line for line in up.lines[before:] if "answer" in line]
    assert len(said) == 2 * len(parts), said
    assert {part: up.pid(part) for part in parts} == pids
    assert up.process.poll() is None


def test_parts_that_are_killed_while_their_supervisor_says_nothing_are_told_and_again_when_it_starts_them(
    up: Up, received: Receivers
) -> None:
    forget_what_was_told(up)
    parts = [part for some in PARTS for part in some if part != "ftp"]
    up.process.send_signal(signal.SIGSTOP)
    try:
        for some in PARTS:
            killed = [part for part in some if part in parts]
            for process in [process for part in killed for process in all_of(up.pid(part))]:
                process.kill()
            watched_until(up, received, "does not answer", [WATCHED.get(part, part) for part in killed])
    finally:
        up.process.send_signal(signal.SIGCONT)
    watched_until(up, received, "answers again", [WATCHED.get(part, part) for part in parts], UP_SECONDS)


def forget_what_was_told(up: Up) -> None:
    """Have it that the last alerts are longer ago than a quarter of an hour: what follows sooner is gathered."""
    (outbox_folder(up.environment) / "told.json").unlink(missing_ok=True)


def watched_until(up: Up, received: Receivers, state: str, parts: list[str], seconds: float = SAID_SECONDS) -> str:
    """Have `watch` look until a mail says that each of the parts is in a state; return what it said last."""
    wanted = {f"[daybook] {part}: {state}" for part in parts if part != "ftp"}
    before, until = len(received.mails), time.monotonic() + seconds
    while True:
        ((code, said),) = up.run(f"watch --ping http://{HOST}:{received.web_port}/alive")
        assert (code, "DEAD" in said) in ((0, False), (1, True)), said
        if wanted <= {mail["Subject"] for mail in received.mails[before:]}:
            return said
        assert time.monotonic() < until, (wanted, said)


def test_watch_asks_an_address_only_if_all_is_well(up: Up, received: Receivers) -> None:
    received.bodies.clear()
    ((code, said),) = up.run(f"watch --ping http://{HOST}:{received.web_port}/alive")
    assert (code, [path for path, _ in received.bodies]) == (0, ["/alive"]), said
    assert [line.split(":")[0] for line in said.splitlines()] == [
        *("well  api-server", "well  Airflow's database", "well  scheduler", "well  dag-processor", "well  triggerer"),
        *("well  PostgreSQL (warehouse)", "well  the ping was answered"),
    ]


def test_commands_on_a_stopped_PostgreSQL_end_with_one_message(up: Up, tmp_path: Path) -> None:
    day = "2013-01-05"
    days = ("status", "plan", f"why {day}", f"refused {day}", f"trace {day} by_day flights", "restore", "doctor")
    with stopped(up.pid("PostgreSQL")):
        *asked, (doctor, found), (psql, shell), (backup, copied) = up.run(
            *days, "psql table", f"backup {tmp_path / 'copy'}"
        )
    for code, said in asked:
        assert code == 40
        # It holds both databases, and a plan asks the source first.
        asked_first = ("the warehouse", "the source database")
        assert said.startswith(tuple(f"{name}: it takes the connection and does not answer" for name in asked_first))
        assert said.count("\n") == 1
    assert doctor == 1
    assert "unknown  published: the warehouse was not asked: the warehouse: it takes the connection" in found
    assert "mend     servers: source_db: it takes the connection and does not answer" in found
    assert (psql, "timeout expired" in shell) == (1, True)
    assert (backup, "pg_dump failed for warehouse" in copied) == (40, True)
    assert list(tmp_path.iterdir()) == []


def test_commands_on_a_stopped_FTP_server_end_with_one_message(up: Up) -> None:
    with stopped(up.pid("ftp")):
        (plan, said), (doctor, found) = up.run("plan --to 2013-01-03", "doctor")
    assert (plan, said.count("\n")) == (40, 1)
    assert (doctor, "mend     servers: 127.0.0.1:" in found) == (1, True)


def test_commands_on_a_stopped_API_server_end_with_one_message(up: Up) -> None:
    with stopped(up.pid("api-server")):
        *asked, (doctor, found) = up.run("pause", "resume", "cancel", "day 2013-01-05", "doctor")
    for code, said in asked:
        assert code == 40
        assert "its Airflow does not answer" in said
        assert said.count("\n") == 1
    assert (doctor, "mend     airflow: http://127.0.0.1:" in found) == (1, True)


def test_a_query_that_is_at_work_when_its_server_is_stopped_ends_with_a_message(up: Up) -> None:
    dsn = LocalPostgres(up.home).dsn("warehouse", "warehouse_owner")
    program = (
        "import sys; from functools import partial; from commands import connections; "
        "from daybook.postgres.session import at_once; print('asks', flush=True); "
        "at_once(partial(connections.postgres_of, sys.argv[1]), lambda c: c.execute('select pg_sleep(200)'))"
    )
    command = [sys.executable, "-c", program, dsn]
    with subprocess.Popen(command, env=up.environment, stdout=-1, stderr=-1, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "asks\n"
        time.sleep(2)
        with stopped(up.pid("PostgreSQL")):
            error = process.communicate(timeout=120)[1]
    assert "SourceUnavailable: the warehouse: it takes the connection and does not answer" in error


def test_the_end_leaves_nothing_behind_though_parts_are_stopped(up: Up) -> None:
    processes = [process for parts in PARTS for part in parts for process in all_of(up.pid(part))]
    for part in ("scheduler", "PostgreSQL"):
        for process in all_of(up.pid(part)):
            process.suspend()
    up.process.send_signal(signal.SIGINT)
    assert up.process.wait(STOP_SECONDS) == 128 + signal.SIGINT
    assert [process for process in processes if is_alive(process)] == []


def test_a_deployment_that_has_ended_such_as_because_a_part_died_again_and_again_is_told(
    up: Up, received: Receivers
) -> None:
    forget_what_was_told(up)
    watched_until(up, received, "does not answer", ["api-server", "PostgreSQL (warehouse)"])


def is_alive(process: psutil.Process) -> bool:
    """Return whether a process has not ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    return False
