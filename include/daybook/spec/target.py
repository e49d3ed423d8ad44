"""The part of a spec about the databases where a pipeline is published: its target, and further ones that follow it."""

from collections.abc import Iterator

from pydantic import Field, field_validator

from daybook.environment import SEPARATOR, VARIABLE, is_here
from daybook.spec.value import Name, Value

STORE, STATE = "_store", "_state"


class Target(Value):
    """Where summaries are published: the id of an Airflow connection, and the schema of the views."""

    connection: str = "warehouse"
    # With "_store" appended it still has at most 63 bytes; PostgreSQL would cut a longer name.
    schema_: Name = Field(alias="schema", max_length=57)

    @field_validator("schema_")
    @classmethod
    def _tells_its_environment(cls, schema: str) -> str:
        if SEPARATOR in schema and not is_here(schema):
            raise ValueError(f"two underscores in a row are kept for environments ({VARIABLE}); take one")
        return schema

    @property
    def store(self) -> str:
        """Return the schema that holds the rows of every run; only the views are for readers."""
        return f"{self.schema_}{STORE}"

    @property
    def state(self) -> str:
        """Return the schema that says, in a further target, which run of each day it holds."""
        return f"{self.schema_}{STATE}"

    @property
    def schemas(self) -> set[str]:
        """Return all schemas that it needs."""
        return {self.schema_, self.store, self.state}

    def __str__(self) -> str:
        return f"{self.connection}.{self.schema_}"


def target_problems(target: Target, also: tuple[Target, ...]) -> Iterator[str]:
    """Yield what is wrong with a pipeline's further targets: an address, or a place that another target has."""
    taken = {"target": target}
    for number, further in enumerate(also):
        path = f"also[{number}]"
        if "://" in further.connection or not further.connection:
            yield (
                f"{path}.connection: {further.connection!r} is refused: it takes the id of an Airflow connection to a "
                "PostgreSQL database, as in Target(connection='analytics', schema='sales')"
            )
        for other, place in taken.items():
            if place.connection == further.connection and (shared := sorted(place.schemas & further.schemas)):
                yield (
                    f"{path}: {further} is refused: {other} has the schema {', '.join(shared)} of that connection; "
                    "name another connection or schema"
                )
                break
        taken[path] = further
