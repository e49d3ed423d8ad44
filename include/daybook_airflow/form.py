"""The form of a run: the options when triggering one, in Airflow's UI, over REST or in a conf."""

from typing import Any

from airflow.sdk import DAG, Param

from daybook.spec import Pipeline, Place
from daybook_airflow.read_for import is_read_for_a_task

# A word that may be null is not marked as required in the UI. Nothing hides the UI's own field for a logical date,
# short of a timetable of partitions; see daybook_airflow/timetable.py.
# Each parse checks the form's schemas; this draft of JSON Schema takes a third of the time.
DRAFT: Any = {"$schema": "http://json-schema.org/draft-07/schema#"}
FORM = {
    "day": Param(
        None,
        type=["null", "string"],
        format="date",
        title="Day",
        description="The local day to work on; empty takes the last day that is over.",
        **DRAFT,
    ),
    "days": Param(
        [],
        type=["null", "array"],
        items={"type": "string", "format": "date"},
        title="Several days",
        description="Local days, one a line, for this one run instead; a day that fails is skipped and reported.",
        **DRAFT,
    ),
    "force": Param(
        False,
        type=["null", "boolean"],
        title="Do everything again",
        description="Otherwise a step whose inputs, spec and code are those of an earlier run takes over its result.",
        **DRAFT,
    ),
    "release": Param(
        None,
        type=["null", "string"],
        title="Release a held day: why",
        description="A reason here publishes a day although its numbers are implausible, or were rolled back. It is "
        "kept, with your name.",
        **DRAFT,
    ),
}


def _override(path: str, place: Place) -> Param:
    """Return the field of a value that a run may set; empty is as in the spec."""
    schema = place.json_schema
    kinds = [one for one in schema.get("anyOf", [schema]) if one != {"type": "null"}]
    types = sorted({kind["type"] for kind in kinds if "type" in kind})
    return Param(
        None,
        type=["null", *types],
        title=path,
        description=f"For the days of this run only, and kept with them; empty is as in the spec, {place.value!r}.",
        **DRAFT,
    )


def give_form(dag: DAG, pipeline: Pipeline) -> None:
    """Give a DAG its form, after its tasks are made: otherwise each task would keep and check a copy of it.

    A task asks the run's conf itself, so its own process has no form to check.
    """
    if not is_read_for_a_task():
        dag.params = FORM | {path: _override(path, pipeline.places[path]) for path in pipeline.may_override}  # type: ignore[assignment]
    for task in dag.tasks:
        # No templated fields: each would cost a request per task.
        task.template_fields = ()
