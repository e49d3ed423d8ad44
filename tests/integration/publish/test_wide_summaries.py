"""A summary of many rows, published again while readers ask for it."""

from collections.abc import Callable

from daybook.spec import Pipeline
from daybook.testing import Sample, Trial
from tests.support.polled import polled
from tests.support.wide import DAY, asked, file_of, wide

ROWS = 20_000


def test_a_reader_who_polls_sees_each_day_whole_and_no_rows_of_two_runs(
    trial_of: Callable[[Pipeline, Sample], Trial],
) -> None:
    trial = trial_of(wide("wide"), Sample(DAY, {f"wide/{DAY}.csv": file_of(ROWS, pieces=2)}))
    trial.run(DAY)
    trial.deliver_file(f"wide/{DAY}.csv", file_of(ROWS, pieces=3))
    with trial.warehouse() as session:
        dsn = f"{session.info.dsn} password={session.info.password}"
    numbers = ", ".join(f"{word}::int" for word in ("count(*)", "min(pieces)", "max(pieces)", "sum(pieces)"))
    whole = f"select {numbers} from wide.by_shop where day = '{DAY}'"
    with polled(dsn, whole, 200) as of_all, polled(dsn, asked("wide", ROWS), 200) as of_two:
        trial.run(DAY)
    assert of_all.seen == [(ROWS, pieces, pieces, ROWS * pieces) for pieces in (2, 3)]
    assert of_two.seen == [(pieces, ROWS * pieces) for pieces in (2, 3)]


def test_the_report_of_many_rows_shows_the_first_thousand_and_says_where_the_others_are(
    trial_of: Callable[[Pipeline, Sample], Trial],
) -> None:
    trial = trial_of(wide("wide"), Sample(DAY, {f"wide/{DAY}.csv": file_of(1_001, pieces=2)}))
    report = trial.run(DAY).files["report.html"].decode()
    assert report.count("<td>S") == 1_000
    assert "<p>1 more row is in by_shop.parquet and by_shop.csv, beside this page.</p>" in report
