"""`./daybook export`: sends what exports and further targets owe, or a published day once more."""

from datetime import UTC, date, datetime
from functools import partial
from typing import Annotated

import typer

from commands import connections, exit_codes
from commands.arguments import First, Json, Last, PipelineName, Quiet, as_day, asked_days, check_is_over, pipeline_named
from commands.output import say, tell_json
from commands.renamed import take_over
from commands.servers import servers_of
from commands.wrong_words import WrongWords
from daybook.ledger import runs
from daybook.ledger.exports import Owed, in_words
from daybook.postgres.session import Connection, at_once
from daybook.publish.exports import Exporter, ask_again
from daybook.spec import Pipeline
from daybook.text import one_line, spell

DayAgain = Annotated[
    date | None,
    typer.Argument(parser=as_day, metavar="[DAY]", help="A published day, sent whatever was sent before."),
]


def export(
    day: DayAgain = None,
    first: First = None,
    last: Last = None,
    pipeline: PipelineName = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Send what exports and further targets owe; with a day or a range, its published days once more.

    Each deployment does this by itself for what is owed. Days that were published before an export or a further target
    was declared owe nothing: name them. The exit code is 1 if anything is still owed.

    Example: ./daybook export 2013-01-05
    """
    chosen = pipeline_named(pipeline)
    if day and (first or last):
        raise WrongWords("export: give one DAY, or --from DAY and --to DAY; nothing was done")
    with servers_of(chosen, "export"):
        take_over(chosen)
        connect = partial(connections.postgres, chosen.target.connection)
        at_once(connect, runs.prepare)
        exporter = Exporter(chosen, connections.data(), connect, connections.files, connections.postgres)
        gone = exporter.let_go()
        if not (chosen.exports or chosen.also or gone):
            raise WrongWords(
                f"export: {chosen.name} has no exports and no further targets (also); nothing was done; declare them "
                "in its spec"
            )
        asked = at_once(connect, partial(_ask_again, pipeline=chosen, days=_days(chosen, day, first, last)))
        done = {owed: exporter.pay(owed) for owed in exporter.owed()}
        left = exporter.owed()
    if json:
        tell_json({"pipeline": chosen.name, "asked": asked, "done": _rows(done), "owed": left, "let_go": gone})
    else:
        for one in gone:
            say(one_line(f"{chosen.name}: {one}: let go; days from before an export was declared owe nothing"))
        tell(chosen.name, done, left)
    return exit_codes.NOT_AS_ASKED if left else exit_codes.DONE


def tell(pipeline: str, done: dict[Owed, str], left: list[Owed]) -> None:
    """Print what was done, and what is still owed and why."""
    for owed, what in done.items():
        if what:
            say(one_line(f"{pipeline} {owed.day}: {in_words(owed.export)}: {what}"))
    for owed in left:
        say(one_line(f"{pipeline} {owed.day}: {owed}"))
    days = spell(tuple(sorted({owed.day for owed in left})))
    say(f"{len(left)} still owed: {days}" if left else "nothing is owed")


def _days(pipeline: Pipeline, day: date | None, first: date | None, last: date | None) -> list[date]:
    if day:
        check_is_over(pipeline, day)
        return [day]
    return asked_days(pipeline, first, last, datetime.now(UTC)) if first or last else []


def _ask_again(connection: Connection, pipeline: Pipeline, days: list[date]) -> list[date]:
    asked = ask_again(connection, pipeline, days)
    if days and not asked:
        raise WrongWords(f"{pipeline.name}: none of the days is published; nothing was done; run them first")
    return asked


def _rows(done: dict[Owed, str]) -> list[dict[str, object]]:
    return [
        {"day": owed.day, "export": owed.export, "run_id": owed.run_id, "done": what} for owed, what in done.items()
    ]
