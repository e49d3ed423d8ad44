"""Words from outside in messages: nothing in them rules a terminal, turns a line around or begins a new one."""

import pytest

from daybook.text import one_line, portion, printable


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain é 😀", "plain é 😀"),
        ("a\nb\r", r"a\nb\r"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x9b31m", r"\x9b31m"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("\x7f\u2066\u200f", r"\x7f\u2066\u200f"),
        ("\udcff", r"\udcff"),
    ],
)
def test_each_sign_that_is_not_printed_becomes_its_escape(text: str, line: str) -> None:
    assert one_line(text) == line
    assert one_line(text).isprintable()


def test_a_message_keeps_its_own_lines() -> None:
    assert printable("one\ntwo\x1b[2J") == "one\ntwo\\x1b[2J"


@pytest.mark.parametrize(
    ("count", "total", "wanted"),
    [
        (1, 1, "1 of 1 row is"),
        (1, 3, "1 of 3 rows is"),
        (0, 1, "0 of 1 row are"),
        (2_000, 3_000, "2,000 of 3,000 rows are"),
    ],
)
def test_a_count_has_the_noun_and_the_verb_of_its_number(count: int, total: int, wanted: str) -> None:
    assert portion(count, total, "row") == wanted
