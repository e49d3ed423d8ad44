"""`./daybook init NAME --file SAMPLE`, or `--table SCHEMA.TABLE`: the first module of a pipeline of your own.

It looks at all rows of the sample, or asks the table's database, and writes include/pipelines/NAME.py, which says in
comments what it saw and what to decide; and a test of it. What the sample does not say is asked for, and never guessed.
draft/ has how each part is proposed.
"""

import re
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, NamedTuple

import typer

from commands import connections, exit_codes
from commands.arguments import Json, Quiet
from commands.check_answer import Answer, exit_code, in_words, tell
from commands.check_form import (
    BlanksAfterDelimiter,
    Comment,
    Compression,
    Delimiter,
    Encoding,
    Escape,
    Footer,
    FooterLines,
    HeaderLine,
    LineEnd,
    LinesBelowHeader,
    MayEndEarly,
    NoHeader,
    NoLastLineEnd,
    NoQuotes,
    Quote,
    Sheet,
    TrailingDelimiter,
    Words,
    form_given,
    names_given,
)
from commands.check_steps import DayMeant, after_load, day_meant, loaded
from commands.draft import place
from commands.draft.answers import Answers, Draft, formats_given, refuse
from commands.draft.from_file import draft_of_file
from commands.draft.from_table import Asked, day_of_table, draft_of_table
from commands.draft.literals import quoted
from commands.draft.live import FIRST_ROWS, LOOK_S, LOOK_SETTINGS, first_day, look
from commands.draft.module import module_of
from commands.draft.own_test import copy_of, made_up, own_test, sample_file
from commands.draft.sample import sample_of
from commands.output import say, shown, tell_json
from commands.servers import servers_with
from commands.wrong_words import as_typed
from daybook.libraries import check_libraries
from daybook.postgres.session import Connection, at_once
from daybook.spec import Pipeline
from daybook.spec.table import RELATION
from daybook.spec.zones import known_zone
from daybook.text import counted, one_line
from deployment.home import Home

Name = Annotated[str, typer.Argument(metavar="NAME", help="The pipeline's name, and that of its schema.")]
SampleFile = Annotated[Path | None, typer.Option("--file", metavar="FILE", help="A file of the supplier's, of a day.")]
TableName = Annotated[str | None, typer.Option("--table", metavar="SCHEMA.TABLE", help="A table whose rows are facts.")]
ConnectionId = Annotated[
    str | None, typer.Option("--connection", metavar="ID", help="The id of Airflow's connection: 'ftp' or 'source_db'.")
]
DayColumn = Annotated[str | None, typer.Option("--day-column", metavar="COLUMN", help="The column of a row's day.")]
Formats = Annotated[
    list[str] | None,
    typer.Option("--format", metavar="COLUMN=FORMAT", help="How a date is written; 'text' keeps a text. Repeat it."),
]
TimeZone = Annotated[
    str | None, typer.Option("--time-zone", metavar="ZONE", help="In which a day ends, and whose clock times are of.")
]
DecimalMark = Annotated[str | None, typer.Option("--decimal-mark", metavar="SIGN", help="What stands before decimals.")]
PathOfDay = Annotated[
    str | None, typer.Option("--path", metavar="PATH", help="On the server, as sales/{day:%Y-%m-%d}.csv.")
]
Names = Annotated[str | None, typer.Option("--columns", metavar="A,B,C", help="Names, if there is no header.")]
IsForced = Annotated[bool, typer.Option("--force", help="Write over the files of an earlier one.")]
IsPrinted = Annotated[bool, typer.Option("--print", help="Print the module, and write nothing.")]


