"""Weeks, months, quarters and years over the published days: always what plain SQL over the facts counts."""

import re
from datetime import date

import pytest

from daybook.days import days_between
from daybook.errors import BadSpec
from daybook.spec import (
    Measure,
    Ratio,
    Summary,
    Target,
    text,
)
from deployment.home import REPOSITORY
from tests.support.rolled_up import (
    BY_MONTH,
    BY_QUARTER,
    BY_WEEK,
    BY_YEAR,
    DAYS,
    MEASURES,
    OTHER,
    SCHEDULE,
    ZONE,
    Orders,
    exact_cents,
    renamed,
)


def due_in(*months: str) -> int:
    """Return how many days the schedule means in some months: no Sundays, not New Year's Day, none before its start."""
    days = [day for day in days_between(SCHEDULE.start, date(2021, 12, 31)) if str(day)[:7] in months]
    return sum(day.isoweekday() < 7 and day != date(2021, 1, 1) for day in days)


@pytest.mark.parametrize("engine", ["polars", "pandas", "duckdb"])
def test_each_period_is_what_plain_sql_counts_over_a_change_of_year_in_week_53(orders: Orders, engine: str) -> None:
    orders.run(orders.pipeline(BY_WEEK, BY_MONTH, BY_QUARTER, BY_YEAR, engine=engine), *DAYS)
    year, published = "case extract(year from min(day)) when 2020 then {} else {} end", "count(distinct day)"
    week = "case date_trunc('week', min(day)::timestamp)::date when '2020-12-21' then {} when '2020-12-28' then {} "
    week += "else {} end"
    # A group may have no order on a day; the days of the period count, not those of the group.
    assert orders.rows(BY_WEEK) == orders.facts(DAYS, "week", "shop", week.format(1, 5, 2), week.format(5, 5, 6))
    assert orders.rows(BY_MONTH) == orders.facts(DAYS, "month", "", published, year.format(9, due_in("2021-01")))
    due = year.format(9, due_in("2021-01", "2021-02", "2021-03"))
    assert orders.rows(BY_QUARTER) == orders.facts(DAYS, "quarter", "shop", year.format(5, 3), due)
    due = year.format(9, due_in(*(f"2021-{month:02}" for month in range(1, 13))))
    assert orders.rows(BY_YEAR) == orders.facts(DAYS, "year", "", published, due)
    assert orders.view("by_year", "pieces")[0][0] > 2**63
    assert {shop for _, shop, *_ in orders.rows(BY_WEEK)} == {"A", "", None}


def test_a_reader_of_a_month_sees_all_days_of_before_or_all_of_after_whatever_becomes_of_a_day(orders: Orders) -> None:
    pipeline, day = orders.pipeline(BY_MONTH, BY_WEEK), DAYS[3]
    other = pipeline.model_copy(update={"name": f"{orders.name}_other", "summaries": (OTHER,)})
    orders.run(pipeline, *DAYS[2:6])
    orders.run(other, day)
    once = orders.rows(BY_MONTH), orders.rows(BY_WEEK)
    with orders.reader(BY_MONTH) as seen:
        orders.source(f"update {orders.name}.orders set amount = amount * 3, pieces = pieces + 1")
        orders.run(pipeline, day)
        twice = orders.rows(BY_MONTH), orders.rows(BY_WEEK)
        orders.roll_back(pipeline, day, None)
        assert (orders.rows(BY_MONTH), orders.rows(BY_WEEK)) == once
        orders.roll_back(pipeline, day, "nothing")
        fewer = orders.rows(BY_MONTH)
    assert seen <= {tuple(rows) for rows in (once[0], twice[0], fewer)}
    assert [row[-2:] for row in once[0]] == [(3, 9), (1, due_in("2021-01"))]
    assert [row[-2:] for row in fewer] == [(2, 9), (1, due_in("2021-01"))]
    assert {row[-2:] for row in orders.rows(OTHER)} == {(1, 5)}
    # The schedule gets another day off, and the next day that is published tells it.
    closed = pipeline.model_copy(
        update={"schedule": SCHEDULE.model_copy(update={"closed": (date(2021, 1, 1), date(2020, 12, 24))})}
    )
    orders.run(closed, DAYS[6])
    assert [row[-2:] for row in orders.rows(BY_MONTH)] == [(2, 8), (2, due_in("2021-01"))]


