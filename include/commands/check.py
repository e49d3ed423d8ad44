"""`./daybook check FILE`: which rows of a file the loader would accept and refuse, with line numbers and reasons.

It asks no server and publishes nothing. Only the files of --out show values.
"""

from pathlib import Path
from typing import Annotated

import typer

from commands import exit_codes
from commands.arguments import Json, Quiet, pipeline_named, pipeline_names
from commands.check_file import Checked, warnings_of
from commands.check_file import check as checked
from commands.check_form import (
    NO_QUOTE,
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
    HeaderLine,
    LineEnd,
    LinesBelowHeader,
    MayEndEarly,
    NoHeader,
    NoLastLineEnd,
    NoQuotes,
    NullTokens,
    Quote,
    TrailingDelimiter,
    Words,
    names_given,
    names_in,
)
from commands.output import say, tell_json, tell_table
from commands.wrong_words import WrongWords
from daybook.libraries import check_libraries
from daybook.loader.limits import HINTS
from daybook.spec import Source, nearest
from daybook.text import counted, first_spans, lines_from, one_line

SHOWN_LINES = 20

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
    Path | None, typer.Option("--out", metavar="FOLDER", help="Write accepted and refused rows there, as CSV.")
]


def check(
    file: FileAsked,
    pipeline: Contract = None,
    columns: Columns = None,
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
    compression: Compression = None,
    null_token: NullTokens = None,
    out: Out = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Say which rows of a file the loader would accept and refuse.

    It needs no server. The exit code is 10 if some rows are refused, 20 if the file is, and 1 if only a warning is due.

    Example: ./daybook check flights.csv --pipeline flights
    """
    check_libraries()
    if pipeline is not None and columns is not None:
        raise WrongWords("check: --columns is not allowed with --pipeline; nothing was checked; leave one of them out")
    form = {
        "encoding": encoding,
        "header_line": _header_line(header_line, no_header, find_header, columns),
        "lines_below_header": lines_below_header,
        "comment": comment,
        "footer_lines": footer_lines,
        "footer": footer,
        "quote": NO_QUOTE if no_quotes else quote,
        "escape": escape,
        "line_end": line_end,
        "may_end_early": True if may_end_early else None,
        "has_blanks_after_delimiter": True if blanks_after_delimiter else None,
        "is_last_line_end_needed": False if no_last_line_end else None,
        "has_trailing_delimiter": True if trailing_delimiter else None,
        "compression": compression,
    }
    words = Words(delimiter, tuple(null_token or ()), form)
    if pipeline is not None and (given := [option for option, is_given in words.options.items() if is_given]):
        raise WrongWords(f"check: {', '.join(given)} is not allowed {SPEC_HAS_IT}")
    try:
        contract = _contract(file, pipeline, columns, words)
        found = checked(file, contract, out)
        if pipeline is None and columns is None and not found.message:
            found = found._replace(warnings=warnings_of(file, contract))
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise WrongWords(f"{one_line(str(error.filename))}: {error.strerror}; nothing was checked") from None
    if json:
        tell_json(_in_words(found))
    else:
        tell(found)
    return exit_code(found)


def _header_line(line: int | None, has_none: bool, is_found: bool, columns: str | None) -> int | str | None:
    said = {"--header-line": line is not None, "--no-header": has_none, "--find-header": is_found}
    if len(given := [option for option, is_given in said.items() if is_given]) > 1:
        raise WrongWords(f"check: {given[0]} is not allowed with {given[1]}; nothing was checked; leave one out")
    if is_found and columns is None:
        raise WrongWords("check: --find-header needs --columns, the names to look for; nothing was checked")
    return 0 if has_none else "find" if is_found else line


def exit_code(found: Checked) -> int:
    """Return 0 if every row is accepted, or 1 if there is a warning; 10 if some are refused, 20 if the file is."""
    if found.message:
        return exit_codes.FILE_REFUSED
    if found.refused:
        return exit_codes.ROWS_REFUSED
    return exit_codes.NOT_AS_ASKED if found.warnings else exit_codes.DONE


def tell(found: Checked) -> None:
    """Print the verdict, the counts by reason, and the first refused lines."""
    if found.message:
        say(f"refused as a whole: {found.message}")
    else:
        say(
            f"{one_line(found.file)}: {found.accepted + len(found.refused):,} rows, {found.accepted:,} accepted, "
            f"{_refused(found)}, {found.empty_lines:,} empty lines"
        )
    for word, count in found.skipped.items():
        say(f"{word}: {counted(count, 'line')}, no {'row' if count == 1 else 'rows'}")
    if found.twins:
        done = "dropped" if found.on_twins == "drop" else "refused"
        say(f"of the accepted, {len(found.twins):,} are equal to others and will be {done}: {first_spans(found.twins)}")
    for (token, column), count in found.tokens.most_common():
        say(f"{one_line(repr(token))} stands for a missing value in {counted(count, 'field')} of {one_line(column)!r}")
    for warning in found.warnings:
        say(f"warning: {one_line(found.file)}: {warning}")
    if found.refused:
        say("")
        _tell_reasons(found)
        for reason, hint in _hints(found).items():
            say(f"{reason}: {hint}")
        say("")
        lines = [(lines_from(row.line, row.lines), *_named(row.reason, row.column)) for row in found.refused]
        tell_table(("line", "reason", "column"), lines[:SHOWN_LINES])
    if len(found.refused) > SHOWN_LINES:
        say(f"and {len(found.refused) - SHOWN_LINES:,} more; --json gives all, --out FOLDER also their values")


def _hints(found: Checked) -> dict[str, str]:
    """Return the usual cause of each reason, and the word that takes such rows, if the message does not say it."""
    reasons = dict.fromkeys(reason for (reason, _), _ in found.reasons.most_common())
    return {reason: HINTS[reason] for reason in reasons if HINTS.get(reason, "") not in (found.message or "")}


def _refused(found: Checked) -> str:
    records, lines = len(found.refused), found.lines.total()
    return f"{records:,} refused" if records == lines else f"{counted(records, 'record')} of {lines:,} lines refused"


def _tell_reasons(found: Checked) -> None:
    """Print a row for each reason and column, and how many lines the records take, if some take several."""
    lines = found.lines
    if lines == found.reasons:
        tell_table(("reason", "column", "rows"), [(*_named(*of), f"{n:,}") for of, n in found.reasons.most_common()])
    else:
        rows = [(*_named(*of), f"{n:,}", f"{lines[of]:,}") for of, n in found.reasons.most_common()]
        tell_table(("reason", "column", "rows", "lines"), rows)


def _contract(file: Path, pipeline: str | None, columns: str | None, words: Words) -> Source:
    if pipeline is not None:
        return _source_named(pipeline)
    if columns is not None:
        return words.contract(names_given(columns))
    return words.contract(names_in(file, words.contract(["none"])))


def _source_named(name: str) -> Source:
    pipeline = pipeline_named(name.partition(".")[0])
    files, wanted = [file.name for file in pipeline.files], name.partition(".")[2]
    if not wanted and len(files) == 1:
        return pipeline.files[0]
    if wanted not in [source.name for source in pipeline.sources]:
        names = [f"{pipeline.name}.{source.name}" for source in pipeline.sources]
        raise WrongWords(f"{name}: which of its files?{nearest(name, names)}; there are {', '.join(names)}")
    return pipeline.source(wanted)


def _named(reason: str, column: str | None) -> tuple[str, str]:
    return reason, one_line(column or "")


def _in_words(found: Checked) -> dict[str, object]:
    reasons = [
        {"reason": of[0], "column": of[1], "rows": n, "lines": found.lines[of], "hint": HINTS.get(of[0])}
        for of, n in found.reasons.most_common()
    ]
    return {
        "file": found.file,
        "exit_code": exit_code(found),
        "message": found.message,
        "warnings": found.warnings,
        "rows": found.accepted + len(found.refused),
        "accepted": found.accepted,
        "refused": len(found.refused),
        "refused_lines": found.lines.total(),
        "empty_lines": found.empty_lines,
        "skipped_lines": dict(found.skipped),
        "twins": {"lines": found.twins, "will_be": found.on_twins},
        "tokens": [{"token": of[0], "column": of[1], "fields": n} for of, n in found.tokens.most_common()],
        "reasons": reasons,
        "lines": found.refused,
    }