def init(
    context: typer.Context,
    name: Name,
    file: SampleFile = None,
    table: TableName = None,
    connection: ConnectionId = None,
    day_column: DayColumn = None,
    format: Formats = None,
    sheet: Sheet = None,
    time_zone: TimeZone = None,
    decimal_mark: DecimalMark = None,
    path: PathOfDay = None,
    columns: Names = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    header_line: HeaderLine = None,
    no_header: NoHeader = False,
    lines_below_header: LinesBelowHeader = None,
    comment: Comment = None,
    footer_lines: FooterLines = None,
    footer: Footer = None,
    quote: Quote = None,
    no_quotes: NoQuotes = False,
    escape: Escape = None,
    line_end: LineEnd = None,
    may_end_early: MayEndEarly = False,
    blanks_after_delimiter: BlanksAfterDelimiter = False,
    no_last_line_end: NoLastLineEnd = False,
    trailing_delimiter: TrailingDelimiter = False,
    compression: Compression = None,
    force: IsForced = False,
    is_printed: IsPrinted = False,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Write the first module of a pipeline, from a sample file or a table, and a test of it.

    It guesses nothing that the sample does not say: it asks, and names the options. The exit code is that of `check`.

    Example: ./daybook init sales --file sales_2026-03-04.csv
    """
    check_libraries()
    words = Words(delimiter, (), form_given({**context.params, "format": "xlsx" if sheet else None}))
    answers = Answers(day_column, formats_given(format or []), _zone(time_zone), decimal_mark, path)
    _check_go_together(file, table, words, answers, columns)
    place.check_name(name)
    if not is_printed:
        place.check_free(name, is_forced=force)
    manner = _Manner(is_printed, json)
    if table is not None:
        return _of_table(Asked(name, table, connection or "source_db", answers), manner)
    path_of_sample = file or Path()
    place.sample_named(path_of_sample)
    return _of_file(name, path_of_sample, _Given(words, columns, answers, connection or "ftp"), manner)


def _zone(name: str | None) -> str | None:
    try:
        return name and known_zone(name)
    except ValueError as error:
        refuse(f"--time-zone {one_line(name or '')}: {error}")


def _check_go_together(
    file: Path | None, table: str | None, words: Words, answers: Answers, columns: str | None
) -> None:
    """Raise WrongWords unless there is a file or a table, with words that are for it."""
    if (file is None) == (table is None):
        refuse("init: give a sample, --file FILE, or a table, --table SCHEMA.TABLE; one of them")
    of_file = {
        **words.options,
        "--format": bool(answers.formats),
        "--decimal-mark": answers.decimal_mark is not None,
        "--path": answers.path is not None,
        "--columns": columns is not None,
    }
    given = [option for option, is_given in of_file.items() if is_given]
    if table is not None and given:
        refuse(f"init: {', '.join(given)} is not allowed with --table, whose values have types; leave it out")
    if columns is not None and words.form["header_line"] != 0:
        refuse("init: --columns names the columns of a file without a header; say --no-header too, or leave it out")
    if answers.decimal_mark not in (None, ".", ","):
        refuse(f"--decimal-mark {one_line(answers.decimal_mark or '')}: expected '.' or ','")


class _Manner(NamedTuple):
    """Whether the module is printed alone, and whether the answer is JSON."""

    is_printed: bool
    is_json: bool


class _Given(NamedTuple):
    """What a person said about a sample file."""

    words: Words
    columns: str | None
    answers: Answers
    connection: str


def _of_file(name: str, path: Path, given: _Given, manner: _Manner) -> int:
    try:
        sample = sample_of(path, given.words, names_given(given.columns) if given.columns is not None else None)
    except PermissionError as error:
        refuse(f"{one_line(str(path))}: {error.strerror}; give yourself the right to read it")
    draft = draft_of_file(sample, name, given.answers, given.connection)
    text, pipeline = module_of(draft), draft.pipeline
    if manner.is_printed:
        return _printed(text)
    answer, meant = _checked(pipeline, path, None)
    place.write(_files(text, pipeline, path.name, copy_of(sample), meant))
    if manner.is_json:
        _tell_json(name, in_words(answer))
    else:
        tell(answer)
        there = Home.of_checkout().ftp_root / pipeline.files[0].path_on(meant.day)
        _tell_next(name, _put(path, there, name), f"./daybook day {meant.day} --pipeline {name}")
    return exit_code(answer)


def _put(sample: Path, there: Path, name: str) -> str:
    """Return the command that puts a sample where the local server shows it; if it is there, that which tries it."""
    if there.exists() and there.samefile(sample):
        return f"./daybook check {quoted(str(sample))} --pipeline {name}"
    return f"mkdir -p {quoted(shown(str(there.parent)))} && cp {quoted(str(sample))} {quoted(shown(str(there)))}"


def _of_table(asked: Asked, manner: _Manner) -> int:
    if not re.fullmatch(RELATION, asked.relation):
        refuse(f"--table {one_line(asked.relation)}: expected a table with its schema, such as public.{asked.name}")
    with servers_with(asked.connection, "init"), as_typed():
        opened = partial(connections.postgres_of, connections.dsn(asked.connection))
        where = f"the database of {asked.connection}"
        draft = at_once(opened, partial(_drafted, asked=asked), settings=LOOK_SETTINGS, where=where, limit_s=LOOK_S)
    text, pipeline = module_of(draft), draft.pipeline
    if manner.is_printed:
        return _printed(text)
    first, table = pipeline.schedule.start, pipeline.tables[0]
    place.write(_files(text, pipeline, "one_row.csv", made_up(table, first), None))
    if manner.is_json:
        _tell_json(asked.name, {"columns": [column.header for column in table.columns]})
    else:
        say(f"{asked.relation}: {counted(len(table.columns), 'column')}, first day {first}")
        _tell_next(
            asked.name, f"./daybook plan --pipeline {asked.name}", f"./daybook day {first} --pipeline {asked.name}"
        )
    return exit_codes.DONE


def _drafted(connection: Connection, *, asked: Asked) -> Draft:
    """Return a first pipeline for a table, whose first day is asked for only if that is quick."""
    live = look(connection, asked.relation)
    day = day_of_table(asked, live)
    is_quick = day.header in live.indexed or live.rows < FIRST_ROWS
    zone = asked.answers.time_zone or "UTC"
    start = first_day(connection, asked.relation, day.header, zone) if is_quick else None
    return draft_of_table(asked, live, day, start)


def _printed(text: str) -> int:
    print(text, end="")
    return exit_codes.DONE


def _checked(pipeline: Pipeline, path: Path, meant: DayMeant | None) -> tuple[Answer, DayMeant]:
    """Return what `check` says about a file of the pipeline."""
    given = loaded(path, pipeline.source(pipeline.facts))
    meant = meant or day_meant(pipeline, given, path, None, datetime.now(UTC).date())
    return Answer(given.checked, pipeline.facts, after_load(pipeline, given, {}, meant)), meant


def _files(text: str, pipeline: Pipeline, sample: str, content: bytes, meant: DayMeant | None) -> dict[str, bytes]:
    """Return what is written, by its path below the checkout: the module, its test, and the sample of the test."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / sample
        path.write_bytes(content)
        answer, of = _checked(pipeline, path, meant)
    counts = (answer.checked.accepted + len(answer.checked.refused), answer.accepted, len(answer.refused))
    test = own_test(pipeline.name, sample, of.day, message=answer.message, counts=counts)
    return {
        place.module_file(pipeline.name): text.encode(),
        place.test_file(pipeline.name): test.encode(),
        sample_file(pipeline.name, sample): content,
    }


def _tell_json(name: str, answer: dict[str, object]) -> None:
    tell_json({"module": place.module_file(name), "test": place.test_file(name), **answer})


def _tell_next(name: str, first: str, second: str) -> None:
    say("")
    say(f"Wrote {place.module_file(name)}, and {place.test_file(name)} with its sample beside it.")
    say("Read the module, and decide what its comments ask. Then:")
    say(f"  {first}")
    say(f"  {second}")
