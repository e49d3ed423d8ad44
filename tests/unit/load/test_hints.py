"""The hints of refusals: each names a word that takes the file, or says that none does."""

import gzip
from typing import Any

import pytest

from daybook.spec import Form
from tests.support.drawn import PEOPLE, loaded, refusal, with_columns

ROWS = "".join(f"{number},né{number}\n" for number in range(1, 41))
PLAIN = f"id,name\n{ROWS}"
ONE_ROW = "id,name\n1,ann"

# What is delivered, what the refusal says, and the words that take it.
TAKEN: dict[str, tuple[bytes, str, dict[str, Any]]] = {
    "a title": (f"Report\n\n{PLAIN}".encode(), "header_line=3", {"form": Form(header_line=3)}),
    "a title with a delimiter at its end": (
        f"Report,\n{PLAIN}".encode(),
        "header_line=2",
        {"form": Form(header_line=2)},
    ),
    "a title with the name of a column": (f"name,\n{PLAIN}".encode(), "header_line=2", {"form": Form(header_line=2)}),
    "an empty first line": (f"\n{PLAIN}".encode(), "header_line=2", {"form": Form(header_line=2)}),
    "delimiters at each end": (
        PLAIN.replace("\n", ",\n").encode(),
        "has_trailing_delimiter=True",
        {"form": Form(has_trailing_delimiter=True)},
    ),
    "delimiters at the rows' ends": (
        ("id,name\n" + ROWS.replace("\n", ",\n")).encode(),
        "has_trailing_delimiter=True",
        {"form": Form(has_trailing_delimiter=True)},
    ),
    "no last line end": (
        ONE_ROW.encode(),
        "is_last_line_end_needed=False",
        {"form": Form(is_last_line_end_needed=False)},
    ),
    "letters of cp1252": (PLAIN.encode("cp1252"), 'encoding="cp1252"', {"form": Form(encoding="cp1252")}),
    "UTF-16": (PLAIN.encode("utf-16"), 'encoding="utf-16"', {"form": Form(encoding="utf-16")}),
    "UTF-16 without its mark": (
        PLAIN.encode("utf-16-be"),
        'encoding="utf-16-be"',
        {"form": Form(encoding="utf-16-be")},
    ),
    "gzip": (gzip.compress(PLAIN.encode(), mtime=0), 'compression="gzip"', {"form": Form(compression="gzip")}),
    "carriage returns": (PLAIN.replace("\n", "\r").encode(), 'line_end="cr"', {"form": Form(line_end="cr")}),
    "semicolons": (PLAIN.replace(",", ";").encode(), "delimiter=';'", {"delimiter": ";"}),
    "a further column": (
        PLAIN.replace("\n", ",x\n").encode(),
        'extra_columns="ignore"',
        {"form": Form(extra_columns="ignore")},
    ),
}


@pytest.mark.parametrize("delivered", TAKEN)
def test_a_refusal_names_the_word_that_takes_the_file(delivered: str) -> None:
    file, word, words = TAKEN[delivered]
    assert word in refusal(file)
    result = loaded(file, with_columns(*PEOPLE.columns, **words))
    assert len(result.kept) in (1, 40)
    assert result.refused == []


def test_a_name_in_another_encoding_is_told_as_such() -> None:
    names = with_columns(*PEOPLE.columns[:1], PEOPLE.columns[1].model_copy(update={"header": "näme"}))
    message = refusal("id,näme\n1,ann\n".encode("cp1252"), names)
    assert "the header has a byte 0xE4 that is not utf-8" in message
    assert 'declare encoding="cp1252"' in message


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (PLAIN.replace("\n", "\r\r\n"), "the line ends are CR CR LF, LF or CRLF agreed"),
        (PLAIN.replace("\n", "\r", 3), "the line ends are mixed"),
        ("ORA-00942: table or view does not exist\n", "it may be another file, or a message of the program"),
        (f"id,name,\n{ROWS}", "the lines after it do not: header and rows differ"),
        (f"id;name\n{ROWS}", "the next line does not have it: header and rows differ"),
        ('"id,name"\n"1,ann"\n', "each line stands in quotes as one field"),
    ],
)
def test_a_refusal_that_no_word_takes_says_so(file: str, says: str) -> None:
    message = refusal(file.encode())
    assert says in message
    assert "declare header_line" not in message


def test_a_first_line_that_may_be_a_row_is_told_with_the_word_that_takes_it() -> None:
    assert "declare header_line=0 if the file has no header" in refusal(ROWS.encode())
    assert len(loaded(ROWS.encode(), with_columns(*PEOPLE.columns, form=Form(header_line=0))).kept) in (1, 40)
