"""The words for how a file is laid out: each takes the files that suppliers write so, and refuses those that differ."""

from datetime import date
from typing import Any

import pytest

from daybook.errors import BadSpec
from daybook.spec import Form, Table, day_date, decimal, integer, text
from tests.generative.mutations import PATIENT
from tests.support.drawn import Loaded, loaded, refusal, with_columns

ID, NAME = integer("id"), text("name")
BARE = Form(header_line=0)


def by(form: Form, *columns: Any, **words: Any) -> Any:
    """Return a contract of these columns, or of an id and a name, in a form."""
    return with_columns(*(columns or (ID, NAME)), form=form, **words)


def values(found: Loaded) -> list[tuple[Any, ...]]:
    """Return the kept rows as tuples, the line first."""
    return [tuple(row.values()) for row in found.kept]


def test_a_file_without_a_header_has_its_columns_in_the_order_of_the_spec() -> None:
    found = loaded(b"1,ann\n2,bob,\nx,cy\n4,\n", by(BARE))
    assert values(found) == [(1, 1, "ann"), (4, 4, None)]
    assert found.refused == [(2, None, "too_many_fields"), (3, "id", "not_an_integer")]


def test_a_byte_order_mark_before_the_first_row_is_none_of_it() -> None:
    assert values(loaded("\ufeff1,ann\n".encode(), by(BARE))) == [(1, 1, "ann")]


def test_a_row_may_be_equal_to_the_names_that_only_the_spec_gives() -> None:
    found = loaded(b"x,y\na,b\n", by(BARE, text("a"), text("b")))
    assert values(found) == [(1, "x", "y"), (2, "a", "b")]


def test_a_header_where_none_was_agreed_refuses_the_file() -> None:
    assert "line 1 is the header, none agreed (header_line=0)" in refusal(b"name,id\nann,1\n", by(BARE))


def test_a_column_without_a_position_follows_the_one_before_it() -> None:
    columns = (text("a", position=2), text("b"), text("c", position=1))
    assert values(loaded(b"1,2,3\n", by(BARE, *columns))) == [(1, "2", "3", "1")]


def test_fields_of_no_column_are_ignored_only_where_declared() -> None:
    columns = (integer("id", position=1), text("c", position=3))
    ignoring = by(Form(header_line=0, extra_columns="ignore"), *columns)
    assert values(loaded(b"1,x,y,z\n2,x,y,z\n", ignoring)) == [(1, 1, "y"), (2, 2, "y")]
    assert loaded(b"1,x,y,z\n2,x,y\n", ignoring).refused == [(2, None, "too_few_fields")]
    with pytest.raises(BadSpec, match="column 'c', position: 3 is refused: no column stands at 2"):
        by(BARE, *columns)


def test_a_trailing_delimiter_goes_without_a_header_too() -> None:
    form = Form(header_line=0, has_trailing_delimiter=True)
    found = loaded(b"1,ann,\n2,bob,x\n", by(form))
    assert values(found) == [(1, 1, "ann")]
    assert found.refused == [(2, None, "too_many_fields")]


def test_names_that_are_empty_or_stand_twice_are_found_by_position() -> None:
    columns = (integer("row", position=1), text("first", position=2), text("second", position=4), text("city"))
    found = loaded(b",name,city,name\n1,ann,Bern,x\n,bob,Ulm,y\n", by(Form(), *columns))
    assert values(found) == [(2, 1, "ann", "x", "Bern"), (3, None, "bob", "y", "Ulm")]


def test_the_other_columns_are_still_found_by_name_and_the_unknown_refused() -> None:
    column = text("second", position=3)
    assert "unknown column 'ID'; the file" in refusal(b"ID,name,\n1,ann,x\n", by(Form(), ID, NAME, column))
    assert "missing column 'second' at place 3" in refusal(b"id,name\n1,ann\n", by(Form(), ID, NAME, column))
    message = refusal(b"id,name,name\n1,ann,x\n", by(Form(), ID, NAME, text("other", position=4)))
    assert "column 'name' stands 2 times (columns 2, 3); give one a position=2" in message


