"""Rows that a stray quote swallows: what they cost, how they are counted, and that none of their lines is lost.

A record of several lines that breaks the contract is read line by line only if that is proven right: every line between
its first and its last fits the contract, with two values at least that are not text.
"""

import io

import pytest

from daybook.loader.layout import lines_of_refused
from daybook.loader.load import load
from daybook.spec import File, Limits, day_date, decimal, integer, text
from tests.support.drawn import HEADER, PEOPLE, SALES, loaded, refusal, sales, sales_lines, with_columns

STRAY = '12,00012,"name12,1.00,1,2026-01-01,a note'
CLOSING = '30,00030,name30",1.00,1,2026-01-01,a note'
ALL_TEXT = with_columns(*(text(name) for name in HEADER.split(",")))


def all_but(*lines: int, count: int = 40) -> list[int]:
    """Return the lines of the rows of SALES but some."""
    return [line for line in range(2, count + 2) if line not in lines]


@pytest.mark.parametrize(
    ("changes", "refused"),
    [
        ({13: STRAY}, [(13, None, "open_quote")]),
        ({2: STRAY}, [(2, None, "open_quote")]),
        ({13: STRAY, 31: STRAY}, [(13, None, "text_after_closing_quote"), (31, None, "open_quote")]),
        (
            {13: STRAY, 31: '30,00030,30,1.00,1,2026-01-01,a "note"'},
            [(13, None, "text_after_closing_quote"), (31, None, "quote_in_unquoted_field")],
        ),
        ({13: STRAY, 20: '19,00019,"a, b",1.00,1,2026-01-01,n'}, [(13, None, "text_after_closing_quote")]),
        (
            {13: STRAY, 31: '30,00030,name30,1.00"1,2026-01-01,a note'},
            [(13, None, "text_after_closing_quote"), (31, None, "quote_in_unquoted_field")],
        ),
    ],
    ids=["one", "on line 2", "two", "two in a later field", "before a quoted text", "before one in a number"],
)
@pytest.mark.parametrize("block_bytes", [2**23, 300, 40])
def test_C16_a_stray_quote_costs_no_neighbour_that_is_proven_a_row(
    changes: dict[int, str], refused: list[tuple[int, str | None, str]], block_bytes: int
) -> None:
    result = loaded(sales(changes), SALES, block_bytes=block_bytes)
    assert result.refused == refused
    assert result.column("line") == all_but(*(line for line, _, _ in refused))


def test_C16_a_stray_quote_in_a_long_file_costs_its_line_alone() -> None:
    lines = sales_lines(5000)
    for stray in (13, 1500, 4990):
        lines[stray - 1] = STRAY
    result = loaded("".join(line + "\n" for line in lines).encode(), SALES, block_bytes=20_000)
    assert [line for line, _, _ in result.refused] == [13, 1500, 4990]
    assert result.column("line") == all_but(13, 1500, 4990, count=5000)


def test_C16_without_values_that_prove_rows_all_lines_are_one_record_and_count() -> None:
    """L05: two open quotes, and 900 lines between them."""
    lines = sales_lines(6000)
    lines[1000] = lines[1899] = STRAY
    file = "".join(line + "\n" for line in lines).encode()
    assert refusal(file, ALL_TEXT).startswith(
        "drawn: 900 of 6,000 lines are refused, limit 30 (text_after_closing_quote: 1 record of 900 lines), first on "
        "lines 1,001 to 1,900; nothing is loaded"
    )
    assert len(loaded(file, SALES).kept) == 5998


def test_C16_a_line_that_is_no_row_proves_nothing() -> None:
    """What stands between may be a person's text: its lines are not rows because some of them look like rows."""
    file = sales({13: STRAY, 14: "and so on:", 20: STRAY})
    result = loaded(file, SALES)
    assert result.refused == [(13, None, "text_after_closing_quote")]
    assert result.column("line") == all_but(*range(13, 21))


def test_C16_two_columns_of_which_one_is_text_prove_nothing() -> None:
    recipe = 'id,name\n1,"for the\n2,eggs\n3,spoons of\nflour" and so on\n4,ann\n' + "5,bob\n" * 10
    result = loaded(recipe.encode())
    assert result.refused == [(2, None, "text_after_closing_quote")]
    assert result.column("name") == ["ann", *["bob"] * 10]


