"""A wrong spec says, when it is built, which path, which value, why, and the nearest right name."""

from collections.abc import Callable
from datetime import date

import pytest
from pydantic import ValidationError

from daybook.errors import BadSpec
from daybook.pipelines import load_pipelines
from daybook.spec import (
    CleanRows,
    Column,
    File,
    Lookup,
    Measure,
    Plausible,
    Ratio,
    Schedule,
    Summary,
    Table,
    TableReady,
    Target,
    Top,
    col,
    day_date,
    decimal,
    integer,
    text,
    timestamp,
)
from tests.support.shop import CUSTOMERS, SALES, SHOPS, shop


def with_column(name: str) -> File:
    """Return the file of sales with one more column."""
    return SALES.model_copy(update={"columns": (*SALES.columns, text(f"{name}_there", name))})


BY_SHOP = Lookup(source="shops", key="shop", when_unknown="keep", as_of="day")


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (lambda: Column(header="a", name="a", kind="intger"), "Column 'a', kind: 'intger' is refused: it takes"),
        (lambda: Column(header="a", name="a", kind="intger"), "did you mean 'integer'?"),
        (lambda: decimal("a", digits=2, scale=4), "Column 'a', scale: 4 is refused: 4 digits after the point are more"),
        (lambda: Column(header="a", name="a", kind="text", requird=True), "Column has no word 'requird'"),  # type: ignore[call-arg]
        (lambda: text("a", is_requird=True), "did you mean 'is_required'?"),
        (lambda: Column(header="a", kind="text"), "Column, name: is missing"),  # type: ignore[call-arg]
        (lambda: text("select; drop"), "Column 'select; drop', name: 'select; drop' is refused"),
        (lambda: Measure(name="m", how="mean", of="a"), "a mean of means is not a mean: write a Ratio"),
        (lambda: Measure(name="m", how="stddev", of="a"), "write 'stddev_samp', of a sample, or 'stddev_pop'"),
        (lambda: Measure(name="m", how="nunique", of="a"), "write 'distinct'; it takes 'count', 'sum'"),
        (
            lambda: Measure(name="m", how="quantile", of="a", quantile=90),
            "quantile: 90 is refused: Input should be less",
        ),
        (lambda: Measure(name="m", how="median", of="a", scale=21), "scale: 21 is refused"),
        (lambda: Measure(name="m", how="median", of="a", method="disc"), "did you mean 'discrete'?"),
        (lambda: Schedule(time_zone="Europe/Madird", start=date(2026, 1, 1)), "did you mean 'Europe/Madrid'?"),
        (lambda: Schedule(start=date(2026, 1, 2), end=date(2026, 1, 1)), "end 2026-01-01 is before start 2026-01-02"),
        (lambda: File(name="f", connection="ftp", path="f_{month}.csv", columns=(text("a"),)), "only the day"),
    ],
)
def test_a_word_that_is_wrong_by_itself(build: Callable[[], object], says: str) -> None:
    with pytest.raises(BadSpec) as error:
        build()
    assert says in str(error.value)


MEASURES = shop().measures