def test_the_header_is_known_again_by_all_its_names_the_empty_ones_too() -> None:
    columns = (text("row", position=1), text("city"))
    message = refusal(b",city\n1,Bern\n2,Ulm\n,city\n", by(Form(), *columns))
    assert "the header is repeated 1 time" in message


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ((text("a", position=2), text("b", position=2)), "column 'b', position: 2 is refused: column 'a' stands there"),
        ((text("a"), text("b", position=1)), "column 'b', position: 1 is refused: column 'a' stands there"),
    ],
)
def test_a_place_is_of_one_column(columns: tuple[Any, ...], says: str) -> None:
    with pytest.raises(BadSpec, match=says):
        by(BARE, *columns)


def test_a_position_is_from_1_on_and_of_a_file() -> None:
    with pytest.raises(BadSpec, match="position: 0 is refused"):
        text("a", position=0)
    with pytest.raises(BadSpec, match="position: 1 is refused: a table's columns have names"):
        Table(name="t", connection="c", relation="s.t", columns=(text("a", position=1),))


def test_a_spec_without_the_newer_words_is_written_as_before_them() -> None:
    """Its fingerprint is of these words, so nobody's published days are done again by an upgrade."""
    assert list(Form().model_dump()) == [
        *("encoding", "compression", "line_end", "header_line", "extra_columns", "has_trailing_delimiter"),
        *("is_last_line_end_needed", "are_control_bytes_kept", "is_encoding_certain", "may_be_empty"),
    ]
    assert "position" not in decimal("a", digits=3, scale=1).model_dump()
    assert decimal("a", position=1, digits=3, scale=1).model_dump()["position"] == 1


TRAILED = Form(footer=r"TRL,(?P<rows>[0-9]+)")


def test_comments_are_counted_and_no_rows() -> None:
    file = b'# made by x\n# "on" monday\nid,name\n1,ann\n#it\'s 5" long\n\n2,"a\n# b"\n'
    found = loaded(file, by(Form(comment="#")))
    assert values(found) == [(4, 1, "ann"), (7, 2, "a\n# b")]
    assert (found.refused, found.blank, found.skipped) == ([], 1, {"comment": 1})


def test_a_comment_between_stray_quotes_is_one_too() -> None:
    rows = [f"{n},{n},n{n}" for n in range(1, 60)]
    rows[29], rows[44] = '30,30,"stray', '45,45,"stray'
    rows[40:40], rows[20:20] = ["# two"], ["# one"]
    columns = (ID, integer("number"), NAME)
    found = loaded("id,number,name\n" + "\n".join(rows) + "\n", by(Form(comment="#"), *columns, limits=PATIENT))
    assert found.skipped == {"comment": 2}
    assert len(found.kept) + len(found.refused) == 59


@pytest.mark.parametrize("lines", [1, 2])
def test_lines_below_the_header_are_no_rows(lines: int) -> None:
    file = b"id,name\n" + b"kg,m\n" * lines + b"1,ann\n"
    found = loaded(file, by(Form(lines_below_header=lines)))
    assert values(found) == [(lines + 2, 1, "ann")]
    assert found.skipped == {"lines_below_header": lines}


def test_a_row_where_no_row_should_be_refuses_the_file() -> None:
    columns = (integer("id"), decimal("amount", digits=9, scale=2))
    said = refusal(b"id,amount\n1,2.00\n2,3.00\n", by(Form(lines_below_header=1), *columns))
    assert "line 2: it is a row by the contract, and should be none (lines_below_header)" in said
    said = refusal(b"id,amount\n1,2.00\n2,3.00\n", by(Form(footer_lines=1), *columns))
    assert "line 3: it is a row by the contract, and should be none (footer)" in said


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n", "\n\x1a"])
def test_footer_lines_are_the_last_that_are_not_empty(end: str) -> None:
    found = loaded(f'id,name\n1,ann\n"Total: 1",\nPage 1{end}'.encode(), by(Form(footer_lines=2)))
    assert values(found) == [(2, 1, "ann")]
    assert (found.refused, found.skipped) == ([], {"footer": 2})


@pytest.mark.parametrize("rows", [0, 1, 300, 5000])
def test_a_trailer_tells_how_many_rows_there_must_be(rows: int) -> None:
    lines = ["id,name", *(f"{n},ann" for n in range(rows))]
    good = "\n".join([*lines, f"TRL,{rows:06d}"]).encode() + b"\n"
    found = loaded(good, by(TRAILED))
    assert (len(found.kept), found.refused, found.skipped) == (rows, [], {"footer": 1})
    said = refusal("\n".join([*lines, f"TRL,{rows + 2}"]).encode() + b"\n", by(TRAILED))
    assert f"line {rows + 2:,}: the footer says {rows + 2} rows, the file has {rows:,}; nothing is loaded" in said


