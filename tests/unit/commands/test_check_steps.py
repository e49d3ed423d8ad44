"""`./daybook check FILE --pipeline NAME`: what `clean`, `index` and the rules of a day would do about a file."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from commands.__main__ import main
from commands.check_answer import Answer, exit_code, in_words, tell
from commands.check_steps import Stepped, after_load, day_meant, loaded
from daybook.spec import Limits, Measure, Pipeline, Plausible, Ratio, Summary
from tests.support.shop import DAY, SALES, shop

SALES_OF_THE_DAY = """\
id,day,shop,customer,kind,amount
1,2026-01-10,A1,7,cash,10.00
1,2026-01-10,A1,7,cash,10.00
2,2026-01-10,A1,8,card,5.00
2,2026-01-10,A1,8,card,6.00
3,2026-01-11,A1,7,cash,1.00
4,2026-01-10,A1,7,coins,1.00
5,2026-01-10,Z9,7,cash,1.00
6,2026-01-10,A1,9,cash,x
7,2026-01-10,A1,9,cash,1.00
"""
SHOPS = "shop,city\nA1,Bilbao\n"
CUSTOMERS = "customer,age\n7,40\n8,41\n"


def checked(pipeline: Pipeline, folder: Path, content: str = SALES_OF_THE_DAY, **lookups: str) -> Answer:
    """Check a file of sales, with these rows of lookups."""
    files = {"sales": content, **lookups}
    for name, text in files.items():
        (folder / f"{name}_2026-01-10.csv").write_text(text)
    given = {name: loaded(folder / f"{name}_2026-01-10.csv", pipeline.source(name)) for name in files}
    sales = given.pop("sales")
    meant = day_meant(pipeline, sales, folder / "sales_2026-01-10.csv", None, date(2026, 2, 1))
    return Answer(sales.checked, "sales", after_load(pipeline, sales, given, meant))


def steps_of(found: Answer) -> Stepped:
    assert found.stepped
    return found.stepped


def lenient(**changes: Any) -> Pipeline:
    """Return the shop, with sales of which half may be refused."""
    pipeline = shop(**changes)
    return pipeline.model_copy(update={"files": (SALES.model_copy(update={"limits": Limits(at_least=20)}),)})


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb"])
def test_every_row_is_accepted_or_stands_at_the_step_that_takes_it_out(engine: str, tmp_path: Path) -> None:
    content = SALES_OF_THE_DAY + "".join(f"{number},2026-01-10,A1,7,cash,1.00\n" for number in range(10, 20))
    found = checked(lenient(engine=engine), tmp_path, content, shops=SHOPS, customers=CUSTOMERS)
    assert [(row.step, row.line, row.column, row.reason) for row in found.refused] == [
        ("load", 9, "amount", "not_a_decimal"),
        ("clean", 4, None, "key_conflict"),
        ("clean", 5, None, "key_conflict"),
        ("clean", 6, None, "other_day"),
        ("clean", 7, "kind", "not_allowed"),
        ("index", 8, "shop", "unknown_in_shops"),
    ]
    assert (found.message, found.accepted, found.dropped, exit_code(found)) == (None, 12, {"twin": 1}, 10)
    assert dict(steps_of(found).unknown) == {"customers": 1}


def test_the_limits_are_judged_over_all_steps_and_the_reasons_are_told_anyway(tmp_path: Path) -> None:
    of_shops = {"shops": "shop,city\nA2,Bilbao\n", "customers": CUSTOMERS}
    found = checked(lenient(), tmp_path, **of_shops)
    assert found.message == (
        "sales: 5 of 9 rows are refused, more than half (load: amount_not_a_decimal 1; clean: key_conflict 2, "
        "kind_not_allowed 1, other_day 1)"
    )
    assert (exit_code(found), len(found.refused)) == (20, 8)


def test_only_index_may_refuse_too_much(tmp_path: Path) -> None:
    content = "id,day,shop,customer,kind,amount\n1,2026-01-10,A1,7,cash,1.00\n2,2026-01-10,A1,7,cash,1.00\n"
    found = checked(lenient(), tmp_path, content, shops="shop,city\nA2,Bilbao\n", customers="customer,age\n7,40\n")
    assert found.message == "sales: 2 of 2 rows are refused, more than half (index: shop_unknown_in_shops 2)"


def test_a_lookup_that_is_not_given_is_named_and_one_that_is_refused_refuses_the_day(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = SALES_OF_THE_DAY.splitlines(keepends=True)[0] + "1,2026-01-10,A1,7,cash,1.00\n"
    tell(checked(lenient(), tmp_path, good, shops=SHOPS))
    assert capsys.readouterr().out == (
        "sales_2026-01-10.csv: 1 row, 1 accepted, 0 refused, 0 empty lines\n"
        "clean, as of 2026-01-10 (from its name): 1 row, 1 kept\n"
        "index: 1 row, 1 kept\n"
        "load of shops: 1 row, 1 kept\n"
        "clean of shops: 1 row, 1 kept\n"
        "index: not checked against customers; --lookup NAME=FILE gives a lookup's rows as CSV\n"
        "whether the day would be held as implausible is not known: only the ledger has the days before it\n"
    )
    broken = checked(lenient(), tmp_path, good, shops=SHOPS, customers="kunde;alter\n")
    assert (exit_code(broken), steps_of(broken).unchecked) == (20, ("customers",))
    assert "customers_2026-01-10.csv: " in (broken.message or "")


@pytest.mark.parametrize(
    ("rules", "held", "code"),
    [
        (Plausible(min_rows=5, within_pct=None), ["3 rows, at least 5 expected"], 1),
        (Plausible(min_rows=3, within_pct=None), False, 0),
        (Plausible(min_rows=3), None, 0),
    ],
)
def test_a_day_is_held_for_what_needs_no_day_before_it(rules: Plausible, held: Any, code: int, tmp_path: Path) -> None:
    header, *_ = SALES_OF_THE_DAY.splitlines(keepends=True)
    content = header + "".join(f"{number},2026-01-10,A1,7,cash,1.00\n" for number in range(3))
    found = checked(lenient(plausible=rules), tmp_path, content, shops=SHOPS, customers="customer,age\n7,40\n")
    words = in_words(found)
    assert (words["would_be_held"], words["doubts"]) == ((True, held) if held else (held, []))
    assert exit_code(found) == code


@pytest.mark.parametrize(
    ("amount", "message"),
    [
        ("4.00", None),
        ("0.00", "shop 2026-01-10, summary by_day: ratio 'per_median' is over zero in 1 of 1 group, none"),
    ],
)
def test_measures_that_do_not_add_up_are_computed_too(amount: str, message: str | None, tmp_path: Path) -> None:
    pipeline = lenient(
        measures=(Measure(name="sales", how="count"), Measure(name="median_eur", how="median", of="amount_eur")),
        ratios=(Ratio(name="per_median", of="sales", over="median_eur", by_zero="refuse"),),
        summaries=(Summary(name="by_day", columns=("per_median",)),),
        plausible=Plausible(within_pct=None),
    )
    content = f"id,day,shop,customer,kind,amount\n1,2026-01-10,A1,7,cash,{amount}\n"
    found = checked(pipeline, tmp_path, content, shops=SHOPS, customers=CUSTOMERS)
    assert (found.message and found.message.startswith(message or "?"), exit_code(found)) == (
        (True, 20) if message else (None, 0)
    )


@pytest.mark.parametrize(
    ("name", "given", "meant", "why"),
    [
        ("sales_2026-01-12.csv", None, date(2026, 1, 12), "from its name"),
        ("delivered.csv", None, DAY, "the day of most of its rows; --day says another"),
        ("sales_2026-01-12.csv", date(2026, 1, 11), date(2026, 1, 11), "as --day says"),
    ],
)
def test_the_day_of_the_rows_is_that_given_or_of_the_name_or_of_most(
    name: str, given: date | None, meant: date, why: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(SALES_OF_THE_DAY)
    found = day_meant(shop(), loaded(tmp_path / name, SALES), tmp_path / name, given, date(2026, 2, 1))
    assert found == (meant, why)


def test_days_of_three_columns_that_are_no_date_do_not_count(tmp_path: Path) -> None:
    flights = tmp_path / "f.csv"
    header = (
        "year,month,day,dep_time,sched_dep_time,dep_delay,arr_time,sched_arr_time,arr_delay,carrier,flight,tailnum,"
        "origin,dest,air_time,distance,hour,minute,time_hour"
    )
    row = "2013,{},{},517,515,2,830,819,11,{},1545,N14228,EWR,IAH,227,1400,5,15,2013-01-01T10:00:00Z"
    rows = [(2, 30, "UA"), (2, 30, "AA"), (2, 3, "UA"), (2, 3, "XX")]
    flights.write_text("\n".join([header, *(row.format(*one) for one in rows), ""]))
    (tmp_path / "airlines.csv").write_text("carrier,name\nUA,United\nAA,American\n")
    assert main(["check", str(flights), "-p", "flights", "--lookup", f"airlines={tmp_path}/airlines.csv"]) == 20


def test_json_has_every_step_and_what_is_not_known(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    airlines = tmp_path / "airlines.csv"
    airlines.write_text("carrier,name\nUA,United\nUA,Again\n")
    words = ["check", str(airlines), "--pipeline", "flights.airlines", "--json"]
    assert main(words) == 20
    found = json.loads(capsys.readouterr().out)
    assert found["steps"]["clean"]["airlines"]["refused"] == {"key_conflict": 2}
    assert (found["would_be_held"], found["lookups_not_checked"]) == (False, [])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--lookup airlines=f.csv", "--lookup needs --pipeline"),
        ("--day 2013-01-01", "--day needs --pipeline"),
        ("--pipeline flights --lookup airline=f.csv", "did you mean 'airlines'?; its lookups are airlines, planes"),
        ("--pipeline flights --lookup airlines", "expected NAME=FILE"),
        ("--pipeline flights --lookup planes=a --lookup planes=b", "each name once"),
        ("--pipeline flights.planes --lookup airlines=a", "planes is matched to no lookup"),
        ("--pipeline flights --lookup planes=not_there.csv", "not_there.csv: No such file or directory"),
    ],
)
def test_a_lookup_that_is_none_is_a_wrong_word(
    words: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "f.csv"
    file.write_text("a,b\n1,2\n")
    assert main(["check", str(file), *words.split()]) == 2
    assert message in capsys.readouterr().err