def test_a_roll_up_follows_its_spec_and_keeps_its_days_and_rights(orders: Orders) -> None:
    summary = Summary(name="by_period", every="month", by=("shop",), columns=("orders", "largest_eur"))
    pipeline = orders.pipeline(summary)
    orders.run(pipeline, *DAYS[2:5])
    orders.owner(f"grant select on {orders.name}.by_period to public")
    theirs = "create view {0}.theirs as select month, sum(orders) from {0}.by_period group by 1"
    orders.owner(theirs.format(orders.name))
    december = orders.facts(DAYS[2:5], "month", "shop", "3", "9")
    counted, largest = sum(row[2] for row in december), [row[5] for row in december]

    # A new ratio is empty until all days of the period have its measures; what was there stays.
    wider = orders.pipeline(summary.model_copy(update={"columns": (*summary.columns, "mean_eur")}))
    gets = "gets the column mean_eur, which a month has when all its published days are done again"
    assert orders.meanings(wider) == [f"{orders.name}.by_period: {gets}"]
    orders.run(wider, *DAYS[2:4])
    assert orders.view("by_period", "largest_eur, mean_eur", "shop") == [(value, None) for value in largest]
    orders.run(wider, DAYS[4])
    assert orders.view("by_period", "mean_eur", "shop") == [(row[7],) for row in december]

    # Another formula and other names, of everything at once: the days are not done again, and views on it follow.
    ratio = Ratio(name="mean_cent", of="amount_eur", over="with_amount", times=100, renamed_from="mean_eur")
    most = Measure(name="most_eur", how="max", of="amount", renamed_from="largest_eur")
    renamed_summary = renamed(summary, "by_span", columns=("orders", "most_eur", "mean_cent"))
    named = wider.model_copy(
        update={
            "name": f"{orders.name}_other",
            "renamed_from": orders.name,
            "measures": (*(one for one in MEASURES if one.name != "largest_eur"), most),
            "ratios": (ratio,),
            "summaries": (renamed_summary,),
        }
    )
    orders.rename(named)
    orders.run(named, DAYS[4])
    found = orders.view("by_span", "days_published, most_eur, mean_cent", "shop")
    assert found == [(3, row[5], None if row[7] is None else exact_cents(orders, row[1])) for row in december]
    assert orders.meanings(named) == []
    assert orders.servers.rows(f"select sum from {orders.name}.theirs") == [(counted,)]

    # Another period is another column, so what rests on the view is named first.
    quarters = named.model_copy(update={"summaries": (renamed_summary.model_copy(update={"every": "quarter"}),)})
    with pytest.raises(BadSpec, match=f"has lost month, and view {orders.name}.theirs rest on this view"):
        orders.meanings(quarters)
    orders.owner(f"drop view {orders.name}.theirs")
    orders.run(quarters, DAYS[4])
    assert orders.view("by_span", "quarter, days_published, most_eur", "shop") == [
        (date(2020, 10, 1), 3, row[5]) for row in december
    ]
    rights = orders.owner(f"select relacl::text from pg_class where oid = '{orders.name}.by_span'::regclass")
    assert "=r/" in rights[0][0].replace("analyst=r/", "")


def test_a_summary_of_days_becomes_a_roll_up_and_one_that_is_retired_begins_anew(orders: Orders) -> None:
    days = orders.pipeline(Summary(name="by_shop", by=("shop",), columns=("orders",)))
    orders.run(days, *DAYS[2:4])
    months = orders.pipeline(Summary(name="by_shop", every="month", by=("shop",), columns=("orders",)))
    orders.run(months, DAYS[4])
    # The rows of a day are the same in both, so no day has to be done again.
    counted = orders.facts(DAYS[2:5], "month", "shop", "3", "9")
    assert orders.view("by_shop", "month, shop, orders, days_published", "shop") == [
        (row[0], row[1], row[2], 3) for row in counted
    ]
    orders.retire(months, "by_shop")
    orders.run(months, DAYS[4])
    assert {row[0] for row in orders.view("by_shop", "days_published")} == {1}


