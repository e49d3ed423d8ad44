"""The words for how a file is laid out: each takes the files that suppliers write so, and refuses those that differ."""

from typing import Any

import pytest

from daybook.errors import BadSpec
from daybook.spec import Form, Table, decimal, integer, text
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