def test_refused_rows_count_as_rows_and_comments_do_not() -> None:
    form = TRAILED.model_copy(update={"comment": "#"})
    found = loaded(b"id,name\n1,ann\n# c\nx,bob\n\n3,cy\nTRL,3\n", by(form))
    assert (len(found.kept), len(found.refused), found.skipped) == (2, 1, {"comment": 1, "footer": 1})


def test_a_trailer_may_count_all_lines_of_the_file() -> None:
    form = Form(footer=r"(?P<lines>[0-9]+) lines")
    assert len(loaded(b"id,name\n1,ann\n\n4 lines\n", by(form)).kept) == 1
    assert "the footer says 3 lines, the file has 4" in refusal(b"id,name\n1,ann\n\n3 lines\n", by(form))


@pytest.mark.parametrize(
    ("file", "form", "says"),
    [
        (b"id,name\n1,ann\n2,bob\n", TRAILED, "it ends without its footer: a line that match 'TRL"),
        (b"id,name\n1,ann\nTRL,1", TRAILED, "line 3: the last line has no line end"),
        (b"id,name\n1,ann\nTRL,many\n", Form(footer="TRL,(?P<rows>.*)"), "the footer says many rows, the file has 1"),
        (b"id,name\n1,ann\nTRL\n", Form(footer="TRL(,(?P<rows>.*))?"), "no line of its footer has the count agreed"),
        (b"id,name\n1,ann\nx\nTRL,1\n", Form(footer_lines=2, footer="TRL.*"), "2 lines that match 'TRL.*' agreed, 1"),
    ],
)
def test_a_file_that_ends_otherwise_is_refused(file: bytes, form: Form, says: str) -> None:
    assert says in refusal(file, by(form))


@pytest.mark.parametrize("before", [b"", b"a title\n\n", b'"open\n' * 30, b"name,of,nothing\n" * 2000])
def test_a_header_is_found_by_its_names_after_any_lines(before: bytes) -> None:
    file = before + b"name,id\nann,1\n"
    assert values(loaded(file, by(Form(header_line="find")))) == [(before.count(b"\n") + 2, 1, "ann")]


def test_a_header_that_is_not_there_or_twice_is_not_found() -> None:
    form = Form(header_line="find")
    assert "lines 2, 4 all have the names of the columns" in refusal(b"x\nid,name\n1,ann\nname,id\n", by(form))
    assert "no line has the names of all columns (header_line=\"find\"): 'id', 'name'" in refusal(b"id\n1\n", by(form))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"comment": "x"}, "comment: 'x' is refused: a comment begins with a sign"),
        ({"comment": '"'}, "form.comment: '\"' is refused: a row may begin with it"),
        ({"comment": ","}, "form.comment: ',' is refused: a row may begin with it"),
        ({"footer": ""}, "footer: '' is refused: it matches an empty line"),
        ({"footer": "("}, "footer: '(' is refused: not a regular expression"),
        ({"footer": "(?P<sum>.)"}, "its named group is (?P<rows>"),
        ({"footer_lines": -1}, "footer_lines: -1 is refused"),
        ({"header_line": 0, "lines_below_header": 1}, "lines_below_header: 1 is refused: there is no header"),
        ({"header_line": "seek"}, "header_line"),
    ],
)
def test_words_that_contradict_are_refused_by_the_spec(words: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSpec) as caught:
        by(Form(**words))
    assert says in str(caught.value)


def test_a_comment_is_not_what_the_header_begins_with() -> None:
    with pytest.raises(BadSpec, match="'#' is refused: the header may begin with '#id'"):
        by(Form(comment="#"), integer("#id", "id"))


def test_a_header_cannot_be_found_if_no_column_has_a_name() -> None:
    with pytest.raises(BadSpec, match="'find' is refused: every column has a position"):
        by(Form(header_line="find"), text("a", position=1))


def test_a_table_has_no_form() -> None:
    with pytest.raises(BadSpec, match=r"form\.comment: is refused: it is for files"):
        Table(name="t", connection="c", relation="s.t", columns=(text("a"),), form=Form(comment="#"))


