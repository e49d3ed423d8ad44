"""How the file of `./daybook check` is written, if no pipeline's contract says so: its options, as words of a spec.

Called by check.py. It builds a contract of text columns, named on the command line or by the file's own header.
"""

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import typer

from daybook.errors import BadData, BadSpec
from daybook.loader.decode import Decoded, taken, unpacked
from daybook.loader.fields import BOM, Damage, split, syntax_of
from daybook.loader.header import start_of_header
from daybook.loader.other_formats import is_other, kinds_in, names_of
from daybook.spec import Column, File, Form, Kind, Source, text
from daybook.spec.column import CLOCK_UNIT
from daybook.text import counted

HEAD_BYTES, TAIL_BYTES = 2**20, 2**16
SPEC_HAS_IT = "with --pipeline, whose spec has it; nothing was checked"

Format = Annotated[
    str | None, typer.Option("--format", metavar="KIND", help="csv, json_lines, parquet or xlsx, if it is not csv.")
]
Sheet = Annotated[
    str | None, typer.Option("--sheet", metavar="NAME", help="The sheet of a workbook, if it has several.")
]
Delimiter = Annotated[
    str | None,
    typer.Option("--delimiter", metavar="SIGN", help="The sign between fields, if there is no contract: ','."),
]
Encoding = Annotated[str | None, typer.Option("--encoding", metavar="NAME", help="The encoding, or 'utf-8'.")]
HeaderLine = Annotated[int | None, typer.Option("--header-line", metavar="N", help="The header's line, or 1.")]
FindHeader = Annotated[
    bool, typer.Option("--find-header", help="The header is on the line that has the names of --columns.")
]
LinesBelowHeader = Annotated[
    int | None, typer.Option("--lines-below-header", metavar="N", help="So many lines below the header are no rows.")
]
Comment = Annotated[str | None, typer.Option("--comment", metavar="SIGN", help="A line that begins so is no row.")]
FooterLines = Annotated[int | None, typer.Option("--footer-lines", metavar="N", help="The last N lines are no rows.")]
Footer = Annotated[
    str | None, typer.Option("--footer", metavar="PATTERN", help="The last lines that match are no rows.")
]
Quote = Annotated[str | None, typer.Option("--quote", metavar="SIGN", help="The sign that texts stand in, or '\"'.")]
NoQuotes = Annotated[bool, typer.Option("--no-quotes", help="No text stands in quotes; a quote is a letter.")]
Escape = Annotated[str | None, typer.Option("--escape", metavar="SIGN", help="The sign that makes a quote a letter.")]
LineEnd = Annotated[str | None, typer.Option("--line-end", metavar="KIND", help="lf (CRLF too), cr or crcrlf.")]
MayEndEarly = Annotated[bool, typer.Option("--may-end-early", help="Empty fields are left out at the end of rows.")]
BlanksAfterDelimiter = Annotated[
    bool, typer.Option("--blanks-after-delimiter", help="Blanks at the start of a field are no part of it.")
]
Widths = Annotated[
    str | None, typer.Option("--widths", metavar="N,N,N", help="The columns have so many characters, and no delimiter.")
]
NoHeader = Annotated[bool, typer.Option("--no-header", help="The file has no header; its first line is a row.")]
NoLastLineEnd = Annotated[bool, typer.Option("--no-last-line-end", help="The last line may have no line end.")]
TrailingDelimiter = Annotated[bool, typer.Option("--trailing-delimiter", help="Each line ends with a delimiter.")]
Compression = Annotated[str | None, typer.Option("--compression", metavar="KIND", help="none, gzip or zip.")]
NullTokens = Annotated[
    list[str] | None,
    typer.Option("--null-token", metavar="TEXT", help="A spelling of a missing value, to be counted; repeat it."),
]


class Words(NamedTuple):
    """The words for a file that no pipeline describes, as the command line has them; None is one that it leaves out.

    widths: those of its columns, if they are fixed.
    """

    delimiter: str | None
    null_tokens: tuple[str, ...]
    form: Mapping[str, Any]
    widths: tuple[int, ...] = ()

    @property
    def options(self) -> dict[str, bool]:
        """Return each option, and whether it was given."""
        given = {name: self.form.get(word) is not None for word, name in OPTIONS.items()}
        if self.form.get("quote") == NO_QUOTE:
            given = {"--no-quotes": True} | given | {"--quote": False}
        if other := {0: "--no-header", "find": "--find-header"}.get(self.form.get("header_line", 1)):
            given = {other: True} | given | {"--header-line": False}
        return {
            "--delimiter": self.delimiter is not None,
            **given,
            "--widths": bool(self.widths),
            "--null-token": bool(self.null_tokens),
        }

    def contract(self, columns: list[str] | None) -> File:
        """Return the contract of a file with these columns, all of text; None: their names are not known yet.

        Raises BadSpec if the spec refuses a word.
        """
        given = {word: value for word, value in self.form.items() if value is not None}
        given |= {"quote": None} if given.get("quote") == NO_QUOTE else {}
        given |= {"is_fixed_width": True, "header_line": given.get("header_line", 1)} if self.widths else {}
        names = columns or [f"column {place}" for place in range(1, max(1, len(self.widths)) + 1)]
        if self.widths and len(names) != len(self.widths):
            raise BadSpec(
                f"check: --widths has {counted(len(self.widths), 'width')} for {counted(len(names), 'column')}; "
                "nothing was checked; each "
                "column has one"
            )
        return of_columns(names, self.delimiter or ",", Form(**given), self.null_tokens, self.widths)


