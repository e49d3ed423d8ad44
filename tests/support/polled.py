"""A reader in a process of its own: it asks for a day again and again, and keeps the answers and their seconds."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import psycopg


@dataclass
class Polled:
    """What a reader saw, each answer once, in the order of the first time; and the seconds of each answer."""

    seen: list[tuple[Any, ...]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def percentile(self, percent: int) -> float:
        """Return the seconds within which so many percent of the answers came."""
        return sorted(self.seconds)[min(len(self.seconds) - 1, len(self.seconds) * percent // 100)]


@contextmanager
def polled(dsn: str, query: str, per_second: float) -> Iterator[Polled]:
    """Poll until the block ends; the answers are there after it. query: gives one row."""
    polling = Polled()
    ours, its = multiprocessing.Pipe()
    reader = multiprocessing.get_context("fork").Process(target=_poll, args=(its, dsn, query, 1 / per_second))
    reader.start()
    # Its first answer is there.
    ours.recv()
    try:
        yield polling
    finally:
        ours.send("end")
        polling.seen, polling.seconds = ours.recv()
        reader.join()


def _poll(told: Connection, dsn: str, query: str, every_s: float) -> None:
    seen: dict[tuple[Any, ...], None] = {}
    seconds: list[float] = []
    with psycopg.connect(dsn, autocommit=True) as connection:
        is_over = False
        while not is_over:
            # Asked once more after the end: what is there then is seen in any case.
            is_over = told.poll(max(0.0, every_s - seconds[-1]) if seconds else 0.0)
            began = time.monotonic()
            (row,) = connection.execute(query.encode()).fetchall()
            seconds.append(time.monotonic() - began)
            seen[row] = None
            if len(seconds) == 1:
                told.send("begun")
    told.recv()
    told.send((list(seen), seconds))