def by_day(**words: object) -> Table:
    """Return a table that is read by day, with other words."""
    columns = (day_date("sold_on"), timestamp("sold_at"), integer("n"))
    known: dict[str, object] = {"name": "t", "connection": "c", "relation": "s.t", "columns": columns, "day": "sold_at"}
    return Table(**(known | words))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({"day": "sold"}, "Table 't', day: 'sold' is not one of its columns; did you mean 'sold_on'?"),
        ({"day": "n"}, "Table 't', day: 'n' is integer; it takes a date or a timestamp"),
        (
            {"day": None, "changed_by": "at"},
            "Table 't', changed_by: 'at' is refused: it is for a table",
        ),
        (
            {"where": "n = 1; drop table x"},
            "where: 'n = 1; drop table x' is refused: it takes {column: value}",
        ),
        ({"where": {"n": 0.5}}, "'n' takes a text, integer, Decimal, date, True or False, a tuple of them, or None"),
        ({"where": {"n": ()}}, "'n' has no value, and no row could have it"),
        ({"where": {"n": (1, None)}}, "'n' takes a text"),
        ({"where": {"n": {1, 2}}}, "'n' takes a text"),
        ({"where": {"n": "\0"}}, "'n' takes a text"),
        ({"ready": {"relation": "loads", "day": "d"}}, "relation: 'loads' is refused"),
        ({"ready": {"relation": "s.loads"}}, "TableReady, day: is missing"),
        ({"reday": None}, "Table has no word 'reday'; did you mean 'ready'?"),
    ],
)
def test_a_wrong_word_of_a_table_that_is_read_by_day(words: dict[str, object], says: str) -> None:
    with pytest.raises(BadSpec) as error:
        by_day(**words)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("build", "says"),
    [
        (
            lambda: Schedule(start=date(2026, 1, 1), due="7"),
            "it takes a time of day of the schedule's time_zone, such as",
        ),
        (lambda: Schedule(start=date(2026, 1, 1), due=7), "due: 7 is refused: it takes a time of day"),
        (lambda: Schedule(start=date(2026, 1, 1), cron="30 6 * * *", due="06:30"), "a day's run begins at 06:30"),
        (
            lambda: Schedule(start=date(2026, 1, 1), time_zone="Europe/Berlin", due="02:30"),
            "the clock of Europe/Berlin skips 02:30 on 2026-03-29",
        ),
        (lambda: Schedule(start=date(2026, 1, 1), **{"deu": "07:00"}), "did you mean 'due'?"),
        (lambda: TableReady(relation="s.t", day="d", time_zone="Madrid"), "no time zone of that name"),
        (
            lambda: shop(tables=(by_day(), SHOPS, CUSTOMERS), facts="t", day_columns=("sold_on",)),
            "day_columns: t is read by the day in 'sold_at', so its rows may be of other days by 'sold_on'",
        ),
    ],
)
def test_a_wrong_word_about_days_and_time_zones(build: Callable[[], object], says: str) -> None:
    with pytest.raises(BadSpec) as error:
        build()
    assert says in str(error.value)


@pytest.mark.parametrize("days", [-1, 1.5, "a week", None])
def test_the_days_that_a_daily_run_catches_up_are_a_whole_number_and_0_is_none(days: object) -> None:
    assert shop(catch_up_days=0).catch_up_days == 0
    with pytest.raises(BadSpec, match=r"Pipeline 'shop', catch_up_days: .* is refused: "):
        shop(catch_up_days=days)
    with pytest.raises(BadSpec, match=r"has no word 'catchup_days'; did you mean 'catch_up_days'\?"):
        shop(catchup_days=3)


@pytest.mark.parametrize("pattern", [r"(?=a)a", r"(a)\1", r"(a", r"\pL", r"a{1,100000}"])
def test_G14_a_pattern_that_not_every_engine_matches_in_linear_time_is_refused(pattern: str) -> None:
    with pytest.raises(BadSpec, match="not a regular expression that every engine knows"):
        text("a", pattern=pattern)


def test_G12_a_name_that_PostgreSQL_would_cut_is_refused() -> None:
    with pytest.raises(BadSpec, match="a name in PostgreSQL has at most 63 bytes"):
        Table(name="t", connection="c", relation=f"public.{'ä' * 32}", columns=(text("a"),))
    with pytest.raises(BadSpec, match="at most 57 characters"):
        Target(schema="a" * 58)
    assert len(Target(schema="a" * 57).store) == 63


