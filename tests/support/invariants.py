"""The invariants I1 to I10 of a pipeline, checked after each fault, with or without Airflow.

I1 readers see each day wholly of one run, also during the fault. I2 ledger, pointer, published folder agree. I3 every
row is accounted for. I4 no row twice, none visible of a run that is not published. I5 equal inputs gave equal contents.
I6 files are what their receipts say, and nothing half written is left after the janitor. I7 a fault ends in the right
class of error (each test). I8 no secret in what was told (each test). I9 no lock, no open transaction is left. I10 the
next normal run succeeds.
"""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
from psycopg import sql

from daybook.ledger.balance import check_balance
from daybook.ledger.receipt import Receipt
from daybook.spec import Pipeline
from daybook.storage import disk

from .servers import Servers

SECONDS_TO_SETTLE = 10
SECONDS_BETWEEN_LOOKS = 0.01


@dataclass
class Reader:
    """Polls what readers see of a day, all the while: rows of two views in one statement, and the published file."""

    connect: Callable[[], psycopg.Connection[Any]]
    look: Callable[[psycopg.Connection[Any]], tuple[Any, ...]]
    look_at_file: Callable[[], str]
    seen: set[tuple[Any, ...]] = field(default_factory=set)
    files: set[str] = field(default_factory=set)
    errors: list[BaseException] = field(default_factory=list)


