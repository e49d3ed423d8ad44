"""How a sample file is written, and its fields as texts: read by the loader, by the words that `check` proposes."""

from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from commands.check_file import VALUE, Checked, check
from commands.check_form import Words, head_of, names_in, of_columns
from commands.check_proposals import best_words
from commands.check_words import Seen, formats, sep_lines, sniffed_quote, with_form
from commands.draft.answers import refuse
from commands.draft.cells import texts_of_cells
from commands.draft.moments import ways_to_read
from daybook.loader.header_hints import BLANKS, LOOKED_AT_BYTES, even_delimiter
from daybook.loader.other_formats import is_other
from daybook.spec import RESERVED, File, Form, Source, text
from daybook.text import counted, one_line, verb

# How many last lines may be totals.
MOST_FOOTER_LINES = 3
AS_A_WHOLE = "the sample would be refused as a whole"


class Sample(NamedTuple):
    """A sample as texts. source: how it is written, all of its columns as text. headers: the names of its columns, ""
    if one has none. checked: with the table of its accepted rows."""

    path: Path
    source: Source
    headers: list[str]
    checked: Checked

    @property
    def rows(self) -> int:
        """Return how many rows can be cut into fields."""
        return self.checked.accepted

    def fields(self, place: int) -> pa.ChunkedArray:
        """Return the fields of the column at a place; the first is 0."""
        return self.checked.table[self.source.columns[place].header]


def sample_of(path: Path, words: Words, names: list[str] | None) -> Sample:
    """Read a sample. words: how it is written, as far as a person said it. names: of its columns, without a header.

    Raises WrongWords if it is no table, or it is not clear which line is its header.
    """
    name = one_line(path.name)
    if path.stat().st_size == 0:
        refuse(f"{name} is empty: it has 0 bytes; give a file with a header and rows")
    source = _by_best_words(path, words)
    if is_other(source):
        return _of_cells(path, source)
    checked = check(path, source, None, is_table_kept=True)
    if checked.message:
        refuse(f"{AS_A_WHOLE}: {checked.message}")
    headers = names if names is not None else _headers(path, source)
    if source.form.header_line != 0:
        _check_is_header(headers, words, name)
    elif names is None:
        headers = [f"column {place}" for place in range(1, len(source.columns) + 1)]
    if len(headers) != len(source.columns):
        named = f"--columns names {counted(len(headers), 'column')}"
        refuse(f"{named}, and {name} has {len(source.columns)}; name each of them")
    if not checked.accepted:
        refuse(f"{name} has a header and no row that can be read; a kind is proposed from rows: give a file with some")
    return without_footer(_without_empty_last(Sample(path, source, headers, checked)))


def _of_cells(path: Path, source: Source) -> Sample:
    source, headers, checked = texts_of_cells(path, source)
    if checked.message:
        refuse(f"{AS_A_WHOLE}: {checked.message}")
    if not checked.accepted:
        refuse(
            f"{one_line(path.name)} has no row that can be read; a kind is proposed from rows: give a file with some"
        )
    return Sample(path, source, headers, checked)


def by_place(names: list[str], delimiter: str = ",", form: Form | None = None, tokens: tuple[str, ...] = ()) -> File:
    """Return the contract of texts for the names of a header: by places, if names are empty, taken or stand twice."""
    if len(set(names)) == len(names) and not {"", *RESERVED} & set(names):
        return of_columns(names, delimiter, form, tokens)
    columns = [text(f"column {place}", f"column_{place}", position=place) for place in range(1, len(names) + 1)]
    return of_columns(["x"], delimiter, form, tokens).model_copy(update={"columns": tuple(columns)})


def _by_best_words(path: Path, words: Words) -> Source:
    said: Source = words.contract(["x"])
    if words.delimiter is None and not is_other(said) and len(names_in(path, said)) == 1:
        said = next(iter(sep_lines(Seen(path, said, False))), None) or _by_even_delimiter(path, said)
    source: Source = by_place(names_in(path, said), said.delimiter, said.form, said.null_tokens)
    found = check(path, source, None)
    if found.message or found.refused:
        source, found = best_words(path, source, found, by_place)
        # A file of another format without rows loads no better by it, and is told so.
        source = next(iter(formats(Seen(path, source, False))), source) if found.message else source
    if is_other(source):
        return source
    return _as_said(path, _in_single_quotes(path, source, found), words)


