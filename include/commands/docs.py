"""`./daybook docs`: pages about the pipelines, for people who only read, and the same for programs."""

from contextlib import nullcontext
from datetime import UTC, date
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from psycopg.conninfo import conninfo_to_dict

from commands import connections, exit_codes
from commands.output import Quiet, say
from commands.renamed import as_known
from commands.warehouses import servers_of_all
from daybook.catalog.contract import Place
from daybook.catalog.site import Freshness, Known, write_site
from daybook.ledger.queries import is_begun
from daybook.ledger.queries import published as publication
from daybook.ledger.step_log import published_days
from daybook.pipelines import load_pipelines
from daybook.postgres.session import Connection, at_once
from daybook.spec import Pipeline

Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder for the pages alone; made if it is missing.")]
WithoutDays = Annotated[
    bool, typer.Option("--without-days", help="Ask no server: the pages do not say which days are published.")
]


def docs(folder: Folder = Path("site"), without_days: WithoutDays = False, quiet: Quiet = False) -> int:
    """Write pages about all pipelines: sources, contract, rules, formulas, lineage, published days.

    Beside each page are the pipeline's data contract (ODCS) and its spec as JSON; pipeline.schema.json is the JSON
    Schema of a spec. The exit code is 1 if a module of include/pipelines does not load.

    Example: ./daybook docs site
    """
    pipelines = load_pipelines()
    with nullcontext() if without_days else servers_of_all("docs"):
        known = {} if without_days else {name: _known(pipeline) for name, pipeline in pipelines.good.items()}
    write_site(folder, pipelines.good, known, pipelines.broken)
    say(f"{folder / 'index.html'}: {', '.join(pipelines.good) or 'no pipeline'}{pipelines.warning}")
    return exit_codes.NOT_AS_ASKED if pipelines.broken else exit_codes.DONE


def _known(pipeline: Pipeline) -> Known:
    connect = partial(connections.postgres, pipeline.target.connection)
    words = conninfo_to_dict(connections.dsn(pipeline.target.connection))
    place = Place(str(words.get("host", "")), int(words.get("port") or 5432), str(words.get("dbname", "")))
    known = as_known(pipeline)
    return Known(place, at_once(connect, lambda session: _freshness(session, known)))


def _freshness(connection: Connection, pipeline: Pipeline) -> Freshness | None:
    if not is_begun(connection):
        return None
    days = published_days(connection, pipeline.name, date.min, date.max)
    seen = publication(connection, pipeline.name, max(days)) if days else None
    if seen is None:
        return None
    at = seen.published_at.astimezone(UTC)
    return Freshness(len(days), max(days), f"{at:%Y-%m-%d %H:%M} UTC")
