"""How many rows a day may lose over `load`, `clean` and `index` together, before nothing of it is published."""

import pytest

from daybook.errors import BadData, BadSpec
from daybook.ledger.receipt import Lines, Rows
from daybook.ledger.refused_limits import check_refused
from daybook.spec import Limits, Lookup, Pipeline
from tests.support.shop import SALES, shop

READ = 10_000
UNKNOWN = "shop_unknown_in_shops"


def rows(**refused: dict[str, int]) -> dict[str, dict[str, Rows]]:
    """Return the counts of 10,000 sales, of which each step refused these, by reason; every shop is well."""
    left, counts = READ, dict[str, dict[str, Rows]]()
    for step, reasons in refused.items():
        kept = left - sum(reasons.values())
        sales = Rows(read=left, kept=kept, refused=reasons)
        well = Rows(read=5, kept=5)
        counts[step], left = {"sales": sales, "shops": well, "customers": well}, kept
    return counts


def limited(**words: object) -> Pipeline:
    """Return the shop with these limits on its sales."""
    return shop(files=(SALES.model_copy(update={"limits": Limits(**words)}),))


def test_half_of_the_facts_without_a_match_are_too_many() -> None:
    with pytest.raises(BadData) as raised:
        check_refused(shop(), rows(load={}, clean={}, index={UNKNOWN: 5_000}))
    assert str(raised.value) == (
        f"shop: sales: 5,000 of 10,000 rows are refused, limit 50 (index: {UNKNOWN} 5,000); the day is not published; "
        "`./daybook refused` has them"
    )


@pytest.mark.parametrize(("of_index", "is_refused"), [(20, False), (21, True)])
def test_the_limit_holds_for_the_steps_together(of_index: int, is_refused: bool) -> None:
    counts = rows(load={"id_not_an_integer": 10}, clean={"key_conflict": 20}, index={UNKNOWN: of_index})
    if not is_refused:
        check_refused(shop(), counts)
        return
    with pytest.raises(BadData, match=r"51 of 10,000 rows .*, limit 50 \(load: .*10; clean: .*20; index: .*21"):
        check_refused(shop(), counts)


def test_a_refused_record_counts_by_its_lines() -> None:
    counts = rows(load={"text_after_closing_quote": 1}, clean={"key_conflict": 20}, index={})
    loaded = counts["load"]["sales"]
    lines = Lines(read=READ + 29, kept=READ - 1, refused=30, blank=0)
    check_refused(shop(), counts | {"load": counts["load"] | {"sales": loaded.model_copy(update={"lines": lines})}})
    lines = Lines(read=READ + 30, kept=READ - 1, refused=31, blank=0)
    counts["load"]["sales"] = loaded.model_copy(update={"lines": lines})
    with pytest.raises(BadData, match=r"51 of 10,030 rows .* \(load: further lines of these 30, text.* 1; clean: "):
        check_refused(shop(), counts)


def test_rows_that_share_a_key_count() -> None:
    with pytest.raises(BadData, match="key_conflict 60"):
        check_refused(shop(), rows(load={}, clean={"key_conflict": 60}))


def test_many_rows_refused_for_one_reason_are_too_many_even_under_a_wide_limit() -> None:
    wide = limited(refused_share=0.4)
    check_refused(wide, rows(load={}, clean={"other_day": 500, "kind_not_allowed": 500}))
    with pytest.raises(BadData, match=r"501 of 10,000 rows are refused for one reason, limit 5\.00%"):
        check_refused(wide, rows(load={}, clean={"other_day": 501, "kind_not_allowed": 500}))


def test_more_than_half_of_a_few_rows_are_too_many() -> None:
    few = {"sales": Rows(read=3, kept=3), "shops": Rows(read=0, kept=0), "customers": Rows(read=0, kept=0)}
    cleaned = few | {"sales": Rows(read=3, kept=1, refused={"other_day": 2})}
    with pytest.raises(BadData, match="2 of 3 rows are refused, more than half"):
        check_refused(shop(), {"load": few, "clean": cleaned})


def test_rows_of_a_lookup_count_against_its_own_limits() -> None:
    counts = rows(load={}, clean={})
    counts["clean"]["shops"] = Rows(read=5, kept=1, refused={"key_conflict": 4})
    with pytest.raises(BadData, match="shop: shops: 4 of 5 rows are refused, more than half"):
        check_refused(shop(), counts)


@pytest.mark.parametrize(("count", "is_refused"), [(2_000, False), (2_001, True)])
def test_a_lookup_may_have_a_limit_of_its_own_beside_that_of_the_facts(count: int, is_refused: bool) -> None:
    known = Lookup(source="shops", key="shop", when_unknown="refuse", refused_share=0.2)
    counts = rows(load={"id_not_an_integer": 50}, clean={}, index={UNKNOWN: count})
    pipeline = shop(lookups=(known,), summaries=(shop().summaries[1],))
    if not is_refused:
        check_refused(pipeline, counts)
        return
    with pytest.raises(BadData, match="2,001 of 10,000 facts have no match in shops, limit 2,000;"):
        check_refused(pipeline, counts)


def test_a_lookup_that_refuses_nothing_has_no_limit() -> None:
    kept = Lookup(source="customers", key="customer", when_unknown="keep", refused_rows=3)
    with pytest.raises(BadSpec, match=r"lookups\[0\].refused_rows: only a lookup that refuses has a limit"):
        shop(lookups=(kept,), summaries=(shop().summaries[1],))


def test_rows_of_other_days_are_neither_refused_nor_rows_of_the_day() -> None:
    counts = rows(load={})
    sales = Rows(read=READ, kept=40, refused={"kind_not_allowed": 60}, dropped={"other_day": 9_900})
    clean = counts["load"] | {"sales": sales}
    with pytest.raises(BadData, match="60 of 100 rows are refused, limit 50"):
        check_refused(limited(refused_rows=50), {"load": counts["load"], "clean": clean})
    few = clean | {"sales": sales.model_copy(update={"kept": 96, "refused": {"kind_not_allowed": 4}})}
    check_refused(limited(refused_rows=50), {"load": counts["load"], "clean": few})
