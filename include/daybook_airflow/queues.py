"""The queue of each task: one of its own for each pool that DAYBOOK_QUEUES names, for workers that stand elsewhere.

With CeleryExecutor, a worker takes the tasks of the queues that it listens to, such as one beside the source. Other
executors have no queues. The pools hold as before: a queue says where a task runs, a pool how many do at once.
"""

import os
from collections.abc import Mapping
from typing import Any

VARIABLE = "DAYBOOK_QUEUES"


def pool_and_queue(pool: str, variables: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return the words of a task that say where it runs: its pool, and a queue of that name if DAYBOOK_QUEUES has it.

    Otherwise the queue is left to Airflow, which has one common queue (`[operators] default_queue`).
    """
    named = {name.strip() for name in variables.get(VARIABLE, "").split(",")}
    return {"pool": pool, "queue": pool} if pool in named else {"pool": pool}