def test_descriptions_and_units_are_comments_that_follow_the_spec_and_do_nothing_else(orders: Orders) -> None:
    hostile = "the shop's \"name\" \\'; drop schema daybook cascade; -- %s {0} $$\x00\u202e\nend"
    said = Measure(name="orders", how="count", description=hostile, unit="%")
    plain, month = Summary(name="by_shop", by=("shop",), columns=("orders",)), BY_MONTH
    silent = orders.pipeline(plain, month)
    table = silent.tables[0]
    columns = tuple(
        column.model_copy(update={"description": "Which shop"} if column.name == "shop" else {})
        for column in table.columns
    )
    words = {"measures": (said, *MEASURES[1:]), "tables": (table.model_copy(update={"columns": columns}),)}
    spoken = orders.pipeline(plain.model_copy(update={"description": "Orders by shop"}), month, **words)
    orders.run(silent, DAYS[2])
    own = {"day": f"The local day in {ZONE}"}
    assert orders.comments("by_shop") == own

    orders.run(spoken, DAYS[3])
    escaped = hostile.replace("\x00", "\\x00").replace("\u202e", "\\u202e").replace("\n", "\\n")
    told = own | {"": "Orders by shop", "shop": "Which shop", "orders": f"{escaped}; in %"}
    assert orders.comments("by_shop") == told
    assert orders.comments("by_month") == {
        "month": f"The first day of the month, by local days in {ZONE}",
        "orders": f"{escaped}; in %",
        "days_published": "How many days of the month are published, and in this row",
        "days_due": "How many days of the month the schedule means",
    }
    # A view that is made anew, in another place and under another name, has its words again.
    named = renamed(plain.model_copy(update={"description": "Orders by shop"}), "by_place", columns=("paid",))
    moved = orders.pipeline(named, **words, target=Target(schema=f"{orders.name}_other"))
    orders.run(moved, DAYS[3])
    assert orders.comments("by_place", "_other") == {name: told[name] for name in ("", "day", "shop")}
    orders.run(orders.pipeline(named.model_copy(update={"description": ""}), target=moved.target), DAYS[3])
    assert orders.comments("by_place", "_other") == own


def test_the_roll_up_and_the_query_of_the_document_give_what_plain_sql_counts(orders: Orders) -> None:
    document = (REPOSITORY / "docs" / "pipeline.md").read_text()
    (summary,) = re.findall(r"```python\n(Summary\(.*?every=.*?)```", document, re.DOTALL)
    (query,) = re.findall(r"```sql\n(.*?)```", document, re.DOTALL)
    measures = Measure(name="sales", how="count"), Measure(name="amount_eur", how="sum", of="amount")
    # The shops are the document's cities.
    table = orders.pipeline(BY_MONTH).tables[0]
    columns = (*table.columns[:2], text("shop", "city"), *table.columns[3:])
    pipeline = orders.pipeline(
        eval(summary, {"Summary": Summary}),  # noqa: S307 - our own document
        tables=(table.model_copy(update={"columns": columns}),),
        measures=measures,
        ratios=(Ratio(name="mean_eur", of="amount_eur", over="sales"),),
    )
    orders.run(pipeline, *DAYS[2:4])
    asked = query.replace("sales.by_month", f"{orders.name}.by_month").replace("2026-01-01", "2020-12-01")
    counted = orders.facts(DAYS[2:4], "month", "shop", "2", "9")
    mean = "round(coalesce(sum(amount), 0) / count(*), 2)"
    means = orders.source(
        f"select {mean} from {orders.name}.orders where (sold_at at time zone '{ZONE}')::date = any(%s) "
        "group by shop order by shop",
        DAYS[2:4],
    )
    wanted = [(row[1], row[2], row[3], one, 2, 9) for row, (one,) in zip(counted, means, strict=True)]
    assert orders.servers.rows(asked) == wanted
