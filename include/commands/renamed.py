"""A pipeline that the spec renames (`renamed_from`): verbs that look find it by its old name until its first run.

Verbs that decide something take it over first, as its first run would.
"""

from functools import partial

from commands import connections
from commands.arguments import USER
from commands.output import progress
from daybook.postgres.session import at_once
from daybook.publish import rename
from daybook.spec import Pipeline


def as_known(pipeline: Pipeline) -> Pipeline:
    """Return the pipeline under the name by which the ledger knows it now; the connections are the environment's."""
    if pipeline.renamed_from is None:
        return pipeline
    connect = partial(connections.postgres, pipeline.target.connection)
    return at_once(connect, lambda session: rename.known_as(session, pipeline))


def take_over(pipeline: Pipeline) -> None:
    """Let all that is there under the old name be found by the new one; the connections are the environment's."""
    connect = partial(connections.postgres, pipeline.target.connection)
    if pipeline.renamed_from and rename.rename(connect, pipeline, connections.data(), USER):
        progress(f"{pipeline.name} has taken over what {pipeline.renamed_from} had.")