@pytest.mark.parametrize("name", ['x"; drop table y; --', "größe", "a" * 64, "A", "a b", "1a"])
def test_G12_a_name_in_the_warehouse_needs_no_quotes(name: str) -> None:
    for build in (lambda: Target(schema=name), lambda: Summary(name=name, columns=("a",)), lambda: text("a", name)):
        with pytest.raises(BadSpec, match="is refused"):
            build()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"facts": "sale"}, "shop.facts: 'sale' is not a source; did you mean 'sales'?"),
        (
            {"day_columns": ("sold",)},
            "shop.day_columns[0]: 'sold' is not a column of the facts; did you mean 'sold_on'?",
        ),
        ({"day_columns": ("id",)}, "shop.day_columns: ['integer'] are not a day"),
        (
            {"derived": {"x": col("kind") > 1}},
            "derived['x']: col('kind') > 1: > takes two values of the same kind, or two",
        ),
        (
            {"derived": {"x": col("idd").is_null()}},
            "derived['x']: 'idd' is not a column of the facts; did you mean 'id'?",
        ),
        ({"derived": {"kind": col("id").is_null()}}, "'kind' stands twice"),
        (
            {"lookups": (Lookup(source="shops", key="shp", when_unknown="keep"),)},
            "shop.lookups[0].key: 'shp' is not a column of shops; did you mean 'shop'?",
        ),
        (
            {"tables": (SHOPS.model_copy(update={"columns": (integer("shop"), text("city"))}), CUSTOMERS)},
            "'shop' is text in the facts and integer in shops: never equal",
        ),
        (
            {"tables": (SHOPS.model_copy(update={"key": ()}), CUSTOMERS)},
            "is not the key of shops, []: it may match many rows",
        ),
        (
            {"lookups": (Lookup(source="shops", key={"shop": "shp"}, when_unknown="keep"),)},
            "shop.lookups[0].key: 'shp' is not a column of the facts; did you mean 'shop'?",
        ),
        (
            {"lookups": (Lookup(source="shops", key={"shop": "customer"}, when_unknown="keep"),)},
            "'customer', which is compared with 'shop', is integer in the facts and text in shops: never equal",
        ),
        (
            {"lookups": (Lookup(source="shops", key=("shop", "city"), when_unknown="keep"),)},
            "shop.lookups[0].key: ['shop', 'city'] is not the key of shops, ['shop']: it may match many rows",
        ),
        (
            {"lookups": (Lookup(source="shops", key="shop", when_unknown="keep"),) * 2},
            "shop.lookups: 'shops' stands twice: give one of them a name of its own",
        ),
        (
            {"lookups": (Lookup(source="shops", key="shop", when_unknown="keep", valid_from="city"),)},
            "shop.lookups[0].valid_from: 'city' is text; it takes a date",
        ),
        (
            {"lookups": (Lookup(source="shops", key="shop", when_unknown="keep", valid_to="till"),)},
            "shop.lookups[0].valid_to: 'till' is not a column of shops",
        ),
        (
            {"lookups": (Lookup(source="shops", key="shop", when_unknown="keep", is_valid_to_included=False),)},
            "shop.lookups[0].is_valid_to_included: there is no valid_to",
        ),
        (
            {"lookups": (BY_SHOP, BY_SHOP.model_copy(update={"name": "again", "as_of": "latest"}))},
            "shop.lookups[1].as_of: 'latest' is refused: another lookup reads shops with 'day'",
        ),
        (
            {"lookups": (BY_SHOP.model_copy(update={"source": "sales", "key": "id"}),)},
            "shop.lookups[0].as_of: 'day' is refused: sales are the facts, which each run reads; it takes 'latest'",
        ),
        (
            {"clean_rows": CleanRows(name="rows", columns=("id", "citty"))},
            "shop.clean_rows.columns[1]: 'citty' is not a column of the facts; did you mean 'city'?",
        ),
        ({"clean_rows": CleanRows(name="rows", columns=("id", "id"))}, "shop.clean_rows.columns: 'id' stands twice"),
        (
            {"clean_rows": CleanRows(name="rows", columns=("line",))},
            "shop.clean_rows.columns[0]: 'line' is not a column of the facts",
        ),
        (
            {"clean_rows": CleanRows(name="by_day")},
            "shop.summaries and clean_rows: 'by_day' stands twice",
        ),
        (
            {"clean_rows": CleanRows(name="rows"), "files": (with_column("day"),)},
            "shop.clean_rows.columns: 'day' is a column of the view already; leave it out, or give the facts' column",
        ),
        (
            {"clean_rows": CleanRows(name="rows"), "files": (with_column("xmin"),)},
            "shop.clean_rows.columns: 'xmin' is a word of PostgreSQL's own; give the column another name here",
        ),
        ({"tables": (SHOPS, SHOPS, CUSTOMERS)}, "shop.sources: 'shops' stands twice"),
        ({"files": (SALES.model_copy(update={"key": ("ident",)}),)}, "shop.sales.key[0]: 'ident' is not a column"),
        ({"files": (SALES.model_copy(update={"columns": (*SALES.columns, text("line"))}),)}, "a word of Daybook's own"),
        (
            {"files": (SALES.model_copy(update={"columns": (*SALES.columns, text("n", "line"))}),)},
            "shop.sales.columns: 'line' is a word of Daybook's own; give the column another name here",
        ),
        ({"measures": (Measure(name="n", how="sum", of="kind"),)}, "shop.measures[0].of: 'kind' is text"),
        ({"measures": (Measure(name="n", how="count", where="id"),)}, "'id' is integer; it takes a boolean"),
        ({"measures": (Measure(name="n", how="sum", of="id", where="is_larg"),)}, "did you mean 'is_large'?"),
        ({"measures": (Measure(name="n", how="min"),)}, "measures[0].of: is missing; it takes a column of the facts"),
        (
            {"measures": (Measure(name="n", how="max", of="is_large"),)},
            "'is_large' is boolean; it takes integer, decimal",
        ),
        (
            {"measures": (Measure(name="n", how="median", of="sold_on"),)},
            "'sold_on' is date; it takes an integer or a decimal; with method='discrete' it may be of any kind",
        ),
        (
            {"measures": (Measure(name="n", how="var_pop", of="kind"),)},
            "'kind' is text; it takes an integer or a decimal",
        ),
        ({"measures": (Measure(name="n", how="quantile", of="id"),)}, "measures[0].quantile: is missing"),
        ({"measures": (Measure(name="n", how="median", of="id", quantile="0.5"),)}, "0.5 is refused: it is for"),
        ({"measures": (Measure(name="n", how="sum", of="id", method="discrete"),)}, "it is for a median or quantile"),
        ({"measures": (Measure(name="n", how="distinct", of="id", scale=4),)}, "a distinct of 'id' is not rounded"),
        (
            {"plausible": Plausible(measures=("largest_eur",))},
            "plausible.measures[0]: 'largest_eur' is a max, and makes no total of the day; it takes a count or sum",
        ),
        (
            {
                "measures": (*MEASURES, Measure(name="first_on", how="min", of="sold_on")),
                "ratios": (Ratio(name="r", of="sales", over="first_on"),),
            },
            "shop.ratios[0].over: 'first_on' is the min of a date; a ratio takes numbers",
        ),
        (
            {"ratios": (Ratio(name="r", of="sale", over="sales"),)},
            "shop.ratios[0].of: 'sale' is not a measure; did you",
        ),
        (
            {"summaries": (Summary(name="s", by=("city",), columns=("sale",)),)},
            "shop.summaries[0].columns[0]: 'sale' is not a measure or ratio; did you mean 'sales'?",
        ),
        ({"summaries": (Summary(name="s", by=("town",), columns=("sales",)),)}, "summaries[0].by[0]: 'town' is no"),
        (
            {"summaries": (Summary(name="s", by=("city", "sold_on"), columns=("sales",)),)},
            "shop.summaries[0].by: 'sold_on' is refused: it shows the day twice",
        ),
        (
            {"summaries": (Summary(name="s", every="month", by=("sold_on",), columns=("sales",)),)},
            "shop.summaries[0].by: 'sold_on' is refused: it tells the day, so a row per month would be a row per day; "
            "leave it out, or leave out every='month'",
        ),
        (
            {
                "measures": (Measure(name="month", how="count"),),
                "ratios": (),
                "summaries": (Summary(name="s", every="month", columns=("month",)),),
            },
            "shop.summaries[0]: 'month' stands twice",
        ),
        (
            {
                "summaries": (
                    Summary(name="s", every="week", by=("city",), columns=("sales",), top=Top(rows=3, of="sales")),
                ),
            },
            "shop.summaries[0].top: 3 rows is refused: the first groups of a week do not follow from those of its days",
        ),
        (
            {
                "measures": (Measure(name="middle_eur", how="median", of="amount_eur"),),
                "ratios": (),
                "summaries": (Summary(name="s", every="year", columns=("middle_eur",)),),
            },
            "shop.summaries[0].columns[0]: 'middle_eur' is a median, and that of a year does not follow from those of "
            "its days; leave it out here, or leave out every='year'",
        ),
    ],
)
def test_names_that_do_not_meet(changes: dict[str, object], says: str) -> None:
    with pytest.raises(BadSpec) as error:
        shop(**changes)
    assert says in str(error.value)


def test_a_roll_up_is_by_a_period_that_is_known() -> None:
    with pytest.raises(BadSpec, match=r"every: 'monthly' is refused: .*did you mean 'month'\?"):
        Summary(name="by_month", every="monthly", columns=("sales",))


def test_all_that_is_wrong_comes_in_one_message() -> None:
    with pytest.raises(BadSpec) as error:
        shop(summaries=(Summary(name="s", by=("town",), columns=("sale", "price")),))
    assert len(str(error.value).splitlines()) == 3


def test_a_spec_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_pipelines().good["flights"].engine = "pandas"  # type: ignore[misc]