# The word of --no-quotes, as None is a word that the command line leaves out.
NO_QUOTE = ""
# The words of Form, and the options that say them.
OPTIONS = {
    "format": "--format",
    "sheet": "--sheet",
    "encoding": "--encoding",
    "header_line": "--header-line",
    "lines_below_header": "--lines-below-header",
    "comment": "--comment",
    "footer_lines": "--footer-lines",
    "footer": "--footer",
    "quote": "--quote",
    "escape": "--escape",
    "line_end": "--line-end",
    "may_end_early": "--may-end-early",
    "has_blanks_after_delimiter": "--blanks-after-delimiter",
    "is_last_line_end_needed": "--no-last-line-end",
    "has_trailing_delimiter": "--trailing-delimiter",
    "compression": "--compression",
}


# The options that are on or off, and the words that they say if they are on.
FLAGS = {
    "may_end_early": ("may_end_early", True),
    "blanks_after_delimiter": ("has_blanks_after_delimiter", True),
    "no_last_line_end": ("is_last_line_end_needed", False),
    "trailing_delimiter": ("has_trailing_delimiter", True),
    "no_quotes": ("quote", NO_QUOTE),
    "no_header": ("header_line", 0),
    "find_header": ("header_line", "find"),
}


def form_given(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the words of a form from a verb's options, by the names of its parameters; None is one left out."""
    words = {word: options.get(word) for word in OPTIONS if word not in FLAGS}
    words |= {word: None for option, (word, _) in FLAGS.items() if word not in words}
    return words | {word: value for option, (word, value) in FLAGS.items() if options.get(option)}


def of_columns(
    names: list[str],
    delimiter: str = ",",
    form: Form | None = None,
    null_tokens: tuple[str, ...] = (),
    widths: tuple[int, ...] = (),
) -> File:
    """Return the contract of a file with these columns, all of text. widths: theirs, if they are fixed."""
    named = zip(names, widths or [None] * len(names), strict=True)
    columns = tuple(text(name, f"column_{place}", width=width) for place, (name, width) in enumerate(named, 1))
    return File(
        name="file",
        connection="none",
        path="file",
        columns=columns,
        delimiter=delimiter,
        form=form or Form(),
        null_tokens=null_tokens,
    )


def of_cells(path: Path, source: Source) -> File:
    """Return the contract of a file that is no CSV, by its own columns: of text, or of the type of their values."""
    form = Form(**(source.form.model_dump() | {"extra_columns": "ignore"}))
    contract = of_columns(names_in(path, source), form=form, null_tokens=source.null_tokens)
    with path.open("rb") as stream:
        kinds = kinds_in(stream, contract, path.name)
    columns = (Column(**(column.model_dump() | _words(kinds.get(column.header)))) for column in contract.columns)
    return contract.model_copy(update={"columns": tuple(columns), "form": source.form})


def _words(kind: Kind | Literal["clock"] | None) -> dict[str, str]:
    if kind == "clock":
        return {"kind": "integer", "format": "%H:%M:%S", "unit": CLOCK_UNIT}
    return {"kind": kind or "text"} | ({"format": "%Y-%m-%d"} if kind in ("date", "timestamp") else {})


def names_given(columns: str) -> list[str]:
    """Return the names of `--columns`. Raises BadSpec if there is none, or one stands twice."""
    names = columns.split(",")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if not any(name.strip() for name in names):
        raise BadSpec("check: --columns names no column; nothing was checked; name the columns of the file's header")
    if twice:
        raise BadSpec(f"check: --columns names {twice[0]!r} twice; nothing was checked; name each column once")
    return names


def widths_given(widths: str | None) -> tuple[int, ...]:
    """Return the numbers of `--widths`. Raises BadSpec if one is none."""
    found = (widths or "").split(",") if widths is not None else []
    if wrong := [width for width in found if not width.strip().isdecimal() or not int(width)]:
        raise BadSpec(f"check: --widths: {wrong[0]!r} is no number of characters; nothing was checked; expected 11,9,6")
    return tuple(map(int, found))


def names_in(path: Path, source: Source) -> list[str]:
    """Return the values of the line where a file's header is agreed to be, header or not: the loader judges them.

    Without a header they are "column 1" and so on; of a file that is no CSV, its own.
    """
    if is_other(source):
        with path.open("rb") as stream:
            return names_of(stream, source, path.name)
    head = head_of(path, source)
    try:
        start = start_of_header(head, source, path.name) if source.form.header_line else 0
        cut = split(head, start, syntax_of(source), is_last=True)
    except (BadData, Damage):
        cut = None
    names = [name.decode(errors="replace") for name in cut.values] if cut and cut.values else [""]
    names = names[:-1] if source.form.has_trailing_delimiter and names[-1] == "" and len(names) > 1 else names
    return names if source.form.header_line else [f"column {place}" for place in range(1, len(names) + 1)]


def tail_of(path: Path, source: Source) -> bytes:
    """Return the last TAIL_BYTES of a file, unpacked and in UTF-8; none if they cannot be read as agreed."""
    tail = b""
    with path.open("rb") as stream:
        try:
            read = Decoded(unpacked(stream, source, path.name), source.form).read
            while chunk := read(HEAD_BYTES):
                tail = (tail + chunk)[-TAIL_BYTES:]
        except (BadData, UnicodeError):
            return b""
    return tail


def head_of(path: Path, source: Source) -> bytes:
    """Return the first HEAD_BYTES of a file, unpacked and in UTF-8; none if they cannot be read as agreed."""
    with path.open("rb") as stream:
        try:
            read = unpacked(stream, source, path.name)
            return taken(Decoded(read, source.form).read, HEAD_BYTES).removeprefix(BOM)
        except (BadData, UnicodeError):
            return b""
