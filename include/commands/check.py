"""`./daybook check FILE`: which rows of a file the steps would accept and refuse, with line numbers and reasons.

It asks no server and publishes nothing. Only the files of --out show values.

    check_form       the words of the command line, as a contract
    check_file       the file through the loader
    check_steps      its rows through `clean`, `index` and the rules of a day, if a pipeline is named
    check_proposals  the words under which more of its rows load; check_words has the list
    check_answer     the answer, as text or as JSON
"""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

import typer

from commands.arguments import Json, Quiet, as_day, pipeline_named, pipeline_names
from commands.check_answer import Answer, exit_code, in_words, tell
from commands.check_file import Checked, warnings_of
from commands.check_file import check as checked
from commands.check_form import (
    SPEC_HAS_IT,
    BlanksAfterDelimiter,
    Comment,
    Compression,
    Delimiter,
    Encoding,
    Escape,
    FindHeader,
    Footer,
    FooterLines,
    Format,
    HeaderLine,
    LineEnd,
    LinesBelowHeader,
    MayEndEarly,
    NoHeader,
    NoLastLineEnd,
    NoQuotes,
    NullTokens,
    Quote,
    Sheet,
    TrailingDelimiter,
    Widths,
    Words,
    form_given,
    names_given,
    names_in,
    of_cells,
    widths_given,
)
from commands.check_proposals import Proposal, proposals
from commands.check_steps import after_load, day_meant, loaded
from commands.output import tell_json
from commands.wrong_words import WrongWords
from daybook.errors import BadData
from daybook.libraries import check_libraries
from daybook.loader.other_formats import is_other
from daybook.spec import Pipeline, Source, nearest
from daybook.text import one_line

FileAsked = Annotated[Path, typer.Argument(metavar="FILE", help="The file.")]
Contract = Annotated[
    str | None,
    typer.Option(
        *("--pipeline", "-p"),
        metavar="NAME",
        help="By the contract of this pipeline's file; NAME.SOURCE if it has several.",
        autocompletion=pipeline_names,
    ),
]
Columns = Annotated[
    str | None, typer.Option("--columns", metavar="A,B,C", help="By these columns, all of text; else the file's own.")
]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FOLDER", help="Write the rows that `load` accepts and refuses there.")
]
Lookups = Annotated[
    list[str] | None,
    typer.Option(
        "--lookup", metavar="NAME=FILE", help="A CSV file of a lookup's rows, by the lookup's contract; repeat it."
    ),
]
DayOfRows = Annotated[
    date | None,
    typer.Option("--day", parser=as_day, metavar="DAY", help="The day of its rows; else that of its name, or of most."),
]


