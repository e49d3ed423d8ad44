"""A step that may hold a day, as a task: then a person decides, in Airflow's Required Actions, and no worker waits.

    summarize, deploy --holds a day--> awaiting_input --"Publish" and why--> the day goes on, released in that name
                                                      --"Leave it" and why, or nothing for hours--> red, as it was

A run of one day parks at the step that holds it. A run of several days goes on with the others and parks at the end of
`deploy`. A backfill and a run that a command started do not park, since each would keep one of the pipeline's running
runs: the command tells which days are held, and `./daybook release` publishes them.
"""

from datetime import date, timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import HITLOperator
from airflow.sdk import Param

from daybook.errors import Implausible
from daybook.ledger.decisions import Release
from daybook.run.several_days import DaysLeftOut, Step
from daybook_airflow import tasks
from daybook_airflow.answers import held_days
from daybook_airflow.decision import OPTIONS, PUBLISH, Decided
from daybook_airflow.held_numbers import numbers
from daybook_airflow.links import DayLink, ReportLink

# Shorter than a day: a parked run counts as running, and the next day's must not wait for it.
OPEN_FOR = timedelta(hours=22)
SUBJECT = "Held: are the numbers right?"
WHY = "Kept with your name. Needed: without it you are asked again."
DAYS = "The days that are published; those that you take away stay as they are."


class HoldingTask(HITLOperator):
    """A task that does a step for each day of its run, and asks a person about the days that the step holds."""

    operator_extra_links = (DayLink(), ReportLink())

    def __init__(self, *, step: Step, execution_timeout: timedelta, **more: Any) -> None:
        """Make the task of a step, by its name."""
        name, words = step.__name__, step.__doc__
        asked: dict[str, Any] = {
            "subject": "A day is held",
            "options": [*OPTIONS],
            "response_timeout": OPEN_FOR,
        }
        super().__init__(task_id=name, doc_md=words, **asked, **more)
        # Not passed on: the operator would take it for the time to answer in.
        self.execution_timeout = execution_timeout
        self.step = step

    def execute(self, context: Any) -> Any:
        """Do the step for each day of the run, and return the counts by day."""
        try:
            return tasks.do(self.step, context)
        except (Implausible, DaysLeftOut):
            held = held_days(self.step, tasks.day_runs(self.step, context))
            if not held or tasks.is_of_command(context):
                raise
        days = [str(day_run.day) for day_run in held]
        self.subject = f"{context['dag'].dag_id} {', '.join(days)}. {SUBJECT}"
        self.body = numbers(held, self.step.__name__)
        self.params["why"] = Param(None, type=["null", "string"], title="Why", description=WHY)
        self.params["days"] = Param(days, type="array", items={"type": "string"}, title="Days", description=DAYS)
        return super().execute(context)

    def execute_complete(self, context: Any, event: dict[str, Any]) -> Any:
        """Go on with a person's answer, and return the counts by day; without a reason, ask again."""
        if "error" in event:
            return tasks.do(self.step, context)
        answer = super().execute_complete(context, event)
        given, person = answer["params_input"], answer["responded_by_user"]
        why = " ".join(str(given.get("why") or "").split())
        if not why:
            self.log.warning("%s gave no reason, so it is asked again", (person or {}).get("name"))
            return self.execute(context)
        released = given.get("days") if answer["chosen_options"] == [PUBLISH] else []
        decided = Decided(Release((person or {}).get("name") or "unknown", why), _days(released))
        return tasks.go_on(self.step, context, decided)


def _days(given: object) -> frozenset[date]:
    return frozenset(map(date.fromisoformat, given)) if isinstance(given, list) else frozenset()
