"""The format of a file: which words go with which, and what a spec without one keeps."""

from typing import Any

import pytest

from daybook.errors import BadSpec
from daybook.spec import File, Form, Table, decimal, text


def file(*, columns: tuple[Any, ...] = (text("a"),), **words: Any) -> File:
    """Return a file that is called by these words."""
    own = {word: words.pop(word) for word in ("delimiter",) if word in words}
    return File(name="f", connection="ftp", path="f", columns=columns, form=Form(**words), **own)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            {"format": "parquett"},
            "Form, format: 'parquett' is refused: it takes 'csv', 'json_lines', 'parquet' or 'xlsx'",
        ),
        ({"format": "parquett"}, "did you mean 'parquet'?"),
        ({"sheet": "A"}, "Form, sheet: 'A' is refused: it is for xlsx, and the format is 'csv'; leave it out"),
        ({"may_lack_keys": True}, "may_lack_keys: True is refused: it is for json_lines, and the format is 'csv'"),
        ({"format": "parquet", "comment": "#"}, "comment: '#' is refused: it is for csv, and the format is 'parquet'"),
        ({"format": "parquet", "compression": "gzip"}, "compression: 'gzip' is refused: it is for csv and json_lines"),
        ({"format": "json_lines", "header_line": 0}, "header_line: 0 is refused: it is for csv and xlsx"),
        ({"format": "json_lines", "encoding": "cp1252"}, "encoding: 'cp1252' is refused: it is for csv"),
        ({"format": "xlsx", "quote": None}, "quote: None is refused: it is for csv, and the format is 'xlsx'"),
        ({"format": "xlsx", "sheet": ""}, "Form, sheet: '' is refused"),
        ({"format": "xlsx", "delimiter": ";"}, "delimiter: ';' is refused: the format is 'xlsx', which has none"),
        (
            {"format": "parquet", "columns": (text("a", position=1),)},
            "column 'a', position: 1 is refused: the columns of parquet have names",
        ),
        (
            {"format": "json_lines", "columns": (text("a"), text("b", aliases=("a",)))},
            "column 'b', aliases: 'a' is refused",
        ),
    ],
)
def test_words_that_say_nothing_about_the_format_are_refused(words: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSpec) as caught:
        file(**words)
    assert says in str(caught.value)


def test_a_table_has_no_format() -> None:
    with pytest.raises(BadSpec, match=r"form\.format: is refused: it is for files"):
        Table(name="t", connection="db", relation="public.t", columns=(text("a"),), form=Form(format="parquet"))


def test_a_mark_may_be_a_comma_where_no_delimiter_is() -> None:
    columns = (decimal("a", digits=9, scale=2, decimal_mark=","),)
    assert file(columns=columns, format="xlsx").columns == columns
    with pytest.raises(BadSpec, match="it is the delimiter too"):
        file(columns=columns)


def test_a_spec_without_these_words_keeps_its_fingerprint() -> None:
    assert not Form().model_dump().keys() & {"format", "sheet", "may_lack_keys"}
    assert Form(format="xlsx", sheet="A").model_dump().keys() >= {"format", "sheet"}
