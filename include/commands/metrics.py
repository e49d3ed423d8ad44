"""`./daybook metrics`: the metrics of all pipelines in Prometheus's text format, as the plugin serves them."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from commands import connections, exit_codes
from commands.arguments import Quiet
from commands.output import console
from commands.warehouses import servers_of_all
from daybook.pages.metrics import metrics as as_text
from daybook.pipelines import load_pipelines
from daybook.planning.known_pipelines import ask_all

Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write them there, whole or not at all, for node_exporter."),
]


def metrics(out: Out = None, quiet: Quiet = False) -> int:
    """Print the metrics of all pipelines as Prometheus reads them: lag, days by state, rows, bytes, seconds by step.

    The exit code is 1 if a ledger does not answer.

    Example: ./daybook metrics --out /var/lib/node_exporter/daybook.prom
    """
    pipelines = load_pipelines()
    with servers_of_all("metrics"):
        known = ask_all(pipelines.good, connections.postgres, datetime.now(UTC))
    text = as_text(known, len(pipelines.broken))
    if out:
        _replace(out, text)
    elif not quiet:
        console().file.write(text.decode())
    return exit_codes.DONE if all(known.answered.values()) else exit_codes.NOT_AS_ASKED


def _replace(file: Path, text: bytes) -> None:
    # The collector reads each *.prom, at any moment.
    new = file.with_name(f"{file.name}.new")
    new.write_bytes(text)
    new.replace(file)
