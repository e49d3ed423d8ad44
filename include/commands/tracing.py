"""From a published number to the rows that it was made from, and from those rows to the number again.

It reads the warehouse and the files of the run, and changes nothing.
"""

from datetime import date
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa
from psycopg import sql

from commands import connections
from daybook.errors import BadSpec
from daybook.ledger import queries
from daybook.ledger.queries import Published, is_begun
from daybook.ledger.raw_files import raw_files
from daybook.ledger.receipt import STEPS, Receipt
from daybook.loader.line_numbers import own_line, part_of
from daybook.postgres.session import Connection, at_once
from daybook.publish.deploy import reading
from daybook.refused import mends
from daybook.rules.recompute import Number, recomputed, rows_of
from daybook.spec import Pipeline, Summary
from daybook.storage.folder import Folder
from daybook.storage.tables import files_of, read_parquet
from daybook.text import counted


class Input(NamedTuple):
    """A file that a run extracted: its origin, its hash then, and its path. fault: "gone" or "changed" since, or ""."""

    name: str
    origin: str
    sha256: str
    path: str
    fault: str


class Place(NamedTuple):
    """Lines of one raw file of the facts. mended: those that count as a person wrote them. part: the part's name on
    the server, if the facts came in parts."""

    file: str
    lines: list[int]
    mended: list[int]
    part: str | None


class Traced(NamedTuple):
    """A published number, the number that the traced rows give, the run, its files, and the places of the rows."""

    published: Number
    recomputed: Number
    run: Published
    inputs: list[Input]
    places: list[Place]

    @property
    def unchecked(self) -> list[str]:
        """Return why the lines cannot be taken for those that the number was made from; nothing if they can."""
        return [f"{one.path} is {one.fault} since the run read it" for one in self.inputs if one.fault]

    @property
    def is_equal(self) -> bool:
        """Return whether the files are those that the run read, and give the published number again."""
        return self.published == self.recomputed and not self.unchecked


def trace(pipeline: Pipeline, day: date, summary: Summary, group: dict[str, Any], column: str) -> Traced:
    """Go from a published number to its rows, and back; the connections and the data folder are the environment's.

    Raises BadSpec if the day is not published, the group is not one row, or the run's files are gone.
    """
    connect = partial(connections.postgres, pipeline.target.connection)
    number, run = at_once(connect, lambda session: _published(session, pipeline, day, summary, group, column))
    folder = connections.data().run(pipeline.name, day, run.run)
    rows = rows_of(_facts(folder, run, pipeline), group)
    return Traced(
        published=number,
        recomputed=recomputed(rows, pipeline, column),
        run=run,
        inputs=[one for step in STEPS[:2] for one in _inputs(folder, run, step)],
        places=_places(folder, run, pipeline, sorted(rows["line"].to_pylist())),
    )


def _published(
    session: Connection, pipeline: Pipeline, day: date, summary: Summary, group: dict[str, Any], column: str
) -> tuple[Number, Published]:
    run = queries.published(session, pipeline.name, day) if is_begun(session) else None
    if run is None:
        raise BadSpec(f"{pipeline.name} {day}: not published; nothing was traced; `./daybook why` says what is known")
    found = _numbers(session, pipeline, day, summary, group, column)
    if len(found) != 1:
        missing = ", ".join(f"{name}=…" for name in summary.by if name not in group)
        raise BadSpec(
            f"{pipeline.name} {day}, summary {summary.name}: {counted(len(found), 'row')} of that group, expected 1; "
            f"nothing was traced; {f'add {missing}' if found else 'give a group that is published'}"
        )
    return found[0], run


def _numbers(
    session: Connection, pipeline: Pipeline, day: date, summary: Summary, group: dict[str, Any], column: str
) -> list[Number]:
    tests = [sql.SQL("{} is not distinct from %s").format(sql.Identifier(name)) for name in ("day", *group)]
    query = sql.SQL("select {} from {} where {}").format(
        sql.Identifier(column),
        sql.Identifier(pipeline.target.schema_, summary.name),
        sql.SQL(" and ").join(tests),
    )
    return [number for (number,) in session.execute(query, [day, *group.values()])]


def _facts(folder: Folder, run: Published, pipeline: Pipeline) -> Any:
    outputs = run.receipts["index"].outputs
    names = files_of(f"{pipeline.facts}.parquet", outputs)
    if gone := [name for name in names if not (folder / "index").has(name)]:
        raise BadSpec(
            f"{folder.path}/index/{gone[0]} is not there; expected the files of run {run.run_id}; nothing was traced; "
            "is DAYBOOK_DATA the folder that the tasks write to?"
        )
    return pa.concat_tables([_read(folder / "index", name, outputs[name].sha256) for name in names])


def _read(folder: Folder, name: str, sha256: str) -> pa.Table:
    with folder.open_unchanged(name, sha256) as file:
        return read_parquet(file)


def _places(folder: Folder, run: Published, pipeline: Pipeline, lines: list[int]) -> list[Place]:
    extracted, mended = reading(pipeline, run.receipts), _mended(folder, run, pipeline.facts)
    places = []
    for raw in raw_files(extracted, pipeline.facts, pipeline.facts):
        here = [line for line in lines if part_of(line) == raw.number]
        places.append(
            Place(
                file=str((folder / extracted.step).path / raw.file),
                lines=[own_line(line) for line in here],
                mended=[own_line(line) for line in here if line in mended],
                part=raw.name if raw.number else None,
            )
        )
    return places


def _mended(folder: Folder, run: Published, source: str) -> set[int]:
    made = run.receipts["load"].outputs.get(mends.FILE)
    if made is None:
        return set()
    with (folder / "load").open_unchanged(mends.FILE, made.sha256) as file:
        rows = read_parquet(file, ["source", "line"]).to_pylist()
    return {row["line"] for row in rows if row["source"] == source}


def _inputs(folder: Folder, run: Published, step: str) -> list[Input]:
    receipt = run.receipts[step]
    return [
        Input(
            name=name.removesuffix(".csv"),
            origin=_place(receipt, name.removesuffix(".csv")),
            sha256=output.sha256,
            path=str((folder / step).path / name),
            fault=(folder / step).fault(name, output.sha256),
        )
        for name, output in receipt.outputs.items()
    ]


def _place(receipt: Receipt, stem: str) -> str:
    return receipt.origins[stem].place if stem in receipt.origins else ""
