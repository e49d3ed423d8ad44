"""What the plugin answers about the counts of all pipelines. It asks the ledgers, each warehouse once.

Only the API server imports it, when it is asked.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import groupby

from daybook.days import finished_days
from daybook.errors import DaybookError
from daybook.ledger.queries import is_begun
from daybook.ledger.step_counts import step_counts
from daybook.ledger.turns import days_at_work
from daybook.pages.counts_page import Known, State, counts_page
from daybook.postgres.session import Connection, at_once
from daybook.spec import Pipeline
from daybook_airflow.hooks import postgres


def counts_answer(pipelines: Iterable[Pipeline], left_out: list[str], state: str | None) -> bytes:
    """Return the page. pipelines: those whose runs the person may see. left_out: the files of those that do not load.

    Raises ValueError for a word of `state` that is none.
    """
    asked, now = State.asked(state), datetime.now(UTC)
    by_warehouse = groupby(sorted(pipelines, key=_warehouse), _warehouse)
    known = [one for warehouse, found in by_warehouse for one in _known(warehouse, list(found), now)]
    return counts_page(sorted(known, key=lambda one: one.pipeline), left_out, asked)


def _warehouse(pipeline: Pipeline) -> str:
    return pipeline.target.connection


def _known(warehouse: str, pipelines: list[Pipeline], now: datetime) -> list[Known]:
    try:
        return at_once(partial(postgres, warehouse), lambda session: list(_asked(session, pipelines, now)))
    except DaybookError as error:
        # The other warehouses have their pipelines on the page.
        return [
            Known(pipeline.name, len(finished_days(pipeline.schedule, now)), [], [], str(error))
            for pipeline in pipelines
        ]


def _asked(connection: Connection, pipelines: list[Pipeline], now: datetime) -> Iterator[Known]:
    has_ledger = is_begun(connection)
    for pipeline in pipelines:
        due = finished_days(pipeline.schedule, now)
        counts = step_counts(connection, pipeline.name, due) if has_ledger else []
        yield Known(pipeline.name, len(due), counts, days_at_work(connection, pipeline.name))