def check(
    context: typer.Context,
    file: FileAsked,
    pipeline: Contract = None,
    columns: Columns = None,
    format: Format = None,
    sheet: Sheet = None,
    delimiter: Delimiter = None,
    encoding: Encoding = None,
    header_line: HeaderLine = None,
    no_header: NoHeader = False,
    find_header: FindHeader = False,
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
    widths: Widths = None,
    compression: Compression = None,
    null_token: NullTokens = None,
    lookup: Lookups = None,
    day: DayOfRows = None,
    out: Out = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Say which rows of a file the loader would accept and refuse; with --pipeline, `clean` and `index` too.

    It needs no server. The exit code is 10 if some rows are refused, 20 if the file is, and 1 if only a warning is due.

    Example: ./daybook check flights.csv --pipeline flights --lookup planes=planes.csv
    """
    check_libraries()
    _check_header(header_line, no_header, find_header, columns)
    words = Words(delimiter, tuple(null_token or ()), form_given(context.params), widths_given(widths))
    _check_go_together(pipeline, columns, words, lookup, day)
    try:
        if pipeline is not None:
            found = _by_pipeline(file, pipeline, lookup or [], day, out)
        else:
            found = _by_words(file, columns, words, out)
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise WrongWords(f"{one_line(str(error.filename))}: {error.strerror}; nothing was checked") from None
    if json:
        tell_json(in_words(found))
    else:
        tell(found)
    return exit_code(found)


def _check_go_together(
    pipeline: str | None, columns: str | None, words: Words, lookups: list[str] | None, day: date | None
) -> None:
    """Raise WrongWords if the words are not for each other."""
    if pipeline is not None and columns is not None:
        raise WrongWords("check: --columns is not allowed with --pipeline; nothing was checked; leave one of them out")
    if pipeline is not None and (given := [option for option, is_given in words.options.items() if is_given]):
        raise WrongWords(f"check: {', '.join(given)} is not allowed {SPEC_HAS_IT}")
    if pipeline is None and (lookups or day):
        option = "--lookup" if lookups else "--day"
        raise WrongWords(f"check: {option} needs --pipeline, whose rules it is for; nothing was checked; add it")


def _check_header(line: int | None, has_none: bool, is_found: bool, columns: str | None) -> None:
    said = {"--header-line": line is not None, "--no-header": has_none, "--find-header": is_found}
    if len(given := [option for option, is_given in said.items() if is_given]) > 1:
        raise WrongWords(f"check: {given[0]} is not allowed with {given[1]}; nothing was checked; leave one out")
    if is_found and columns is None:
        raise WrongWords("check: --find-header needs --columns, the names to look for; nothing was checked")


def _by_pipeline(file: Path, name: str, lookups: list[str], day: date | None, out: Path | None) -> Answer:
    pipeline = pipeline_named(name.partition(".")[0])
    source = _source_named(pipeline, name)
    paths = _lookups_named(pipeline, source, lookups)
    given = loaded(file, source, out)
    others = {name: loaded(path, pipeline.source(name)) for name, path in paths.items()}
    meant = day_meant(pipeline, given, file, day, datetime.now(UTC).date())
    stepped = after_load(pipeline, given, others, meant)
    return Answer(given.checked, source.name, stepped, _proposals(file, source, given.checked))


def _by_words(file: Path, columns: str | None, words: Words, out: Path | None) -> Answer:
    contract = _contract(file, columns, words)
    found = checked(file, contract, out)
    if columns is None and not found.message:
        found = found._replace(warnings=warnings_of(file, contract))
    return Answer(found, proposals=_proposals(file, contract, found, has_own_columns=columns is None))


def _contract(file: Path, columns: str | None, words: Words) -> Source:
    if columns is not None:
        return words.contract(names_given(columns))
    bare = words.contract(None)
    try:
        return of_cells(file, bare) if is_other(bare) else words.contract(names_in(file, bare))
    except BadData:
        # The loader says what is wrong with it.
        return bare


def _proposals(file: Path, source: Source, found: Checked, *, has_own_columns: bool = False) -> list[Proposal]:
    if not found.message and not found.refused:
        return []
    return proposals(file, source, found, has_own_columns=has_own_columns)


def _source_named(pipeline: Pipeline, name: str) -> Source:
    files, wanted = [file.name for file in pipeline.files], name.partition(".")[2]
    if not wanted and len(files) == 1:
        return pipeline.files[0]
    if wanted not in [source.name for source in pipeline.sources]:
        names = [f"{pipeline.name}.{source.name}" for source in pipeline.sources]
        raise WrongWords(f"{name}: which of its files?{nearest(name, names)}; there are {', '.join(names)}")
    return pipeline.source(wanted)


def _lookups_named(pipeline: Pipeline, source: Source, given: list[str]) -> dict[str, Path]:
    """Return the files given for lookups. Raises WrongWords if one is for no lookup of the file's source."""
    names = [one.source for one in pipeline.lookups if one.source != source.name]
    names = names if source.name == pipeline.facts else []
    paths: dict[str, Path] = {}
    for word in given:
        name, _, path = word.partition("=")
        if name not in names or not path or name in paths:
            known = f"its lookups are {', '.join(names)}" if names else f"{source.name} is matched to no lookup"
            raise WrongWords(
                f"--lookup {one_line(word)}: expected NAME=FILE, each name once{nearest(name, names)}; {known}; "
                "nothing was checked"
            )
        paths[name] = Path(path)
    return paths
