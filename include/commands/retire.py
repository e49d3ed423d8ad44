"""`./daybook retire NAME`: what there is of a pipeline, or of one summary, is removed; its ledger is kept."""

import re
import sys
from functools import partial
from typing import Annotated, NamedTuple

import typer

from commands import connections, exit_codes
from commands.arguments import USER, Json, Quiet, Who, Why
from commands.dag_of import DagOf, dag_of, nothing_begins
from commands.output import say, say_error, tell_json
from commands.retire_further import left_targets, retire_further
from commands.warehouses import servers_of_all, warehouses
from commands.wrong_words import WrongWords
from daybook.errors import BadSpec
from daybook.ledger.exports import targets_with_days
from daybook.pipelines import load_pipelines
from daybook.postgres.session import OpenPostgres, at_once
from daybook.publish.agreement import ledger_of
from daybook.publish.belongings import Belongings, belongings
from daybook.publish.retire import check_is_free
from daybook.publish.retire import retire as retired
from daybook.storage.data_folder import DataFolder
from daybook.text import counted, nearest, one_line, spell
from daybook_airflow.errors import ApiError

NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}(\.[a-z_][a-z0-9_]{0,62})?")

NameAsked = Annotated[
    str, typer.Argument(metavar="NAME", help="A pipeline, such as flights; or one summary, such as flights.by_day.")
]
LeftTarget = Annotated[
    str | None,
    typer.Option(
        "--target",
        metavar="CONNECTION.SCHEMA",
        help="Only what this further target still holds, which the spec has no more; the pipeline goes on.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def retire(
    name: NameAsked,
    target: LeftTarget = None,
    yes: Yes = False,
    why: Why = "not given",
    who: Who = USER,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Remove a pipeline that nobody needs any more, or one of its summaries; first it says what readers lose, and asks.

    Views, tables, schemas, folders and Airflow's DAG go; the ledger's rows stay. The module need not be there any more;
    a summary has to be out of the spec. The exit code is 1 if Airflow could not be asked, or refused.

    Example: ./daybook retire flights.by_airline
    """
    pipeline, summary = _names(name)
    if target:
        return _retire_left(pipeline, summary, target, yes, json)
    _check_is_not_in_spec(pipeline, summary)
    with servers_of_all("retire"):
        data = connections.data()
        connect, found = _found(pipeline, summary, data)
        check_is_free(found)
        further = at_once(connect, lambda session: targets_with_days(session, pipeline)) if found.is_known else []
        dag = DagOf(pipeline, None) if summary else dag_of(pipeline)
        lost = [*_lost(found, dag), *(f"all that the target {name} holds of it" for name in further)]
        if not json:
            _tell_lost(found, lost)
        done: list[str] = []
        if lost:
            _agree(found.name, yes, json)
            with nothing_begins(dag):
                done = retired(connect, data, found, who, why)
        told, kept = retire_further(connect, pipeline, summary, further)
        done, left = _without_dag(dag, found, [*done, *told])
        left = [*kept, *left]
    _tell(found, lost, done, left, json)
    return exit_codes.NOT_AS_ASKED if left else exit_codes.DONE


def _retire_left(pipeline: str, summary: str | None, target: str, is_agreed: bool, is_json: bool) -> int:
    """Remove what a further target holds of a pipeline whose spec has that target no more."""
    with servers_of_all("retire"):
        connect, found = _found(pipeline, None, connections.data())
        own = load_pipelines().good.get(pipeline)
        left = left_targets(at_once(connect, lambda session: targets_with_days(session, pipeline)), own)
        if summary or target not in left:
            known = f"; those are {', '.join(left)}" if left else ""
            raise WrongWords(
                f"retire: {one_line(target)} is no target that holds days of {one_line(pipeline)} and is out of its "
                f"spec{known}; nothing was done"
            )
        lost = [f"all that the target {target} holds of it"]
        if not is_json:
            say(f"retire {pipeline} removes for good:")
            say(f"  {lost[0]}")
        _agree(pipeline, is_agreed, is_json)
        done, kept = retire_further(connect, pipeline, None, [target])
    _tell(found, lost, done, kept, is_json)
    return exit_codes.NOT_AS_ASKED if kept else exit_codes.DONE


def _names(written: str) -> tuple[str, str | None]:
    if not NAME.fullmatch(written):
        raise WrongWords(
            f"retire: {one_line(written)} is no name; nothing was done; expected a pipeline's, such as flights, or a "
            "summary's, such as flights.by_day"
        )
    pipeline, _, summary = written.partition(".")
    return pipeline, summary or None


def _check_is_not_in_spec(pipeline: str, summary: str | None) -> None:
    """Raise BadSpec if the next run would make again what is asked to go, or if it goes on under another name."""
    for spec in load_pipelines().good.values():
        if spec.renamed_from == pipeline and summary:
            raise BadSpec(f"{pipeline} is {spec.name} now; nothing was done; `./daybook retire {spec.name}.{summary}`")
    own = load_pipelines().good.get(pipeline)
    for one in own.views if own and summary else ():
        if summary in (one.name, one.renamed_from):
            raise BadSpec(
                f"{pipeline}.{summary}: it is a summary of the spec{_as(one.name, summary)}, and the next run would "
                "make it again; nothing was done; take it out of the spec first, then give the command again"
            )


def _as(name: str, summary: str | None) -> str:
    return "" if name == summary else f", which calls it {name} now"


def _found(pipeline: str, summary: str | None, data: DataFolder) -> tuple[OpenPostgres, Belongings]:
    """Return how to reach the warehouse that knows a pipeline, and what there is of it. Raises WrongWords if none
    does."""
    known = set(load_pipelines().good)
    for warehouse in warehouses(data):
        connect = partial(connections.postgres_of, connections.warehouse_dsn(warehouse.connection))
        found = at_once(connect, lambda session: belongings(session, data, pipeline, summary))
        if found.is_known or (not summary and pipeline in warehouse.specs):
            _check_is_not_being_renamed(found)
            return connect, found
        known |= {of_run for of_run, _, _ in at_once(connect, ledger_of).runs}
    known |= data.pipelines()
    if summary:
        raise WrongWords(f"retire: there is nothing of {pipeline}.{summary}; nothing was done")
    raise WrongWords(
        f"retire: {pipeline}: no warehouse and no folder knows such a pipeline{nearest(pipeline, sorted(known))}; "
        f"nothing was done{load_pipelines().warning}"
    )


def _check_is_not_being_renamed(found: Belongings) -> None:
    for spec in load_pipelines().good.values():
        if spec.renamed_from == found.pipeline and not found.is_nothing:
            raise BadSpec(
                f"{found.name}: the pipeline {spec.name} has renamed_from={found.pipeline!r}, and its next run takes "
                f"all of this over; nothing was done; run a day of {spec.name} first, or take that word out of the spec"
            )


def _lost(found: Belongings, dag: DagOf) -> list[str]:
    """Return what would go, a line each."""
    lost = []
    if found.views:
        lost.append(f"the {_several('view', len(found.views))} {', '.join(map(str, found.views))}")
    if found.days:
        days = f"{counted(len(found.days), 'published day')}, {spell(found.days)}"
        lost.append(f"{days}: readers see none any more" if not found.summary else f"its rows of {days}")
    for table in found.tables:
        others = "; rows of another pipeline stay in it" if table.is_shared else ""
        lost.append(f"the table {table.place.store}.{table.place.name}: {counted(table.rows, 'row')}{others}")
    if found.summary and found.folders:
        lost.append(f"its files in {counted(len(found.folders), 'folder')} of published runs")
    elif found.folders:
        mended = f", with the mended rows of {counted(found.mended_days, 'day')}" if found.mended_days else ""
        lost.append(f"the {_several('folder', len(found.folders))} {', '.join(found.folders)}{mended}")
    if dag.runs is not None:
        lost.append(f"Airflow's DAG {dag.name} with its {counted(dag.runs, 'run')}")
    return lost if found.views or found.tables or found.folders or dag.runs is not None else []


def _several(noun: str, count: int) -> str:
    return noun if count == 1 else f"{noun}s"


def _tell_lost(found: Belongings, lost: list[str]) -> None:
    if not lost:
        was = f"; {found.last_change}" if found.last_change else ""
        say(one_line(f"{found.name}: nothing is left of it that could be removed{was}"))
        return
    say(f"retire {found.name} removes for good:")
    for line in lost:
        say(f"  {line}")
    say("The ledger keeps its publications, decisions and runs, and who retired it.")
    if not found.summary and found.pipeline in load_pipelines().good:
        say(
            f"include/pipelines still has the pipeline {found.pipeline}: remove its module, or the next run begins "
            "anew, with nothing published."
        )
    for file in load_pipelines().broken:
        say(f"{file} does not load: if it is of {found.pipeline}, its runs begin anew once it is mended.")


def _agree(name: str, is_agreed: bool, is_json: bool) -> None:
    """Raise BadSpec unless a person agrees, by --yes or on the terminal."""
    if is_agreed:
        return
    if is_json or not sys.stdin.isatty():
        raise BadSpec(f"{name}: nobody was asked, as there is no terminal; nothing was removed; add --yes to agree")
    if input("Go on? [y/N] ").strip().lower() not in ("y", "yes"):
        raise BadSpec(f"{name}: not agreed; nothing was removed")


def _without_dag(dag: DagOf, found: Belongings, done: list[str]) -> tuple[list[str], list[str]]:
    """Remove the DAG; return what was done, and what is left, a line each."""
    again = f"`./daybook retire {dag.name}` once more"
    if found.summary:
        return done, []
    if dag.api is None:
        up = "when `./daybook up` runs, or where Airflow's API is known"
        return done, [f"Airflow was not asked ({dag.unknown}): if it has the DAG {dag.name}, give {again} {up}"]
    if dag.runs is None:
        return done, []
    try:
        dag.api.delete_dag(dag.name)
    except ApiError as error:
        return done, [f"Airflow keeps the DAG {dag.name}, paused: {error}; give {again}"]
    return [*done, f"removed the DAG {dag.name} with its {counted(dag.runs, 'run')} from Airflow"], []


class Answer(NamedTuple):
    """The answer in JSON. lost: what was to go; done; left: what is still there, and how it goes."""

    pipeline: str
    summary: str | None
    lost: list[str]
    done: list[str]
    left: list[str]


def _tell(found: Belongings, lost: list[str], done: list[str], left: list[str], is_json: bool) -> None:
    if is_json:
        tell_json(Answer(found.pipeline, found.summary, lost, done, left))
        return
    for line in done:
        say(one_line(line))
    for line in left:
        say_error(one_line(line))
