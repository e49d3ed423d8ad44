"""`./daybook check` proposes the words under which a refused file loads, and each was tried by the loader."""

import gzip
from pathlib import Path
from typing import Any

import pytest

from commands.__main__ import main
from commands.check_file import check
from commands.check_form import Words, names_in, of_columns
from commands.check_proposals import MOST_TRIED, Proposal, _Search, proposals
from daybook.spec import File, Form, Source, boolean, day_date, decimal, integer, text, timestamp

PLAIN = "name,größe,tag\nA,1,2\nMüller,3,4\nZoë,5,6\n"
TITLES = "Report of March\n\n"


def of_stranger(file: Path) -> list[Proposal]:
    """Return the proposals for a file that no contract describes."""
    words = Words(None, (), {})
    contract = words.contract(names_in(file, words.contract(["none"])))
    return proposals(file, contract, check(file, contract, None), has_own_columns=True)


def by(source: Source, file: Path) -> list[Proposal]:
    """Return the proposals for a file of a contract."""
    return proposals(file, source, check(file, source, None), has_own_columns=False)


def contract(*columns: Any, **words: Any) -> File:
    return File(name="f", connection="ftp", path="f.csv", columns=columns, **words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PLAIN.rstrip("\n").encode(), "form=Form(is_last_line_end_needed=False)"),
        (PLAIN.encode("cp1252"), 'form=Form(encoding="cp1252")'),
        (PLAIN.encode("utf-16"), 'form=Form(encoding="utf-16")'),
        (PLAIN.encode("utf-16-be"), 'form=Form(encoding="utf-16-be")'),
        (PLAIN.replace("\n", "\r").encode(), 'form=Form(line_end="cr")'),
        ((TITLES + PLAIN).encode(), "form=Form(header_line=3)"),
        (PLAIN.replace("A", 'A 5" long').encode(), "form=Form(quote=None)"),
        (PLAIN.replace("A", '"A \\"b\\""').encode(), 'form=Form(escape="\\\\")'),
        (PLAIN.replace("\n", "\r\r\n").encode(), 'form=Form(line_end="crcrlf")'),
        (gzip.compress(PLAIN.encode(), mtime=0), 'form=Form(compression="gzip")'),
        (PLAIN.replace(",", ";").replace("A;1", "A;1,5").encode(), 'delimiter=";"'),
        (PLAIN.replace(",", "\t").replace("A\t1", "A\t1,5").encode(), 'delimiter="\\t"'),
        (
            (TITLES + PLAIN.replace(",", ";")).encode("cp1252").rstrip(b"\n"),
            'delimiter=";", form=Form(encoding="cp1252", header_line=3, is_last_line_end_needed=False)',
        ),
        (
            gzip.compress((TITLES + PLAIN.replace(",", "|")).encode("utf-16"), mtime=0),
            'delimiter="|", form=Form(encoding="utf-16", compression="gzip", header_line=3)',
        ),
    ],
)
def test_the_words_of_a_file_are_proposed_alone_or_together_and_load_it(
    content: bytes, words: str, tmp_path: Path
) -> None:
    file = tmp_path / "f.csv"
    file.write_bytes(content)
    assert of_stranger(file) == [Proposal(words, 3, 3)]
    said: dict[str, Any] = eval(f"dict({words})", {"Form": Form, "dict": dict})  # noqa: S307 - the text for a spec
    form = said.pop("form", Form())
    source = of_columns(["none"], said.get("delimiter", ","), form)
    found = check(file, of_columns(names_in(file, source), said.get("delimiter", ","), form), None)
    assert (found.accepted, found.refused, found.message) == (3, [], None)


@pytest.mark.parametrize(
    ("content", "words", "rows"),
    [
        (f"# of 5 March\n{PLAIN}# more\nKim,7,8\n", 'form=Form(comment="#")', 4),
        (f"{PLAIN}\nTotal: 3\nPage 1 of 1\n", "form=Form(footer_lines=2)", 3),
        (f"{PLAIN}Kim\nMax,5\nLee,7,8\n", "form=Form(may_end_early=True)", 6),
        (f"{PLAIN}Kim\nMax,5\nLee,7,8\n;\n", "form=Form(footer_lines=1, may_end_early=True)", 6),
        (PLAIN.replace("A,1", '="001",1'), 'formulas="read"', 3),
    ],
)
def test_lines_that_are_no_rows_are_proposed_to_be_none_and_others_to_be_rows(
    content: str, words: str, rows: int, tmp_path: Path
) -> None:
    file = tmp_path / "f.csv"
    file.write_text(content)
    assert of_stranger(file) == [Proposal(words, rows, rows)]