@dataclass
class Invariants:
    """A pipeline on real servers: what its source delivers, what its readers see, and what must hold of it."""

    servers: Servers
    pipeline: Pipeline

    def deliver(self, day: str, rows: int, first: int = 0) -> None:
        """Put `rows` flights of the day, from the `first` on, onto the FTP server."""
        lines = (self.servers.ftp.root / "flights" / f"flights_{day}.csv").read_bytes().splitlines(keepends=True)
        folder = self.servers.ftp.root / self.pipeline.name
        folder.mkdir(exist_ok=True)
        (folder / f"flights_{day}.csv").write_bytes(b"".join([lines[0], *lines[1 + first : 1 + first + rows]]))

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Return rows of the warehouse, as its owner. `{}` in the query stands for the pipeline's schema."""
        with psycopg.connect(self.servers.postgres.dsn("warehouse", "warehouse_owner")) as connection:
            return connection.execute(query.replace("{}", self.pipeline.name).encode(), values).fetchall()

    def seen(self, day: str) -> tuple[Any, ...]:
        """Return what readers see of a day: flights by the day, by airline and by origin."""
        with self._connect() as connection:
            return self._look(day)(connection)

    @contextmanager
    def reader(self, day: str) -> Iterator[Reader]:
        """Have a reader poll a day while the block runs; give what it has seen."""
        reader, is_over = Reader(self._connect, self._look(day), lambda: self._file(day)), threading.Event()
        thread = threading.Thread(target=_poll, args=(reader, is_over), daemon=True)
        thread.start()
        yield reader
        is_over.set()
        thread.join(SECONDS_TO_SETTLE)
        assert not reader.errors, reader.errors

    def _connect(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self.servers.postgres.dsn("warehouse", "analyst"), autocommit=True)

    def _look(self, day: str) -> Callable[[psycopg.Connection[Any]], tuple[Any, ...]]:
        # One statement: readers who need two are told to take one snapshot for them (docs/reliability.md).
        query = """
            select (select sum(flights) from {0}.by_day where day = %(day)s),
                   (select count(*) from {0}.by_day where day = %(day)s),
                   (select sum(flights) from {0}.by_airline where day = %(day)s),
                   (select sum(distance_mi) from {0}.by_origin where day = %(day)s)
        """.replace("{0}", self.pipeline.name)
        return lambda connection: connection.execute(query.encode(), {"day": day}).fetchone() or ()

    def _file(self, day: str) -> str:
        path = self.published / day / "by_airline.csv"
        return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""

    @property
    def published(self) -> Path:
        """Return the pipeline's published folder."""
        return self.servers.data / "published" / self.pipeline.name

    def check(self) -> None:
        """Check I1 to I6 and I9 over all days of the pipeline. The janitor has had its turn before."""
        problems = [*self._agreement(), *self._conservation(), *self._uniqueness(), *self._equality(), *self._files()]
        assert not problems, "\n".join(problems)
        self._check_nothing_is_open()

    def _agreement(self) -> Iterator[str]:
        for day, run_id in self.rows(
            "select day, run_id from daybook.published where pipeline = %s", self.pipeline.name
        ):
            link = self.published / str(day)
            linked = str(link.readlink()) if link.is_symlink() else "nothing"
            if linked != f".runs/{day}/{run_id}":
                yield f"I2 {day}: the ledger says run {run_id}, the folder {linked}"
                continue
            for summary in self.pipeline.summaries:
                seen = self._view(summary.name, summary.columns, day)
                filed = pq.read_table(link / f"{summary.name}.parquet", columns=list(summary.columns)).to_pylist()
                if seen != _sorted(tuple(row.values()) for row in filed):
                    yield f"I1 {day}: readers of {summary.name} see {len(seen)} rows, run {run_id} has {len(filed)}"

    def _view(self, summary: str, columns: tuple[str, ...], day: date) -> list[str]:
        chosen = sql.SQL(", ").join(map(sql.Identifier, columns))
        query = sql.SQL("select {} from {} where day = %s").format(chosen, sql.Identifier(self.pipeline.name, summary))
        with psycopg.connect(self.servers.postgres.dsn("warehouse", "analyst")) as connection:
            return _sorted(connection.execute(query, [day]).fetchall())

    def _conservation(self) -> Iterator[str]:
        for day, run_id, receipts in self.rows(
            "select day, run_id, receipts from daybook.ledger where pipeline = %s", self.pipeline.name
        ):
            by_step = {stored["step"]: Receipt.model_validate(stored) for stored in receipts}
            try:
                check_balance(by_step, self.pipeline.facts)
            except Exception as error:
                yield f"I3 {day}, run {run_id}: {error}"

    def _uniqueness(self) -> Iterator[str]:
        for summary in self.pipeline.summaries:
            group = ", ".join(("day", *summary.by))
            query = f"select count(*) - count(distinct ({group})) from {{}}.{summary.name}"
            if self.rows(query) != [(0,)]:
                yield f"I4 {summary.name}: readers see a group twice"

    def _equality(self) -> Iterator[str]:
        rows = self.rows(
            "select day, facts_sha256, count(distinct content_sha256) from daybook.ledger where pipeline = %s "
            "group by 1, 2 having count(distinct content_sha256) > 1",
            self.pipeline.name,
        )
        yield from (f"I5 {day}: equal facts {facts[:12]} gave {count} contents" for day, facts, count in rows)

    def _files(self) -> Iterator[str]:
        for receipt_file in self.servers.data.rglob("receipt.json"):
            receipt = Receipt.model_validate_json(receipt_file.read_bytes())
            for name, made in receipt.outputs.items():
                found = hashlib.sha256((receipt_file.parent / name).read_bytes()).hexdigest()
                if found != made.sha256:
                    yield f"I6 {receipt_file.parent / name}: is not what its receipt says"
        disk.remove_left_over(self.servers.data, older_s=0)
        yield from (f"I6 {path}: is left half written" for path in self.servers.data.rglob("*.tmp"))

    def _check_nothing_is_open(self) -> None:
        query = (
            "select pid, state, query from pg_stat_activity where usename in ('warehouse_owner', 'source_reader') "
            "and pid <> pg_backend_pid() and state is distinct from 'idle'"
        )
        until = time.monotonic() + SECONDS_TO_SETTLE
        while open_ones := self.superuser(query) or self.superuser(
            "select * from pg_locks where locktype = 'advisory'"
        ):
            assert time.monotonic() < until, f"I9 left open: {open_ones}"
            time.sleep(0.05)

    def superuser(self, query: str) -> list[tuple[Any, ...]]:
        """Return what the server's superuser sees in the warehouse."""
        with psycopg.connect(self.servers.postgres.dsn("warehouse")) as connection:
            return connection.execute(query.encode()).fetchall()


def _sorted(rows: Any) -> list[str]:
    return sorted(repr(tuple(row)) for row in rows)


def _poll(reader: Reader, is_over: threading.Event) -> None:
    while not is_over.wait(SECONDS_BETWEEN_LOOKS):
        try:
            with reader.connect() as connection:
                while not is_over.wait(SECONDS_BETWEEN_LOOKS):
                    reader.files.add(reader.look_at_file())
                    reader.seen.add(reader.look(connection))
        except psycopg.errors.UndefinedTable:
            # Before the first run there is no view yet.
            continue
        except psycopg.OperationalError:
            # The test has killed the server.
            continue
        except BaseException as error:
            reader.errors.append(error)
            return
