"""Rows that do not reach the reader: too many keep the day from being published, and all are told everywhere alike."""

from collections.abc import Iterator

import pytest

from daybook.errors import BadData
from daybook.spec import Lookup
from tests.support.servers import published_files

from .conftest import Days

DAY = "2013-01-02"


@pytest.fixture
def half_of_the_airlines(days: Days) -> Iterator[None]:
    """The table of airlines has lost the second half of its rows."""
    with days.own_table("airlines", "select * from public.airlines where carrier < 'HA'"):
        yield


@pytest.mark.usefixtures("half_of_the_airlines")
def test_a_day_that_lost_half_of_its_facts_is_not_published_and_says_how_many(days: Days) -> None:
    with pytest.raises(BadData) as raised:
        days.run(DAY)
    refused = days.json("refused", DAY)
    count = len(refused["refused"])
    assert count > 300
    assert f"flights: {count} of 943 rows are refused, limit 20 (index: carrier_unknown_in_airlines {count})" in str(
        raised.value
    )
    assert refused["became"].startswith("failed at index, BadData: ")
    assert {row["step"] for row in refused["refused"]} == {"index"}
    assert days.json("status")["published"] == []


@pytest.mark.usefixtures("half_of_the_airlines")
def test_a_limit_of_the_lookups_own_lets_the_day_be_published_and_all_tables_count_its_rows(days: Days) -> None:
    known = Lookup(
        source="airlines", key="carrier", gives={"name": "airline"}, when_unknown="refuse", refused_share=0.9
    )
    days.change(lookups=(known, *days.pipeline.lookups[1:]))
    days.run(DAY)
    count = len(days.json("refused", DAY)["refused"])
    assert count > 300
    steps = {line.split()[0]: line.split() for line in days.command("why", DAY)[1].splitlines()[1:] if line.strip()}
    assert steps["index"][2:4] == [str(count), "0"]
    printed = days.command("status")[1]
    assert next(line.split()[1:4] for line in printed.splitlines() if line.startswith("published")) == [
        "1",
        str(count),
        "0",
    ]
    assert days.json("status")["rows_refused"] == count


def twice(days: Days, lines: int = 3, changed: tuple[str, str] | None = None) -> None:
    """Deliver the first flights of the day twice: the second time at the end of the file, and perhaps changed."""
    file = days.file(DAY)
    whole = file.read_bytes()
    again = b"".join(whole.splitlines(keepends=True)[1 : 1 + lines])
    old, new = changed or ("", "")
    file.write_bytes(whole + again.replace(old.encode(), new.encode()))


def facts(days: Days, **words: object) -> None:
    """Change words of the facts' source."""
    days.change(files=(days.pipeline.files[0].model_copy(update=words),))


def flights(days: Days) -> int:
    """Return how many flights of the day readers see."""
    return int(days.servers.rows(f"select flights from {days.pipeline.name}.by_day where day = '{DAY}'")[0][0])


def test_equal_rows_without_a_key_are_rows(days: Days) -> None:
    twice(days)
    facts(days, key=())
    days.run(DAY)
    assert flights(days) == 943 + 3
    assert days.json("why", DAY)["published"]["rows_refused"] == 0


def test_equal_rows_of_a_key_are_dropped_and_every_place_counts_them_alike(days: Days) -> None:
    twice(days)
    work = days.run(DAY)
    assert flights(days) == 943
    assert work.receipt("clean").line().endswith("dropped=3 (twin=3)")
    assert days.command("refused", DAY)[1].splitlines()[-1] == "dropped in clean: flights, twin: 3"
    assert days.json("refused", DAY)["dropped"] == [{"step": "clean", "source": "flights", "reason": "twin", "rows": 3}]
    assert "0 refused, 3 dropped" in days.command("why", DAY)[1]
    assert days.json("status")["rows_dropped"] == 3
    report = (published_files(work) / "report.html").read_text()
    assert "twin 3" in report
    checked = days.json("check", str(days.file(DAY)))
    assert checked["twins"] == {"lines": [945, 946, 947], "will_be": "drop"}


def test_equal_rows_are_refused_if_the_source_says_so_both_of_them(days: Days) -> None:
    twice(days)
    facts(days, twins="refuse")
    days.run(DAY)
    assert flights(days) == 943 - 3
    refused = days.json("refused", DAY)["refused"]
    assert [(row["line"], row["reason"]) for row in refused] == [(n, "twin") for n in (2, 3, 4, 945, 946, 947)]


@pytest.mark.parametrize("twins", ["drop", None])
def test_rows_that_differ_in_a_column_that_the_contract_ignores_are_not_equal(days: Days, twins: str | None) -> None:
    columns = days.pipeline.files[0].columns
    ignoring = tuple(column for column in columns if column.name != "air_time_min")
    form = days.pipeline.files[0].form.model_copy(update={"extra_columns": "ignore"})
    whole = days.file(DAY).read_text().splitlines()
    place = whole[0].split(",").index("air_time")
    cells = whole[1].split(",")
    cells[place] = "999"
    days.file(DAY).write_text("\n".join([*whole, ",".join(cells), whole[2], ""]))
    facts(days, columns=ignoring, form=form, key=(), twins=twins)
    days.run(DAY)
    # The changed row stays; the one that is wholly equal goes, if twins are dropped.
    assert flights(days) == 943 + (1 if twins == "drop" else 2)
