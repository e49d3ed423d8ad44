"""A sample and the pipeline that it says; what it does not say is asked for, by naming both."""

import gzip
import json
from datetime import date, time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from commands.check_form import Words
from commands.check_steps import loaded
from commands.draft.answers import Answers
from commands.draft.from_file import draft_of_file
from commands.draft.module import module_of
from commands.draft.sample import sample_of
from commands.wrong_words import WrongWords
from daybook.spec import Column, File, Pipeline
from tests.support.modules import built
from tests.support.workbooks import workbook


def drafted(path: Path, form: dict[str, Any] | None = None, names: list[str] | None = None, **answers: Any) -> Pipeline:
    """Return the pipeline that `init` would write for a sample; its module builds just that."""
    draft = draft_of_file(sample_of(path, Words(None, (), form or {}), names), "shop", Answers(**answers), "ftp")
    assert built(module_of(draft)) == draft.pipeline
    return draft.pipeline


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for samples."""
    return tmp_path


def sample(
    folder: Path, *values: str, header: str = "x", name: str = "shop_2026-03-04.csv", delimiter: str = ";"
) -> Path:
    """Write a sample with a date and one more column."""
    lines = [f"on{delimiter}{header}", *(f"2026-03-04{delimiter}{value}" for value in values)]
    (folder / name).write_text("\n".join(lines) + "\n")
    return folder / name


def column(pipeline: Pipeline) -> Column:
    """Return the column of the values."""
    return pipeline.files[0].columns[1]


@pytest.mark.parametrize(
    ("values", "kind", "words"),
    [
        (["1", "23", "-4"], "integer", {}),
        (["1", "NA", "3", ""], "integer", {"null_tokens": ("NA",)}),
        (["1.0", "2.0"], "integer", {"extra_zeros": "ignore"}),
        (["1.5", "22.25"], "decimal", {"digits": 11, "scale": 2}),
        (["1,5", "1.234,25"], "decimal", {"scale": 2, "decimal_mark": ",", "thousands_mark": "."}),
        (["1.234.567", "12"], "integer", {"decimal_mark": ",", "thousands_mark": "."}),
        (["0,125", "1,5"], "decimal", {"scale": 3, "decimal_mark": ","}),
        (["0.125", "0.250"], "decimal", {"scale": 3, "decimal_mark": None}),
        (["12.50-", "(7.25)"], "decimal", {"negatives": ("trailing", "parentheses")}),
        (["12 EUR", "7 EUR"], "integer", {"units": ("EUR",)}),
        (["$1.50", "$2.25"], "decimal", {"units": ("$",)}),
        (["12.5%", "3%"], "decimal", {"percent": "keep"}),
        (["1e3", "1012.5"], "decimal", {"exponents": "read", "scale": 1}),
        (["1.2e-05", "1"], "decimal", {"exponents": "read", "scale": 6}),
        # Digits that are no quantity, and names beside them.
        (["007", "12"], "text", {}),
        (["A320", "A321"], "text", {}),
        (["12E4", "13E5"], "text", {}),
        (["s1", "s2"], "text", {}),
        (["12345678901234567890", "1"], "text", {}),
        (["0.1234567890123456789", "1"], "text", {}),
        (["NA", "Berlin"], "text", {"null_tokens": None}),
        (["", ""], "text", {}),
        (['="007"', '="008"'], "text", {"formulas": "read"}),
        (["Y", "N", "Y"], "boolean", {"true_tokens": ("Y",), "false_tokens": ("N",)}),
        (["true", "false", "?"], "boolean", {"null_tokens": ("?",)}),
        (["N", "S"], "text", {}),
        (["1", "0"], "integer", {}),
        (["2026-03-31", "-"], "date", {"format": "%Y-%m-%d", "null_tokens": ("-",)}),
        (["31.03.2026", "01.02.2026"], "date", {"format": "%d.%m.%Y"}),
        (["3/31/2026", "11/1/2026"], "date", {"format": "%-m/%-d/%Y"}),
        (["20260331", "20260401"], "date", {"format": "%Y%m%d"}),
        (["20260331", "20269999"], "integer", {}),
        (["2026-03-31T10:00:00Z", "2026-03-31T10:00:01Z"], "timestamp", {"format": "%Y-%m-%dT%H:%M:%SZ"}),
        (["2026-03-31 10:00+02:00"], "timestamp", {"format": "%Y-%m-%d %H:%M%z"}),
        (["2026-03-31T10:00:00.5Z", "2026-03-31T10:00:00Z"], "timestamp", {"missing_fraction": "zero"}),
        (["10:00", "11:30"], "integer", {"format": "%H:%M"}),
        (["9:05:00 PM", "11:30:10 am"], "integer", {"format": "%-I:%M:%S %p"}),
        (["07:00", "NA"], "integer", {"format": "%H:%M", "null_tokens": ("NA",)}),
        (["07:00", "24:00"], "integer", {"format": "%H:%M", "hour_24": "next_day"}),
        (["10:00", "soon"], "text", {}),
    ],
)
def test_the_kind_of_a_column_and_its_words_are_those_that_take_every_value(
    values: list[str], kind: str, words: dict[str, Any], folder: Path
) -> None:
    path = sample(folder, *values)
    found = drafted(path, day_column="on")
    written = found.files[0].as_written(column(found))
    assert (written.kind, {word: getattr(written, word) for word in words}) == (kind, words)
    checked = loaded(path, found.files[0]).checked
    assert (checked.accepted, checked.refused) == (len(values), [])


@pytest.mark.parametrize(
    ("values", "asked", "answers", "words"),
    [
        (["03/04/2026"], ("%d/%m/%Y", "%m/%d/%Y"), {"formats": {"x": "%m/%d/%Y"}}, {"format": "%m/%d/%Y"}),
        (["1,234", "2,500"], ("decimal-mark '.'", "decimal-mark ','"), {"decimal_mark": ","}, {"scale": 3}),
        (["1,234", "2,500"], ("decimal-mark '.'",), {"decimal_mark": "."}, {"kind": "integer", "thousands_mark": ","}),
        (["1.234"], ("decimal-mark '.'", "decimal-mark ','"), {"decimal_mark": "."}, {"scale": 3}),
        (["31.12.26"], ("%d.%m.%y",), {"formats": {"x": "%d.%m.%y"}}, {"kind": "date"}),
        (["2026-03-04 10:00"], ("--time-zone",), {"time_zone": "Europe/Madrid"}, {"kind": "timestamp"}),
        (["1772618400"], (), {"formats": {"x": "unix"}}, {"kind": "timestamp", "format": "unix"}),
        (["123"], (), {"formats": {"x": "text"}}, {"kind": "text"}),
    ],
)
def test_what_the_sample_does_not_say_is_asked_and_the_answer_is_taken(
    values: list[str], asked: tuple[str, ...], answers: dict[str, Any], words: dict[str, Any], folder: Path
) -> None:
    # The day in the file's name is none of the values', so it does not say which is meant.
    path = sample(folder, *values, name="shop_2026-12-24.csv")
    if asked:
        with pytest.raises(WrongWords) as question:
            drafted(path, day_column="on")
        assert all(word in str(question.value) for word in (*asked, "nothing was written"))
    found = drafted(path, day_column="on", **answers)
    assert {word: getattr(column(found), word) for word in words} == words


def test_the_day_in_the_name_says_which_way_round_the_dates_are(folder: Path) -> None:
    (folder / "shop_2026-03-04.csv").write_text("on,n\n03/04/2026,1\n03/04/2026,2\n")
    assert drafted(folder / "shop_2026-03-04.csv").files[0].columns[0].format == "%m/%d/%Y"
    (folder / "shop_2026-04-03.csv").write_text("on,n\n03/04/2026,1\n03/04/2026,2\n")
    assert drafted(folder / "shop_2026-04-03.csv").files[0].columns[0].format == "%d/%m/%Y"


@pytest.mark.parametrize(
    ("name", "day", "path", "has_other_days"),
    [
        ("shop_2026-03-04.csv", "2026-03-04", "shop/shop_{day:%Y-%m-%d}.csv", False),
        ("20260304_120000_shop.CSV", "2026-03-04", "shop/{day:%Y%m%d}_120000_shop.CSV", False),
        ("shop.04.03.2026.csv", "2026-03-04", "shop/shop.{day:%d.%m.%Y}.csv", False),
        ("shop_2026-03-05.csv", "2026-03-04", "shop/shop_{day+1:%Y-%m-%d}.csv", False),
        ("shop_2026-03.csv", "2026-03-04", "shop/shop_{day:%Y-%m}.csv", True),
        ("sh{o}p.csv", "2026-03-04", "shop/sh{{o}}p.csv", True),
        ("shop_99999999.csv", "2026-03-04", "shop/shop_99999999.csv", True),
    ],
)
def test_the_day_in_the_name_is_that_of_the_path(
    name: str, day: str, path: str, has_other_days: bool, folder: Path
) -> None:
    (folder / name).write_text(f"on,n\n{day},1\n{day},2\n")
    file = drafted(folder / name).files[0]
    assert (file.path, file.has_other_days) == (path, has_other_days)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("on;n\n2026-03-04;1\n", {"delimiter": ";"}),
        ("sep=|\non|n\n2026-03-04|1\n", {"delimiter": "|", "form.header_line": 2}),
        ("# made by x\n# and y\non,n\n2026-03-04,1\n2026-03-04,2\n2026-03-04,3\n", {"form.comment": "#"}),
        ("Report\n\non,n\n2026-03-04,1\n2026-03-04,2\n", {"form.header_line": 3}),
        ("on,n\n2026-03-04,1\n2026-03-04,2\nTotal,3\n", {"form.footer_lines": 1}),
        ("on,n,t\n" + "2026-03-04,1,a\n" * 9 + "9 rows\n", {"form.footer_lines": 1}),
        ("on,n\n2026-03-04,1\n2026-03-04,2", {"form.is_last_line_end_needed": False}),
        ("on,n,\n2026-03-04,1,\n2026-03-04,2,\n", {"form.has_trailing_delimiter": True}),
        ("on,t\n2026-03-04,'a,b'\n2026-03-04,'c'\n", {"form.quote": "'"}),
        ('on,t\n2026-03-04, "a,b"\n2026-03-04, "c"\n', {"form.has_blanks_after_delimiter": True}),
        ("on,t\n2026-03-04,café\n2026-03-04,bar\n".encode("cp1252"), {"form.encoding": "cp1252"}),
        ("on,t\n2026-03-04,café\n".encode("utf-16"), {"form.encoding": "utf-16"}),
        (gzip.compress(b"on,n\n2026-03-04,1\n", mtime=0), {"form.compression": "gzip"}),
        ("on,t\n2026-03-04, a \n", {"is_trimmed": True}),
        ("on,city,city,\n2026-03-04,a,b,c\n", {"columns.2.position": 3}),
        ("year,month,day,n\n2026,3,4,1\n", {"columns.2.name": "day_of_file"}),
        ("on,line,Run ID,select,日本,größe\n2026-03-04,1,2,3,4,5\n", {"columns.1.name": "line_of_file"}),
    ],
)
def test_how_a_file_is_written_is_found_and_it_loads(content: str | bytes, words: dict[str, Any], folder: Path) -> None:
    path = folder / "shop_2026-03-04.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    file: Any = drafted(path).files[0]
    for word, wanted in words.items():
        found = file
        for part in word.split("."):
            found = found[int(part)] if part.isdigit() else getattr(found, part)
        assert (word, found) == (word, wanted)
    checked = loaded(path, file).checked
    assert (checked.message, checked.refused) == (None, [])
    assert checked.accepted > 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "0 bytes"),
        (b"on,n\n", "no row that can be read"),
        (b"\x00\x01\x02" * 99, "refused as a whole"),
        (b"PK\x03\x04\x14\x00\x06\x00" + b"\x00" * 99, "refused as a whole"),
        (b"<html><p>on,n</p></html>\n", "HTML"),
        (b"a,b\nx,1\ny,2\n", "no column of shop_2026-03-04.csv holds a date"),
        (b"2026-03-04,1\n2026-03-04,2\n", "--no-header"),
        (b"on       n\n2026-03-04  1\n2026-03-04  2\n", "fixed places"),
        (b"on,paid\n2026-03-01,2026-03-02\n2026-03-02,2026-03-02\n", "--day-column on or --day-column paid"),
        (b"at,n\n2026-03-04T10:00:00Z,1\n", "--time-zone"),
        (b"year,month,day,paid\n2026,3,4,2026-03-04\n", "--day-column year,month,day or --day-column paid"),
    ],
)
def test_a_file_that_no_pipeline_can_be_made_of_is_one_message(content: bytes, said: str, folder: Path) -> None:
    path = folder / "shop_2026-03-04.csv"
    path.write_bytes(content)
    with pytest.raises(WrongWords) as refused:
        drafted(path)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_sample_that_is_no_csv_has_the_kinds_of_its_values(folder: Path) -> None:
    rows = [
        {"on": date(2026, 3, 4), "n": n, "amount": n + 0.25, "ok": True, "city": f"{n:02}", "open": time(7, n)}
        for n in range(30)
    ]
    table = pa.Table.from_pylist(rows)
    pq.write_table(table, folder / "shop_2026-03-04.parquet")
    written = [row | {"on": str(row["on"]), "open": f"{row['open']:%H:%M:%S}"} for row in rows]
    (folder / "shop_2026-03-04.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in written))
    (folder / "shop_2026-03-04.xlsx").write_bytes(workbook([list(rows[0]), *([*row.values()] for row in rows)]))
    kinds = {"n": "integer", "amount": "decimal", "ok": "boolean", "city": "text", "open": "integer"}
    for name, format in (("parquet", "parquet"), ("jsonl", "json_lines"), ("xlsx", "xlsx")):
        path = folder / f"shop_2026-03-04.{name}"
        file = drafted(path).files[0]
        assert (file.form.format, file.path) == (format, f"shop/shop_{{day:%Y-%m-%d}}.{name}")
        assert {column.header: column.kind for column in file.columns} == {"on": "date", **kinds}
        checked = loaded(path, file).checked
        assert (checked.accepted, checked.refused) == (30, [])
    empty = folder / "shop_2026-03-05.parquet"
    pq.write_table(table.slice(0, 0), empty)
    with pytest.raises(WrongWords, match="no row that can be read"):
        drafted(empty)


def test_a_file_without_a_header_takes_the_names_of_a_person(folder: Path) -> None:
    (folder / "shop_2026-03-04.csv").write_text("2026-03-04,1\n2026-03-04,2\n")
    file = drafted(folder / "shop_2026-03-04.csv", {"header_line": 0}, ["sold", "n"]).files[0]
    assert [one.name for one in file.columns] == ["sold", "n"]
    assert loaded(folder / "shop_2026-03-04.csv", file).checked.accepted == 2


def test_the_key_is_the_simplest_that_tells_rows_apart_and_no_quantity(folder: Path) -> None:
    def key(header: str, rows: list[str]) -> tuple[str, ...]:
        (folder / "s_2026-03-04.csv").write_text(
            "\n".join([f"on,{header}", *(f"2026-03-04,{row}" for row in rows)]) + "\n"
        )
        return drafted(folder / "s_2026-03-04.csv").files[0].key

    assert key("amount,order_id", [f"{n},{n}" for n in range(9)]) == ("order_id",)
    assert key("amount,name", [f"{n},{n}a" for n in range(9)]) == ()
    assert key("store,product,amount", [f"s{n // 6},p{n % 6},{n}" for n in range(36)]) == ("store", "product")
    assert key("store,product,amount", [f"s{n // 6},p{n % 6},{n}" for n in [*range(36), 0]]) == ()


def test_the_first_numbers_are_a_count_and_a_sum_of_each_quantity_by_day_and_by_the_best_group(folder: Path) -> None:
    rows = "".join(
        f"2026-03-04,{n},{'AB'[n % 2]},{n}.50,c{n},{n % 24}{n:02},{n * 7},07:{n:02},{n % 5}\n" for n in range(40)
    )
    (folder / "s_2026-03-04.csv").write_text("on,order_id,shop,amount,note,dep_time,air_time,at,flight\n" + rows)
    found = drafted(folder / "s_2026-03-04.csv")
    assert [(one.name, one.how, one.of) for one in found.measures] == [
        ("rows", "count", None),
        ("amount", "sum", "amount"),
        ("air_time", "sum", "air_time"),
    ]
    assert [(one.name, one.by) for one in found.summaries] == [("by_day", ()), ("by_shop", ("shop",))]


def test_a_file_of_the_contract_is_a_file(folder: Path) -> None:
    assert isinstance(drafted(sample(folder, "1")).files[0], File)