@pytest.mark.parametrize(
    ("form", "file", "names"),
    [
        (Form(quote="'"), "1,'a,\"b'\n2,'it''s'\n3,\"x\"\n", ['a,"b', "it's", '"x"']),
        (Form(quote=None), '1,19" tv\n2,"best" chair\n3,"\n4,""\n', ['19" tv', '"best" chair', '"', '""']),
        (Form(escape="\\"), '1,"a\\"b"\n2,"a,\\\\"\n3,a\\,b\n4,"x""y"\n', ['a"b', "a,\\", "a,b", 'x"y']),
        (Form(escape="\\", quote=None), '1,a\\,"b\n2,\\\\n\n', ['a,"b', "\\n"]),
        (Form(has_blanks_after_delimiter=True), '1, "a, b"\n 2,\t x y \n3,  \n', ["a, b", "x y ", None]),
        (Form(may_end_early=True), '1,a\n2\n3,"b,"\n4,\n', ["a", None, "b,", None]),
        (Form(line_end="crcrlf"), "1,a\r\r\n2,b\r\r\n", ["a", "b"]),
    ],
)
def test_a_form_says_how_texts_are_written(form: Form, file: str, names: list[str | None]) -> None:
    found = loaded(f"id,name\n{file}".encode(), by(form))
    assert (found.column("name"), found.refused) == (names, [])
    assert found.column("line") == list(range(2, 2 + len(names)))


@pytest.mark.parametrize("delimiter", ["||", "::", "~|~", "\t\t", ";;"])
def test_a_delimiter_may_have_several_bytes(delimiter: str) -> None:
    lines = ["id,name", "1,ann", f'2,"a{delimiter}b"', "3,\x7f", f"4,{delimiter[0]}x", "5,a,b", "x,y"]
    file = "\n".join(line.replace(",", delimiter) for line in lines).encode() + b"\n"
    found = loaded(file, by(Form(), delimiter=delimiter, limits=PATIENT))
    assert [row[2] for row in values(found)][:3] == ["ann", f"a{delimiter}b", "\x7f"]
    assert (6, None, "too_many_fields") in found.refused
    assert found.raw[-1] == f"x{delimiter}y".encode()


def test_an_escape_before_a_sign_that_needs_none_is_refused_and_not_guessed() -> None:
    found = loaded(b'id,name\n1,C:\\temp\n2,"a\\nb"\n3,x\\\n4,b\n5,c\n6,d\n', by(Form(escape="\\")))
    assert [reason for _, _, reason in found.refused] == ["unknown_escape"] * 3
    assert found.column("name") == ["b", "c", "d"]


def test_a_row_that_is_short_by_more_than_empty_fields_is_the_contracts_to_refuse() -> None:
    columns = (integer("id"), integer("a"), text("b"))
    found = loaded(b"id,a,b\n1,2\n3,x\n\n4\n5,6,7,8\n", by(Form(may_end_early=True), *columns))
    assert values(found) == [(2, 1, 2, None), (5, 4, None, None)]
    assert found.refused == [(3, "a", "not_an_integer"), (6, None, "too_many_fields")]
    assert found.blank == 1


@pytest.mark.parametrize("block_bytes", [3, 17, 2**23])
def test_a_line_end_of_two_carriage_returns_is_one_wherever_the_stream_is_cut(block_bytes: int) -> None:
    file = b'id,name\r\r\n1,"a\r\r\nb"\r\r\n2,c\r\n3,d\r\r\n'
    for form in (Form(line_end="crcrlf"), Form(line_end="crcrlf", encoding="cp1252")):
        found = loaded(file, by(form), block_bytes=block_bytes)
        assert values(found) == [(2, 1, "a\nb"), (4, 2, "c"), (5, 3, "d")]


@pytest.mark.parametrize("block_bytes", [40, 2**23])
def test_many_words_go_together(block_bytes: int) -> None:
    form = Form(
        quote="'", comment="--", may_end_early=True, has_blanks_after_delimiter=True, header_line=0, footer="END"
    )
    file = b"-- it's\n1, 'a; b', x\n2\n-- 3; x\n4, 'c\n-- d\n'\nEND\n"
    columns = (integer("id"), text("t"), text("u"))
    found = loaded(file, by(form, *columns), block_bytes=block_bytes)
    assert values(found) == [(2, 1, "a; b", "x"), (3, 2, None, None), (5, 4, "c\n-- d\n", None)]
    assert found.skipped == {"comment": 2, "footer": 1}


