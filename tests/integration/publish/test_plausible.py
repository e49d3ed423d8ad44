"""A day that does not look like a day is held, with its numbers, until a person releases it; odd deliveries."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from daybook.errors import BadData, BadSpec, Implausible
from daybook.ledger.decisions import Release
from daybook.pipelines import load_pipelines
from daybook.rules.plausible import doubts
from daybook.spec import Plausible
from tests.support.bench import DAY, Bench
from tests.support.runner import do_steps

EARLIER = ("2013-01-01", "2013-01-02", "2013-01-03", "2013-01-04")


def days(*rows: int) -> dict[date, dict[str, Decimal]]:
    """Return the totals of days of so many rows, the first of which is 1 January."""
    return {date(2013, 1, 1 + number): {"row_count": Decimal(count)} for number, count in enumerate(rows)}


@pytest.mark.parametrize(
    ("rows", "before", "held_for"),
    [
        (460, (900, 910, 930), None),
        (
            454,
            (900, 910, 930),
            "454 rows, within 50 % of 910 expected (50 % of it): the median of the 3 days",
        ),
        (1_365, (900, 910, 930), None),
        (1_366, (900, 910, 930), "1,366 rows, within 50 % of 910 expected (150 % of it)"),
        (1, (900, 910), None),
        (1, (), None),
    ],
)
def test_c50_rows_are_held_against_the_median_of_three_days_or_more(
    rows: int, before: tuple[int, ...], held_for: str | None
) -> None:
    found = doubts(date(2013, 1, 31), {"row_count": Decimal(rows)}, days(*before), load_pipelines().good["flights"])
    assert (found[0] if found else None) == held_for or (held_for and found[0].startswith(held_for))


def test_a_measure_that_is_named_is_held_against_its_median_too() -> None:
    flights = load_pipelines().good["flights"]
    pipeline = flights.model_copy(update={"plausible": Plausible(measures=("distance_mi",), within_pct=10)})
    near = {date(2013, 1, day): {"row_count": Decimal(9), "distance_mi": Decimal(1000)} for day in (1, 2, 3)}
    found = {"row_count": Decimal(9), "distance_mi": Decimal(1101)}
    (doubt,) = doubts(date(2013, 1, 4), found, near, pipeline)
    assert doubt.startswith("1,101 distance_mi, within 10 % of 1,000 expected (110 % of it)")


def test_the_spec_refuses_a_measure_that_does_not_add_up() -> None:
    flights = load_pipelines().good["flights"]
    with pytest.raises(BadSpec, match="'on_time_pct' is not a count or sum; did you mean 'on_time'"):
        type(flights)(**dict(flights) | {"plausible": {"measures": ("on_time_pct",)}})


def test_the_default_holds_no_day_of_the_shipped_year(bench: Bench) -> None:
    counts = {}
    for file in sorted((bench.servers.ftp.root / "flights").iterdir()):
        counts[date.fromisoformat(file.stem.removeprefix("flights_"))] = len(file.read_bytes().splitlines()) - 1
    assert len(counts) == 365
    totals = {day: {"row_count": Decimal(rows)} for day, rows in counts.items()}
    for day in totals:
        assert doubts(day, totals[day], totals, bench.pipeline) == []


def test_a_day_is_not_held_against_the_days_after_it() -> None:
    flights = load_pipelines().good["flights"]
    assert doubts(date(2013, 1, 1), {"row_count": Decimal(1)}, days(900, 900, 900, 900), flights) == []


def test_a_shop_that_sells_little_on_mondays_is_compared_with_its_mondays_too() -> None:
    flights = load_pipelines().good["flights"]
    # 1 January 2013 was a Tuesday.
    weeks = days(*([100] * 6 + [20]) * 4)
    monday, tuesday = date(2013, 1, 28) + timedelta(days=7), date(2013, 1, 29)
    assert doubts(monday, {"row_count": Decimal(22)}, weeks, flights) == []
    assert doubts(monday, {"row_count": Decimal(9)}, weeks, flights) != []
    assert doubts(tuesday, {"row_count": Decimal(22)}, weeks, flights) != []


@pytest.mark.parametrize("factor", [0.75, 0.9, 1.12, 1.2])
def test_a_ramp_is_no_jump(factor: float) -> None:
    flights = load_pipelines().good["flights"]
    totals = days(*(int(10_000_000 * factor**number) for number in range(31)))
    assert [day for day in totals if doubts(day, totals[day], totals, flights)] == []


def test_a_day_without_rows_is_compared_with_nothing_if_the_spec_allows_it() -> None:
    closed = load_pipelines().good["flights"].model_copy(update={"plausible": Plausible(min_rows=0)})
    totals = days(100, 0, 0, 100, 0, 100, 100)
    assert doubts(date(2013, 1, 8), {"row_count": Decimal(0)}, totals, closed) == []
    assert doubts(date(2013, 1, 8), {"row_count": Decimal(90)}, totals, closed) == []


@pytest.fixture
def week(bench: Bench) -> Bench:
    """A bench with four days published, of 40 rows each."""
    for day in EARLIER:
        bench.publish(day, "run", 40)
    return bench


def test_p17_a_held_day_says_its_numbers_and_publishes_nothing(week: Bench) -> None:
    week.deliver(DAY, 10)
    with pytest.raises(Implausible) as held:
        do_steps(week.servers.work(week.pipeline, DAY, "held"))
    assert "2013-01-05: 10 rows, within 50 % of 40 expected (25 % of it)" in str(held.value)
    assert "the day is held, nothing was published" in str(held.value)
    assert week.seen(DAY)[1] == 0
    week.check()


def test_a_person_releases_a_held_day_and_the_ledger_and_the_report_say_who_and_why(week: Bench) -> None:
    week.deliver(DAY, 10)
    work = week.servers.work(week.pipeline, DAY, "released")
    do_steps(replace(work, release=Release("ann", "a storm <b>closed</b> the airports")))
    assert week.seen(DAY)[0] == 10
    decisions = week.rows("select what, who, why, found from daybook.decision where pipeline = %s", week.pipeline.name)
    assert [decision[:3] for decision in decisions] == [("release", "ann", "a storm <b>closed</b> the airports")]
    assert decisions[0][3].startswith("10 rows, within 50 % of 40 expected")
    report = (week.published / DAY / "report.html").read_text()
    assert "Released by ann: a storm &lt;b&gt;closed&lt;/b&gt; the airports" in report
    week.check()


def test_a_release_of_a_day_that_is_not_held_leaves_no_word(week: Bench) -> None:
    week.deliver(DAY, 41)
    do_steps(replace(week.servers.work(week.pipeline, DAY, "run"), release=Release("ann", "just in case")))
    assert week.rows("select from daybook.decision where pipeline = %s", week.pipeline.name) == []
    assert "Released" not in (week.published / DAY / "report.html").read_text()


def test_c49_a_day_without_a_row_is_held_until_a_person_releases_it(week: Bench) -> None:
    week.publish(DAY, "before", 40)
    week.deliver(DAY, 0)
    work = week.servers.work(week.pipeline, DAY, "empty")
    with pytest.raises(Implausible, match="0 rows"):
        do_steps(work)
    assert week.seen(DAY)[0] == 40
    do_steps(replace(work, release=Release("ann", "a strike")))
    assert week.seen(DAY)[0] == 0
    assert "Released by ann: a strike" in (week.published / DAY / "report.html").read_text()
    week.check()


def test_c49_days_without_a_row_are_published_as_zero_if_the_spec_allows_them(week: Bench) -> None:
    closed = replace(week, pipeline=week.pipeline.model_copy(update={"plausible": Plausible(min_rows=0)}))
    # Two files of a header alone have the same bytes, and are no day delivered again.
    for day in ("2013-01-06", "2013-01-13"):
        closed.publish(day, "closed", 0)
        assert closed.rows("select flights, cancelled, distance_mi from {}.by_day where day = %s", day) == [(0, 0, 0)]
        report = (closed.published / day / "report.html").read_text()
        assert "The day has no rows, which the spec allows." in report
    closed.publish("2013-01-14", "open", 40)
    closed.check()


def test_c59_the_file_of_another_day_again_is_refused(week: Bench) -> None:
    folder = week.servers.ftp.root / week.pipeline.name
    (folder / f"flights_{DAY}.csv").write_bytes((folder / f"flights_{EARLIER[-1]}.csv").read_bytes())
    with pytest.raises(BadData, match=r"same bytes as those of 2013-01-04|other_day"):
        do_steps(week.servers.work(week.pipeline, DAY, "again"))
    assert week.seen(DAY)[1] == 0
    week.check()


def test_c60_the_same_file_twice_changes_nothing(week: Bench) -> None:
    before = week.rows("select run_id from daybook.published where pipeline = %s order by 1", week.pipeline.name)
    week.publish(EARLIER[0], "again", 40)
    assert (
        week.rows("select run_id from daybook.published where pipeline = %s order by 1", week.pipeline.name) == before
    )
    week.check()


def test_c61_a_corrected_file_is_published_and_the_report_says_what_changed(week: Bench) -> None:
    week.deliver(EARLIER[0], 40, first=5)
    assert week.do(EARLIER[0], "corrected")["error"] == ""
    (changes,) = week.rows(
        "select changes from daybook.ledger where pipeline = %s and changes <> jsonb_build_object()", week.pipeline.name
    )[0]
    assert changes["by_day"] == {"added": 0, "removed": 0, "changed": 1}
    assert changes["by_airline"]["changed"] > 0
    report = (week.published / EARLIER[0] / "report.html").read_text()
    assert "by_day, against what was published before: +0 rows" in report
    assert "1 changed." in report
    week.check()


def test_c62_a_late_file_is_published_under_its_own_day(week: Bench) -> None:
    week.publish("2013-01-09", "on time", 40)
    week.publish(DAY, "late", 41)
    assert week.seen(DAY)[0] == 41
    assert week.seen("2013-01-09")[0] == 40
    week.check()