def _in_single_quotes(path: Path, source: Source, found: Checked) -> Source:
    """Return the source with single quotes, if a field stands in them and no row is lost by it."""
    if source.form.quote != '"' or sniffed_quote(head_of(path, source)[:LOOKED_AT_BYTES]) != "'":
        return source
    changed = with_form(source, quote="'")
    changed = by_place(names_in(path, changed), changed.delimiter, changed.form)
    return changed if check(path, changed, None).accepted >= found.accepted else source


def _by_even_delimiter(path: Path, source: Source) -> Source:
    """Return the source with the sign that stands equally often on each of the first lines, if there is one."""
    even = even_delimiter(head_of(path, source))
    if even and even[0] == BLANKS:
        refuse(
            f"{one_line(path.name)}: its columns stand at fixed places, with blanks between them, and where each "
            "begins is not guessed; try widths by `./daybook check FILE --widths 11,9,6`, then write the module by "
            "hand: docs/pipeline.md"
        )
    return source.model_copy(update={"delimiter": even[0]}) if even else source


def _as_said(path: Path, source: Source, words: Words) -> Source:
    """Return the source with the words that a person gave, which no search may change."""
    given = {word: value for word, value in words.form.items() if value is not None}
    given |= {"quote": None} if given.get("quote") == "" else {}
    changed = with_form(source, **given)
    changed = changed.model_copy(update={"delimiter": words.delimiter or source.delimiter})
    return source if changed == source else by_place(names_in(path, changed), changed.delimiter, changed.form)


def _headers(path: Path, source: Source) -> list[str]:
    return names_in(path, source)


def _check_is_header(headers: list[str], words: Words, name: str) -> None:
    values = sum(bool(VALUE.fullmatch(header.strip())) for header in headers)
    if values and words.form.get("header_line") is None:
        of = "its field is" if len(headers) == 1 else f"{values} of its {len(headers)} fields {verb(values)}"
        refuse(
            f"{name}: the first line was taken for the header, and {of} a number or a date: it may be a row; say "
            "--no-header if the file has no header (and --columns A,B,C to name its columns), or --header-line 1 if it "
            "is the header"
        )


def _without_empty_last(sample: Sample) -> Sample:
    """Return a sample whose last column has no name and no value as one whose lines end with a delimiter."""
    last = len(sample.headers) - 1
    if last < 1 or sample.headers[-1] or pc.count(sample.fields(last)).as_py():
        return sample
    form = Form(**(sample.source.form.model_dump() | {"has_trailing_delimiter": True}))
    source = sample.source.model_copy(update={"columns": sample.source.columns[:-1], "form": form})
    source = (
        source
        if any(not column.position for column in source.columns)
        else by_place(sample.headers[:-1], source.delimiter, form)
    )
    return sample._replace(
        source=source, headers=sample.headers[:-1], checked=check(sample.path, source, None, is_table_kept=True)
    )


def without_footer(sample: Sample) -> Sample:
    """Return a sample whose last rows are no rows, as of totals: in a column of dates they alone have none."""
    if sample.source.form.has_footer:
        return sample
    for place in range(len(sample.headers)):
        fields = sample.fields(place).to_pylist()
        if fields[0] and ways_to_read([fields[0]]) and (lines := _lines_without_date(fields)):
            form = Form(**(sample.source.form.model_dump() | {"footer_lines": lines}))
            table = sample.checked.table.slice(0, len(fields) - lines)
            checked = sample.checked._replace(table=table, accepted=table.num_rows)
            return sample._replace(source=sample.source.model_copy(update={"form": form}), checked=checked)
    return sample


def _lines_without_date(fields: list[str | None]) -> int:
    """Return how many of the last fields are no dates, if all others are; else 0."""
    for lines in range(MOST_FOOTER_LINES + 1):
        rows = list(dict.fromkeys(field for field in fields[: len(fields) - lines] if field))
        if len(fields) > 2 * lines and ways_to_read(rows):
            return lines
    return 0
