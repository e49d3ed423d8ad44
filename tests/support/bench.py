"""A bench on which faults are made: the steps of a pipeline in processes of their own."""

from dataclasses import dataclass, replace
from typing import Any

from .invariants import Invariants
from .processes import Processes, Started
from .runner import Job, do_steps

DAY = "2013-01-05"
BATCH = ("2013-01-06", "2013-01-07")  # days of the same run as DAY
OLD, NEW = 40, 50  # rows of the day as it was published before, and as it comes next


@dataclass
class Bench(Invariants):
    """A pipeline whose runs are processes that a test starts, strikes and awaits."""

    processes: Processes

    def job(self, day: str, run: str, **words: Any) -> Job:
        """Return a run of the nine steps on a day."""
        return Job(self.servers, self.pipeline, day, run, **words)

    def start(self, job: Job) -> Started:
        """Start it in a process of its own."""
        return self.processes.start(job)

    def do(self, day: str, run: str, **words: Any) -> dict[str, Any]:
        """Do it, and give what it told."""
        return self.start(self.job(day, run, **words)).end()

    def publish(self, day: str, run: str, rows: int) -> None:
        """Deliver a day of so many rows, and publish it, in this process; nothing may go wrong."""
        self.deliver(day, rows)
        do_steps(self.servers.work(self.pipeline, day, run))

    def with_keep(self, keep_runs: int) -> "Bench":
        """Return the bench with another number of runs kept."""
        return replace(self, pipeline=self.pipeline.model_copy(update={"keep_runs": keep_runs}))

    def run_ids(self, day: str) -> list[int]:
        """Return the numbers of the runs of a day whose rows are in the warehouse."""
        query = "select distinct run_id from {}_store.by_day where day = %s order by 1"
        return [row[0] for row in self.rows(query, day)]
