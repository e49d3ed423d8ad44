"""When so many rows are refused that the file is: the limits, their edges, and what the message says."""

import pytest

from daybook.spec import File, Limits, integer, text
from tests.support.drawn import PEOPLE, loaded, refusal, with_columns


def people(good: int, *bad: str) -> bytes:
    """Return a file of good rows, and then the bad ones."""
    return "\n".join(["id,name", *(f"{n},ann" for n in range(good)), *bad, ""]).encode()


def limited(**words: float) -> File:
    """Return PEOPLE with limits."""
    return with_columns(*PEOPLE.columns, limits=Limits(**words))


@pytest.mark.parametrize("bad", [1, 20])
def test_up_to_twenty_rows_are_set_aside_in_a_small_file(bad: int) -> None:
    assert len(loaded(people(400, *["x,bob"] * bad)).refused) == bad


def test_one_more_refuses_the_file_and_says_how_many_and_where() -> None:
    assert refusal(people(500, *["x,bob"] * 20, "7")) == (
        "people: 21 of 521 rows are refused, limit 20 (not_an_integer in 'id': 20, too_few_fields: 1), from line 502 on"
        "; nothing is loaded; spellings of nothing may be undeclared (null_tokens), or the column may hold decimals; "
        'if they are zeros, declare extra_zeros="ignore"'
    )


@pytest.mark.parametrize(("bad", "is_refused"), [(50, False), (51, True)])
def test_in_a_large_file_half_a_per_cent_may_be_refused(bad: int, is_refused: bool) -> None:
    file = people(10_000 - bad, *["x,bob"] * bad)
    if is_refused:
        assert "51 of 10,000 rows are refused, limit 50" in refusal(file)
    else:
        assert len(loaded(file).refused) == 50


def test_the_same_reason_in_the_same_column_on_every_twentieth_row_breaks_the_contract() -> None:
    assert len(loaded(people(190, *["x,bob"] * 10)).refused) == 10
    assert "10 of 189 rows are refused for one reason, limit 5.00%" in refusal(people(179, *["x,bob"] * 10))


def test_reasons_in_different_columns_are_counted_apart() -> None:
    source = with_columns(integer("id"), integer("name"))
    bad = [*["x,1"] * 9, *["1,x"] * 9]
    assert len(loaded(people(0, *["1,1"] * 100, *bad), source).refused) == 18


def test_damage_to_quotes_and_encoding_is_borne_less() -> None:
    damage = ['1,a"b', '2,"a"b'] * 5
    assert len(loaded(people(9_990, *damage)).refused) == 10
    assert "10 of 9,980 rows are damaged, limit 0.10%" in refusal(people(9_970, *damage))


def test_a_file_with_more_refused_than_kept_is_refused_however_small() -> None:
    assert "2 of 3 rows are refused, more than half" in refusal(people(1, "x,bob", "y,eve"))
    assert len(loaded(people(2, "x,bob", "y,eve")).refused) == 2


def test_the_limits_are_the_contracts_to_set() -> None:
    assert "1 of 101 rows is refused, limit 0" in refusal(
        people(100, "x,bob"), limited(refused_rows=0, refused_share=0)
    )
    generous = limited(refused_rows=90, systemic_share=1)
    assert len(loaded(people(100, *["x,bob"] * 90), generous).refused) == 90


def test_refused_rows_are_not_stored_without_end() -> None:
    source = limited(stored_rows=1000, refused_share=1, systemic_share=1)
    assert "more than 1,000 rows are refused, and no more are stored" in refusal(
        people(5000, *["x,bob"] * 1001), source
    )


def test_a_message_never_shows_a_value() -> None:
    canary = "canary-4711"
    bad = [f"{canary},bob", f'5,"{canary}"{canary}', f"6,{canary},{canary}"] * 20
    for file in (people(10, *bad), people(10, f'7,"{canary}'), f"{canary},b\n1,2\n".encode(), f"{canary}\n".encode()):
        assert canary not in refusal(file)


def test_the_name_in_messages_is_the_files_where_it_is_told() -> None:
    assert refusal(b"", name="flights_2013-01-05.csv").startswith("flights_2013-01-05.csv: the file is empty")


def test_rows_before_a_damage_were_given_so_nothing_may_be_published_before_the_end() -> None:
    source = with_columns(text("a"))
    assert refusal(b'a\nx\n"y\n', source) == "drawn, line 3: a quote opened here is never closed; nothing is loaded"
