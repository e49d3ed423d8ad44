"""What the plugin answers about a pipeline's days, and about one. It asks the warehouse through Airflow's connection of
the target.

Only the API server imports it, when it is asked.
"""

from datetime import UTC, date, datetime
from functools import partial

from daybook.alerts.outbox import Outbox, outbox_folder
from daybook.days import finished_days
from daybook.errors import DaybookError
from daybook.ledger.known_day import KnownDay, days_of_run, known_day
from daybook.pages import run_state
from daybook.pages.calendar_page import Asked, State, calendar_page, year_asked
from daybook.pages.day_page import day_page
from daybook.pages.day_view import day_view
from daybook.pages.trouble import Noticed
from daybook.planning.known_days import known_days
from daybook.postgres.session import at_once
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from daybook_airflow.hooks import postgres

# Whoever looks at a page does not wait for a server that hangs.
LIMIT_S = 20.0


def days_answer(pipeline: Pipeline, year: str | None, state: str | None) -> bytes:
    """Return the page of a pipeline's days. year, state: as the address has them.

    Raises ValueError for a word that is none, and DaybookError if the warehouse cannot be asked.
    """
    due = finished_days(pipeline.schedule, datetime.now(UTC))
    years = sorted({day.year for day in due})
    asked = Asked(year_asked(year, years), State.asked(state))
    days = [day for day in due if asked.year in (None, day.year)]
    connect = partial(postgres, pipeline.target.connection)
    known = at_once(connect, lambda connection: known_days(connection, pipeline.name, days))
    return calendar_page(pipeline.name, known, years, asked)


def day_answer(
    data: DataFolder,
    pipeline: Pipeline,
    day: date,
    *,
    rollback_token: str,
    run: str | None = None,
    is_one_of_several: bool = False,
) -> bytes:
    """Return the page of a day, or of a run's work on it. If the warehouse does not answer, the files have to do.

    rollback_token: as of a DayView.
    """
    known, remark = KnownDay(run=run), ""
    connect = partial(postgres, pipeline.target.connection)
    try:
        known = at_once(connect, lambda connection: known_day(connection, pipeline.name, day, run), limit_s=LIMIT_S)
    except DaybookError as error:
        remark = f"The ledger did not answer, so what follows is from files alone: {error}"
    view = day_view(
        data,
        pipeline,
        day,
        known,
        run=run,
        is_one_of_several=is_one_of_several,
        noticed=_noticed(pipeline.name, known, run),
        remark=remark,
        rollback_token=rollback_token,
    )
    return day_page(view)


def days_of(pipeline: Pipeline, data: DataFolder, run: str) -> list[date]:
    """Return the days of a run: by its files, or by the ledger if it has none; none if neither knows it."""
    # PostgreSQL has no such sign in a text, so no run of the ledger has it in its name.
    if (found := run_state.days_of(data, pipeline, run)) or "\0" in run:
        return found
    connect = partial(postgres, pipeline.target.connection)
    try:
        return at_once(connect, lambda session: days_of_run(session, pipeline.name, run), limit_s=LIMIT_S)
    except DaybookError:
        return []


def _noticed(dag_id: str, known: KnownDay, run: str | None) -> dict[str, Noticed]:
    """Return the failure that Airflow noticed of a run, or of the day's last one: the ledger knows no killed task."""
    name = run or (known.runs[0].run if known.runs else None)
    found = Outbox(outbox_folder()).failures(dag_id, name) if name else []
    first = [Noticed(str(one["task_id"]), tuple(one["error_kinds"]), str(one["error"])) for one in found[:1]]
    return {name: first[0]} if name and first else {}