@pytest.mark.parametrize("block_bytes", [2**23, 64])
def test_C16_a_text_that_holds_whole_rows_is_refused_as_it_may_be_rows(block_bytes: int) -> None:
    """Both quotes are in order, so the file can be read in two ways."""
    file = sales({13: STRAY, 20: CLOSING})
    lenient = with_columns(*SALES.columns, limits=Limits(structural_share=1))
    result = loaded(file, lenient, block_bytes=block_bytes)
    assert result.refused == [(13, None, "rows_in_quotes")]
    assert result.details == ["6 whole rows stand in quotes, or a text like them"]
    assert result.column("line") == all_but(*range(13, 21))


def test_C16_with_no_line_ends_declared_each_line_is_a_record_of_its_own() -> None:
    declared = with_columns(*ALL_TEXT.columns, limits=Limits(field_line_ends=0))
    for changes in ({13: STRAY}, {13: STRAY, 31: STRAY}, {13: STRAY, 14: STRAY, 31: CLOSING}, {40: STRAY, 41: CLOSING}):
        result = loaded(sales(changes), declared, block_bytes=300)
        assert [line for line, _, _ in result.refused] == sorted(changes)
        assert result.column("line") == all_but(*changes)


def test_C16_every_line_of_a_refused_record_stands_in_its_raw_text() -> None:
    """L07: 901 lines are more than 64 KiB."""
    lines = [f"{line}{'x' * 100}" for line in sales_lines(3000)]
    lines[0], lines[100], lines[1000] = HEADER, STRAY, STRAY
    lenient = with_columns(*ALL_TEXT.columns, limits=Limits(refused_share=1, structural_share=1))
    result = loaded("".join(line + "\n" for line in lines).encode(), lenient)
    assert result.raw == ["\n".join(lines[100:1001]).encode()]
    assert len(result.raw[0]) > 2**16


def test_C16_all_lines_of_a_file_add_up() -> None:
    source = with_columns(*PEOPLE.columns, limits=Limits(structural_share=1))
    rows = b"6,joe\n" * 12
    file = b'id,name\n1,"a\nb"\n\n2,"c\n\n"d\nx,"e\nf"\n' + rows + b"7,last"
    batches = list(load(io.BytesIO(file), source))
    assert sum(batch.read_lines for batch in batches) == 21
    assert sum(batch.kept_lines for batch in batches) == 2 + 12
    assert sum(lines_of_refused(batch.refused) for batch in batches) == 3 + 2 + 1
    assert sum(batch.blank for batch in batches) == 1


def test_a_file_of_records_too_large_to_keep_is_refused_before_they_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("daybook.loader.limits.STORED_BYTES", 10_000)
    file = b"id,name\n" + b"x," + b"y" * 5000 + b"\n" + (b"x," + b"y" * 5000 + b"\n1,ann\n") * 10
    assert "the refused rows have more than 10,000 bytes; no more are stored" in refusal(file)


MIXED = with_columns(integer("id"), text("name"), decimal("amount", digits=8, scale=2), day_date("day"))


@pytest.mark.parametrize("source", [MIXED, SALES])
@pytest.mark.parametrize("field_line_ends", [0, 1, 50])
def test_no_line_is_lost_wherever_a_quote_is_put(source: File, field_line_ends: int) -> None:
    patient = Limits(refused_rows=10**9, structural_share=1, systemic_share=1, field_line_ends=field_line_ends)
    declared = source.model_copy(update={"limits": patient})
    values = {"integer": "7", "text": "ann", "decimal": "1.50", "date": "2026-01-05"}
    row = ",".join(values[column.kind] for column in source.columns)
    header = ",".join(column.header for column in source.columns)
    for place in range(len(row) + 1):
        lines = [header, *[row] * 6]
        lines[3] = f'{row[:place]}"{row[place:]}'
        result = loaded("".join(line + "\n" for line in lines).encode(), declared)
        assert [line for line, _, _ in result.refused] == [4]
        assert result.column("line") == [2, 3, 5, 6, 7]