CONTRACT = of_columns(["id", "shop", "amount"])


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("id,filiale,amount", 'column "shop": aliases=("filiale",)'),
        ("id,amounts,shops", 'column "shop": aliases=("shops",), column "amount": aliases=("amounts",)'),
        (
            "id,amt,shops,x",
            'form=Form(extra_columns="ignore"), column "shop": aliases=("shops",), column "amount": aliases=("amt",)',
        ),
        ("id,,amount", 'column "shop": position=2'),
        ("id,shop,shop,amount", 'form=Form(extra_columns="ignore"), column "shop": position=2'),
        ("id,colour,size", None),
    ],
)
def test_other_names_and_the_places_of_columns_without_a_name_are_proposed_if_it_is_clear_whose_they_are(
    header: str, words: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "f.csv"
    file.write_text(f"{header}\n" + f"{','.join('1' * len(header.split(',')))}\n" * 2)
    found = proposals(file, CONTRACT, check(file, CONTRACT, None), has_own_columns=False)
    assert found == ([Proposal(words, 2, 2)] if words else [])


def test_a_stranger_s_columns_without_a_name_of_their_own_have_places(tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_text("a,a,,b\n1,2,3,4\n")
    words = 'column "a": position=1, column "a": position=2, column "": position=3'
    assert of_stranger(file) == [Proposal(words, 1, 1)]


def test_what_loads_no_more_rows_is_not_proposed(tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    for content in (
        b"a,b\n1,2\n",
        # A single row that ends early may be damaged.
        b"a,b\n1,2\n3\n4,5\n6,7\n",
        b"a,b\n1\n2\n3\n",
        b"\x00\x01\x02" * 99,
        b"",
        b"<html><p>a,b</p></html>\n",
        b"a b\nc\n",
    ):
        file.write_bytes(content)
        assert of_stranger(file) == []


@pytest.mark.parametrize(
    ("column", "values", "words", "accepted"),
    [
        (integer("x"), "1 NA 3 NULL", 'column "x": null_tokens=("NA", "NULL")', 4),
        (integer("x"), "1.0 2.00 3", 'column "x": extra_zeros="ignore"', 3),
        (integer("x"), "1.5 2 3.25", 'column "x": kind="decimal", digits=11, scale=2', 3),
        (decimal("x", digits=4, scale=1), "1.25 12345.5 1", 'column "x": digits=7, scale=2', 3),
        (decimal("x", digits=4, scale=1), "1.50 n/a 1", 'column "x": extra_zeros="ignore", null_tokens=("n/a",)', 3),
        (decimal("x", digits=6, scale=2), "1,50 2,5 3", 'column "x": decimal_mark=","', 3),
        (decimal("x", digits=9, scale=2), "1.234,50 2,5", 'column "x": decimal_mark=",", thousands_mark="."', 2),
        (integer("x"), "1'234 12", 'column "x": thousands_mark="\'"', 2),
        (
            integer("x"),
            "1,234 EUR;2,345 €",
            'column "x": thousands_mark=",", are_marks_quoted=True, units=("EUR", "€")',
            2,
        ),
        (
            decimal("x", digits=9, scale=3),
            "1,234",
            'column "x": decimal_mark=",", are_marks_quoted=True or thousands_mark=",", are_marks_quoted=True '
            "(its values do not say which: ask the sender)",
            1,
        ),
        (decimal("x", digits=6, scale=2), "1.5- (2.50)", 'column "x": negatives=("trailing", "parentheses")', 2),
        (
            decimal("x", digits=6, scale=4),
            "12.5%",
            'column "x": percent="divide" or percent="keep" (its values do not say which: ask the sender)',
            1,
        ),
        (decimal("x", digits=9, scale=6), "1.5e-03 .5", 'column "x": bare_points="read", exponents="read"', 2),
        (day_date("x"), "13.04.2024 01.02.2024", 'column "x": format="%d.%m.%Y"', 2),
        (day_date("x"), "04/13/2024 01/02/2024", 'column "x": format="%m/%d/%Y"', 2),
        (
            day_date("x"),
            "03/04/2024 01/02/2024",
            'column "x": format="%d/%m/%Y" or format="%m/%d/%Y" (its values do not say which: ask the sender)',
            2,
        ),
        (day_date("x"), "3/4/2024 13/12/2024", 'column "x": format="%-d/%-m/%Y"', 2),
        (timestamp("x"), "4/13/2024 9:05;4/3/2024 10:05", 'column "x": format="%-m/%-d/%Y %-H:%M"', 2),
        (integer("x"), "\u00a05;6\u2003", 'column "x": is_trimmed=True', 2),
        (day_date("x", format="%m/%d/%Y"), "03/04/2024 13/02/2024", 'column "x": format="%d/%m/%Y"', 2),
        (timestamp("x"), "2024-04-13T10:30:00Z", 'column "x": format="%Y-%m-%dT%H:%M:%SZ"', 1),
        (timestamp("x"), "2024-04-13T10:30:00+02:00", 'column "x": format="%Y-%m-%dT%H:%M:%S%z"', 1),
        (boolean("x"), "Y N Y true", 'column "x": true_tokens=("true", "t", "Y"), false_tokens=("false", "f", "N")', 4),
    ],
)
def test_the_words_of_a_column_are_proposed_and_both_orders_of_day_and_month_if_both_fit(
    column: Any, values: str, words: str, accepted: int, tmp_path: Path
) -> None:
    file = tmp_path / "f.csv"
    # A value with a comma is quoted, so that the comma is no delimiter; some values have blanks.
    rows = values.split(";" if ";" in values else None)
    delimiter = "," if "are_marks_quoted" in words else ";"
    file.write_text(f"id{delimiter}x\n" + "".join(f'1{delimiter}"{value}"\n' for value in rows))
    (found,) = by(contract(text("id"), column, delimiter=delimiter), file)
    assert (sorted(found.words.split(", ")), found.accepted) == (sorted(words.split(", ")), accepted)


def test_one_row_far_below_the_first_ones_says_which_order_is_meant(tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_text("id,x\n" + "1,03/04/2024\n" * 5000 + "1,04/13/2024\n")
    assert [one.words for one in by(contract(text("id"), day_date("x")), file)] == ['column "x": format="%m/%d/%Y"']


def test_words_of_the_file_and_of_its_columns_are_proposed_together(tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    rows = "Größe;ID;Tag;more\n" + "NA;1.0;13.04.2024;ü\n" * 30 + "?;canary;13.04.2024;ü\n"
    file.write_bytes(rows.encode("cp1252"))
    source = contract(decimal("größe", "size", digits=4, scale=1), integer("id"), day_date("Tag", "day"))
    assert by(source, file) == [
        Proposal(
            'delimiter=";", form=Form(encoding="cp1252", extra_columns="ignore"), '
            'column "größe": header="Größe", null_tokens=("NA", "?"), column "id": header="ID", extra_zeros="ignore", '
            'column "Tag": format="%d.%m.%Y"',
            30,
            31,
        )
    ]


def test_a_trailing_delimiter_is_proposed_for_a_contract(tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_text("id;name;\n1;A;\n2;B;\n")
    found = by(contract(integer("id"), text("name")), file)
    assert found == [Proposal('delimiter=";", form=Form(has_trailing_delimiter=True)', 2, 2)]


def test_a_file_without_a_header_is_proposed_for_a_contract_and_its_first_row_loads_too(tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_text("1;A\n2;B\n")
    found = by(contract(integer("id"), text("name")), file)
    assert found == [Proposal('delimiter=";", form=Form(header_line=0)', 2, 2)]


def test_a_form_that_the_spec_has_already_is_shown_whole(tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_bytes("título\nñ\nid\n1\n2".encode())
    found = by(contract(integer("id"), form=Form(encoding="cp1252", header_line=3)), file)
    assert [one.words for one in found] == ['form=Form(encoding="utf-8", header_line=3, is_last_line_end_needed=False)']


def test_few_combinations_are_tried_however_many_signs_a_file_has(tmp_path: Path) -> None:
    file = tmp_path / "f.csv"
    file.write_bytes("".join(f"a{number};b\tc|d^e~f:g!h i,é,\r" for number in range(200)).encode("cp1252"))
    search = _Search(file, of_columns(["a", "b"]), has_own_columns=True)
    assert 10 < len(search._combinations()) <= MOST_TRIED


def test_check_prints_the_proposal_and_a_pipeline_gets_one_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "airlines.csv"
    file.write_text("carrier;name\nUA;United\n")
    assert main(["check", str(file), "--pipeline", "flights.airlines"]) == 20
    assert 'proposal: with delimiter=";" in its spec, 1 of 1 rows load\n' in capsys.readouterr().out
    assert main(["check", str(file), "--pipeline", "flights.airlines", "--json"]) == 20
    assert '"words": "delimiter=\\";\\""' in capsys.readouterr().out
