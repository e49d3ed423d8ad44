"""Columns of fixed width: where their values stand, which blanks are theirs, and what is refused."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from daybook.errors import BadSpec
from daybook.spec import File, Form, Table, day_date, decimal, integer, text
from tests.generative.mutations import PATIENT
from tests.support.drawn import Loaded, loaded, refusal, with_columns

ID, NAME, AMOUNT = integer("id", width=4), text("name", width=6), decimal("amount", digits=6, scale=2, width=8)


def by(form: dict[str, Any] | None = None, *columns: Any, **words: Any) -> File:
    """Return a contract of these columns of fixed width, or of an id, a name and an amount, without a header."""
    whole = Form(**{"is_fixed_width": True, "header_line": 0} | (form or {}))
    return with_columns(*(columns or (ID, NAME, AMOUNT)), form=whole, limits=PATIENT, **words)


NAMES = "id  name    amount\n"


def row(number: object, name: str = "ann", amount: str = "1.50") -> str:
    """Return a line of an id, a name and an amount."""
    return f"{number:>4}{name:<6}{amount:>8}\n"


def values(found: Loaded) -> list[tuple[Any, ...]]:
    """Return the kept rows as tuples, the line first."""
    return [tuple(row.values()) for row in found.kept]


def test_values_stand_at_their_places_without_the_blanks_that_fill_them_up() -> None:
    found = loaded((row(1) + row("0022", " b, c", "20.00") + row("3 ", "", "30.00   ")).encode(), by())
    assert values(found) == [
        (1, 1, "ann", Decimal("1.50")),
        (2, 22, " b, c", Decimal("20.00")),
        (3, 3, None, Decimal("30.00")),
    ]
    assert loaded(row(1, " b, c").encode(), by(is_trimmed=True)).column("name") == ["b, c"]


def test_a_width_is_in_characters_and_not_in_bytes() -> None:
    names = ["Zürich", "東京都", "a\u0308bc"]
    rows = "".join(row(number, name) for number, name in enumerate(names))
    assert loaded(rows.encode(), by()).column("name") == names
    assert loaded(row(1, "Zürich").encode("cp1252"), by({"encoding": "cp1252"})).column("name") == ["Zürich"]


def test_quotes_and_delimiters_are_letters() -> None:
    assert loaded(row(1, '"a,"b;').encode(), by()).column("name") == ['"a,"b;']


def test_a_line_of_another_length_is_refused() -> None:
    odd = ["   2ann       1.500", "   3ann       1.5", "   4ann", " " * 18, ""]
    found = loaded((row(1) * 5 + "\n".join(odd) + "\n").encode(), by())
    assert [line for line, *_ in values(found)] == [1, 2, 3, 4, 5]
    assert [reason for *_, reason in found.refused] == ["line_too_long", *["line_too_short"] * 2, "only_blanks"]
    assert (found.blank, found.details[0]) == (1, "19 characters, 18 expected")


def test_a_line_may_end_early_and_be_longer_only_where_declared() -> None:
    early = loaded(b"   1ann       1.5\n   2b\n   3\n   4ann       1.500\n", by({"may_end_early": True}))
    assert values(early) == [(1, 1, "ann", Decimal("1.50")), (2, 2, "b", None), (3, 3, None, None)]
    assert early.refused == [(4, None, "line_too_long")]
    longer = loaded(b"   1ann       1.50xyz\n   2\n" + row(3).encode(), by({"extra_columns": "ignore"}))
    assert longer.column("id") == [1, 3]
    assert longer.refused == [(2, None, "line_too_short")]


def test_columns_stand_where_they_say_in_any_order() -> None:
    columns = (text("b", starts_at=4, width=2), text("c", width=1), text("a", starts_at=1, width=2))
    ignoring = by({"extra_columns": "ignore"}, *columns)
    assert values(loaded(b"aaxbbc\n", ignoring)) == [(1, "bb", "c", "aa")]


def test_the_header_is_skipped_and_may_be_no_row() -> None:
    skipping = by({"header_line": 2, "lines_below_header": 1})
    found = loaded(f"a title\n{NAMES}----------\n{row(1)}".encode(), skipping)
    assert (values(found), found.skipped) == ([(4, 1, "ann", Decimal("1.50"))], {"lines_below_header": 1})
    message = refusal((row(1) + row(2)).encode(), by({"header_line": 1}))
    assert "line 1: it is a row by the contract, and should be none (header_line)" in message
    assert "line 1 is the header, none agreed (header_line=0)" in refusal((NAMES + row(1)).encode(), by())


def test_comments_footers_and_counts_are_as_in_any_file() -> None:
    form = {"comment": "#", "footer": "T(?P<rows>[0-9]+)"}
    rows = ["# of 5 March\n", row(1), "# more\n", row(2), "T0002\n"]
    found = loaded("".join(rows).encode(), by(form))
    assert (len(found.kept), found.skipped) == (2, {"comment": 2, "footer": 1})
    assert "the footer says 0002 rows, the file has 1" in refusal("".join(rows[1:2] + rows[4:]).encode(), by(form))


@pytest.mark.parametrize(
    ("columns", "form", "says"),
    [
        ((ID, text("t")), {}, "column 't', width: is missing: form.is_fixed_width"),
        (
            (ID, text("t", width=2, position=2)),
            {},
            "position: 2 is refused: in a file of fixed width it takes starts_at",
        ),
        ((ID, text("t", starts_at=4, width=2)), {}, "starts_at: 4 is refused: column 'id' ends with character 4"),
        ((ID, text("t", starts_at=6, width=2)), {}, "no column has the characters from 5 to 5"),
        ((text("t", starts_at=2, width=2),), {}, "no column has the characters from 1 to 1"),
        ((ID, text("t", width=2, aliases=("u",))), {}, "aliases: .* no header names the column"),
        ((decimal("d", digits=3, scale=1, width=4, are_marks_quoted=True),), {}, "are_marks_quoted: True is refused"),
        ((ID,), {"quote": "'"}, 'quote: "\'" is refused'),
        ((ID,), {"escape": "\\"}, "escape: .* is refused"),
        ((ID,), {"has_trailing_delimiter": True}, "has_trailing_delimiter: True is refused"),
        ((ID,), {"header_line": "find"}, "it takes 0 if there is no header"),
    ],
)
def test_words_that_contradict_a_fixed_width_are_refused(columns: Any, form: dict[str, Any], says: str) -> None:
    with pytest.raises(BadSpec, match=says):
        by(form, *columns)


def test_so_is_a_width_without_it_and_a_table_with_it() -> None:
    with pytest.raises(BadSpec, match=r"column 'id', width: 4 is refused: it needs Form\(is_fixed_width=True\)"):
        with_columns(ID)
    with pytest.raises(BadSpec, match="header_line: is missing"):
        Form(is_fixed_width=True)
    with pytest.raises(BadSpec, match="delimiter: ';' is refused"):
        by(delimiter=";")
    with pytest.raises(BadSpec, match="header_line: is refused: it is for files"):
        Table(
            name="t",
            connection="c",
            relation="s.t",
            columns=(text("a"),),
            form=Form(is_fixed_width=True, header_line=0),
        )


def test_a_decimal_comma_needs_no_other_delimiter() -> None:
    columns = (decimal("d", digits=6, scale=2, width=8), day_date("day", format="%Y%m%d", width=8))
    found = loaded(b" 1234,5020240305\n", by({}, *columns, decimal_mark=","))
    assert values(found) == [(1, Decimal("1234.50"), date(2024, 3, 5))]
