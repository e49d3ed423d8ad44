"""`./daybook trace DAY SUMMARY COLUMN [GROUP=VALUE …]`: a published number, and its run, files and lines."""

from typing import Annotated, Any

import typer

from commands import exit_codes
from commands.arguments import Day, Json, PipelineName, Quiet, check_is_over, pipeline_named
from commands.output import say, tell_json, tell_table
from commands.renamed import as_known
from commands.servers import servers_of
from commands.tracing import Place, Traced
from commands.tracing import trace as traced_of
from commands.wrong_words import as_typed
from daybook.rules.recompute import group_values, summary_named
from daybook.text import spans

SPANS_SHOWN = 200  # characters; --json gives every line


def trace(
    day: Day,
    summary: Annotated[str, typer.Argument(metavar="SUMMARY", help="The summary, such as by_airline.")],
    column: Annotated[str, typer.Argument(metavar="COLUMN", help="The column, such as flights.")],
    group: Annotated[
        list[str] | None, typer.Argument(metavar="GROUP=VALUE", help="The row, such as carrier=AA; quote blanks.")
    ] = None,
    pipeline: PipelineName = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Go from a published number to its run, code, files and lines.

    The exit code is 1 if these lines do not give the number again, or the files are not those that the run read.

    Example: ./daybook trace 2013-01-05 by_airline flights 'airline=United Air Lines Inc.'
    """
    chosen = pipeline_named(pipeline)
    check_is_over(chosen, day)
    with as_typed():
        asked = summary_named(chosen, summary, column)
        values = group_values(chosen, asked, dict(word.partition("=")[::2] for word in group or ()))
    with servers_of(chosen, "trace"):
        traced = traced_of(as_known(chosen), day, asked, values, column)
    if json:
        found = {"is_equal": traced.is_equal, "unchecked": traced.unchecked}
        tell_json({"pipeline": chosen.name, "day": day, **found, **_in_words(traced)})
    else:
        tell(" ".join([chosen.name, str(day), asked.name, *(group or ()), column]), traced)
    return exit_codes.DONE if traced.is_equal else exit_codes.NOT_AS_ASKED


def tell(what: str, traced: Traced) -> None:
    """Print a number, its run, files and lines, and whether these lines give it again."""
    run = traced.run
    say(f"{what} = {traced.published}")
    say(f"run {run.run_id} ({run.run}), published {run.published_at:%Y-%m-%d %H:%M:%S %Z}")
    prints = [(step, receipt.fingerprint) for step, receipt in run.receipts.items() if receipt.fingerprint]
    tell_table(("step", "spec", "code", "libraries"), [(s, f.spec[:8], f.code[:8], f.libraries) for s, f in prints])
    tell_table(("source", "came from", "sha256"), [(one.name, one.origin, one.sha256) for one in traced.inputs])
    for place in traced.places:
        came_as = f" ({place.part})" if place.part else ""
        say(f"{place.file}{came_as}, {len(place.lines)} in all, lines: {_shown(spans(place.lines))}")
        if place.mended:
            say(f"not as they are there, but mended: {_shown(spans(place.mended))}")
    say(_verdict(traced))


def _verdict(traced: Traced) -> str:
    if traced.unchecked:
        return (
            f"NOT checked: {'; '.join(traced.unchecked)}; the rows kept of these lines give {traced.recomputed}; run "
            "the day again to have its files anew"
        )
    return f"these lines give {traced.recomputed}: {'equal' if traced.is_equal else 'NOT equal'}"


def _shown(lines: str) -> str:
    return lines if len(lines) <= SPANS_SHOWN else f"{lines[:SPANS_SHOWN].rpartition(',')[0]}, … (--json has all)"


def _in_words(traced: Traced) -> dict[str, Any]:
    words = traced._asdict()
    places: list[Place] = words.pop("places")
    if [place.part for place in places] != [None]:
        return words | {"parts": places}
    return words | {"file": places[0].file, "lines": places[0].lines, "mended": places[0].mended}