@pytest.mark.parametrize(
    ("words", "delimiter", "says"),
    [
        ({"quote": "ab"}, ",", "quote: 'ab' is refused: it takes one sign"),
        ({"quote": ";"}, ";", "form.quote: ';' is refused: the delimiter is ';'"),
        ({"escape": "|"}, "||", "form.escape: '|' is refused: the delimiter is '||'"),
        ({"escape": '"'}, ",", "form.escape: '\"' is refused: it is the quote"),
        ({"escape": "\\"}, "||", "the delimiter has several bytes"),
        ({"has_blanks_after_delimiter": True}, "\t", "the delimiter is a blank itself"),
        ({"may_end_early": True, "has_trailing_delimiter": True}, ",", "may_end_early: True is refused"),
        ({"comment": "'", "quote": "'"}, ",", 'form.comment: "\'" is refused'),
        ({"line_end": "crlf"}, ",", "did you mean 'crcrlf'?"),
        ({}, "|a|", "a delimiter is one byte of ASCII or up to eight"),
        ({}, "", "a delimiter is one byte of ASCII or up to eight"),
    ],
)
def test_signs_that_contradict_each_other_are_refused_by_the_spec(
    words: dict[str, Any], delimiter: str, says: str
) -> None:
    with pytest.raises(BadSpec) as caught:
        by(Form(**words), delimiter=delimiter)
    assert says in str(caught.value)


def test_blanks_around_values_are_taken_off_where_declared() -> None:
    columns = (text("id"), text("name", is_trimmed=True), day_date("day"))
    file = 'id,name,day\n A , AA\u00a0, 2026-01-05\n B ,"\u2003b b\t",2026-01-05 \n,  ,\n'
    assert "not_a_date in 'day': 2" in refusal(file.encode(), with_columns(*columns))
    found = loaded(file.encode(), with_columns(*columns, is_trimmed=True))
    day = date(2026, 1, 5)
    assert values(found) == [(2, "A", "AA", day), (3, "B", "b b", day), (4, None, None, None)]
    kept = with_columns(text("id", is_trimmed=False), *columns[1:], is_trimmed=True)
    assert loaded(file.encode(), kept).column("id") == [" A ", " B ", None]
    assert "is_trimmed" not in columns[0].model_dump()


def test_a_quoted_text_of_blanks_is_an_empty_text_and_a_token_is_seen_without_them() -> None:
    columns = (text("name"), integer("id", null_tokens=("NA",)))
    found = loaded(b'name,id\n" ",1\n x , NA \n', with_columns(*columns, is_trimmed=True))
    assert values(found) == [(2, "", 1), (3, "x", None)]


@pytest.mark.parametrize("header", ["id,name", "nr,name", "name,no"])
def test_a_column_may_have_other_headers(header: str) -> None:
    columns = (integer("id", aliases=("nr", "no")), NAME)
    file = f"{header}\n1,2\nx,y\n3,4\n5,6\n".encode()
    for form in (Form(), Form(header_line="find")):
        found = loaded(file, by(form, *columns))
        assert (len(found.kept), found.refused[0][1]) == (3, "id")
        assert f"{header}\n".encode() not in found.raw
    assert "the header is repeated" in refusal(file + f"{header}\n".encode(), by(Form(), *columns))


def test_a_column_under_two_of_its_headers_is_refused() -> None:
    column = integer("id", aliases=("nr", "no"))
    assert "column 'id' is there under 2 names: 'nr', 'no'" in refusal(b"nr,no,name\n1,1,x\n", by(Form(), column, NAME))
    assert "missing column 'id'" in refusal(b"number,name\n1,x\n", by(Form(), column, NAME))


@pytest.mark.parametrize(
    ("form", "columns", "says"),
    [
        (Form(), (ID, text("name", aliases=("id",))), "aliases: 'id' is refused: column 'id' has that name too"),
        (BARE, (integer("id", aliases=("nr",)),), "is refused: no header names the column here"),
        (Form(), (integer("id", position=1, aliases=("nr",)),), "is refused: no header names the column here"),
        (Form(comment="#"), (integer("id", aliases=("#id",)),), "the header may begin with '#id'"),
    ],
)
def test_aliases_are_of_one_column_and_of_a_header(form: Form, columns: tuple[Any, ...], says: str) -> None:
    with pytest.raises(BadSpec) as caught:
        by(form, *columns)
    assert says in str(caught.value)
