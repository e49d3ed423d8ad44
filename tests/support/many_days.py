"""Fills the ledger and the data folder with many days of many pipelines, each like one day that a real run published.

Ten years of a hundred pipelines would take a scheduler weeks. Here each day is a copy of a model day, which was run for
real: its rows in the ledger, and for days of its own pipeline its rows in the warehouse's store, its folders and links.
The names of pipeline, day and run are changed, the runs' numbers are new, and data files are the model's under a second
name (hard links), so that each receipt's hashes hold. tests/integration/publish/test_many_days.py compares such a day
with a real one.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql

from daybook.spec import Pipeline

# The tables of the ledger that have rows of a run or of a day, in the order of their foreign keys.
TABLES = ("run", "published", "ledger", "step", "saved_summary", "decision", "exported")
# Files whose text names the day or the run.
NAMING = (".json", ".html")


class Model(NamedTuple):
    """The day that was run for real, of which all others are copies."""

    pipeline: Pipeline
    day: date


class Copy(NamedTuple):
    """A day to make: of which pipeline, and the number of its run; the model day has one run."""

    pipeline: str
    day: date
    run_id: int


def copies(pipelines: Sequence[str], days: Sequence[date], above: int) -> list[Copy]:
    """Return all days of all pipelines, with the numbers of their runs after `above`, in the order of the days."""
    asked = ((pipeline, day) for day in days for pipeline in pipelines)
    return [Copy(pipeline, day, above + number) for number, (pipeline, day) in enumerate(asked, start=1)]


def fill_ledger(connection: psycopg.Connection[Any], model: Model, made: Sequence[Copy]) -> None:
    """Add the ledger's rows of some days, and those of the model's pipeline in the warehouse's store too.

    connection: of the superuser, its search_path the ledger's schema. The day's runs have one row in `run`.
    """
    with connection.transaction():
        # Constraints and triggers would look at each of some million rows; the model's rows have passed them.
        connection.execute("set local session_replication_role = replica")
        connection.execute("create temp table made (pipeline text, day date, run_id bigint) on commit drop")
        with connection.cursor().copy("copy made from stdin") as copy:
            for one in made:
                copy.write_row(one)
        for table in TABLES:
            _copy_rows(connection, model, sql.Identifier(table), "true")
        for view in model.pipeline.views:
            stored = sql.Identifier(model.pipeline.target.store, view.name)
            _copy_rows(connection, model, stored, "made.pipeline = %(pipeline)s")
        connection.execute("select setval(pg_get_serial_sequence('run', 'run_id'), max(run_id)) from run")


def fill_folder(root: Path, model: Model, model_run_id: int, made: Sequence[Copy]) -> None:
    """Add the folders and links of some days of the model's pipeline to a data folder on a disk."""
    days, published = root / "days" / model.pipeline.name, root / "published" / model.pipeline.name
    for one in made:
        words = {str(model.day): str(one.day), f'"run_id": {model_run_id}': f'"run_id": {one.run_id}'}
        _copy_tree(days / str(model.day), days / str(one.day), words)
        files = Path(".runs") / str(one.day) / str(one.run_id)
        _copy_tree(published / ".runs" / str(model.day) / str(model_run_id), published / files, words)
        (published / str(one.day)).symlink_to(files)


def _copy_rows(connection: psycopg.Connection[Any], model: Model, table: sql.Identifier, which: str) -> None:
    columns = _columns(connection, table)
    values = sql.SQL(", ").join(_value(name, kind) for name, kind in columns)
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _ in columns)
    of_model = "model.day = %(day)s" if "day" in dict(columns) else "model.run_id = (select run_id from run_of_model)"
    of_model += " and model.pipeline = %(pipeline)s" if "pipeline" in dict(columns) else ""
    statement = sql.SQL(
        "with run_of_model as (select run_id from run where pipeline = %(pipeline)s and day = %(day)s) "
        "insert into {table} ({names}) overriding system value "
        "select {values} from {table} model cross join made where {of_model} and {which}"
    ).format(table=table, names=names, values=values, of_model=sql.SQL(of_model), which=sql.SQL(which))
    connection.execute(statement, {"pipeline": model.pipeline.name, "day": model.day})


def _columns(connection: psycopg.Connection[Any], table: sql.Identifier) -> list[tuple[str, str]]:
    rows = connection.execute(
        "select attname, atttypid::regtype::text from pg_attribute where attrelid = %s::regclass and attnum > 0 "
        "and not attisdropped and attgenerated = '' order by attnum",
        [table.as_string(connection)],
    )
    return rows.fetchall()


def _value(name: str, kind: str) -> sql.Composable:
    """Return the words of a column's value: the copy's own, or the model's with the copy's names in it."""
    column = sql.SQL("model.{}").format(sql.Identifier(name))
    if name == "linked_run_id" or name in Copy._fields:
        return sql.Identifier("made", "run_id" if name == "linked_run_id" else name)
    renamed = sql.SQL("replace({}::text, %(day)s::text, made.day::text)").format(column)
    if kind == "jsonb":
        own = sql.SQL("replace({}, {} || %(pipeline)s || '\"', {} || made.pipeline || '\"')").format(
            renamed, *[sql.Literal('"pipeline": "')] * 2
        )
        pattern = sql.Literal('"run_id": [0-9]+')
        return sql.SQL("regexp_replace({}, {}, '\"run_id\": ' || made.run_id, 'g')::jsonb").format(own, pattern)
    return renamed if kind == "text" and name in ("run", "started_by") else column


def _copy_tree(source: Path, target: Path, words: dict[str, str]) -> None:
    for file in _files(source):
        copy = target / _renamed(str(file.relative_to(source)), words)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if file.suffix in NAMING or file.parent.name == "by_fingerprint":
            copy.write_text(_renamed(file.read_text(), words))
        else:
            os.link(file, copy)
    shutil.copymode(source, target)


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file())


def _renamed(text: str, words: dict[str, str]) -> str:
    for was, became in words.items():
        text = text.replace(was, became)
    return text
