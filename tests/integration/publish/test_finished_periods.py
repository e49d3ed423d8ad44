"""The files of finished weeks and months: there if all due days are published, as the view says, whatever happens."""

from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from upath import UPath

from daybook.ledger.queries import Published
from daybook.publish.agreement import differences, ledger_of
from daybook.publish.finished_periods import finished_of
from daybook.publish.realign import realign
from daybook.spec import Pipeline
from daybook.storage.data_folder import DataFolder
from tests.support.rolled_up import BY_MONTH, BY_WEEK, DAYS, Orders

# Of the schedule's days: the week of 2020-12-28 is whole with DAYS[1:6], as 2021-01-01 is closed.
WEEK = DAYS[1:6]
MONDAY = date(2020, 12, 28)


def folder(orders: Orders) -> Path:
    """Return the folder of the weeks."""
    return orders.servers.data / "published" / orders.name / "by_week"


def shown(orders: Orders) -> dict[str, bytes]:
    """Return the bytes of all files of weeks that readers of the folder see."""
    links = [link for link in folder(orders).glob("*") if link.is_symlink()]
    return {f"{link.name}/{file.name}": file.read_bytes() for link in links for file in link.iterdir()}


def problems(orders: Orders) -> list[str]:
    """Return what the folder shows other than the warehouse."""
    # Other tests leave published days in the ledger, whose files were of their own folders.
    found = differences(orders.ask(ledger_of), data(orders), [])
    return [one.found for one in found if one.pipeline == orders.name]


def data(orders: Orders) -> DataFolder:
    """Return the data folder."""
    return DataFolder(UPath(orders.servers.data))


def no_report(pipeline: Pipeline, rows: dict[str, pa.Table], published: Published) -> bytes:
    """Return the report's page, which no test here has lost."""
    raise AssertionError(pipeline.name)


def test_the_files_of_a_week_come_with_its_last_due_day_and_go_with_any_of_its_days(orders: Orders) -> None:
    pipeline = orders.pipeline(BY_WEEK, BY_MONTH)
    orders.run(pipeline, *WEEK[1:])
    assert shown(orders) == {}
    orders.run(pipeline, WEEK[0])
    first = shown(orders)
    assert sorted(first) == [f"{MONDAY}/by_week.csv", f"{MONDAY}/by_week.parquet"]
    table = pq.read_table(folder(orders) / str(MONDAY) / "by_week.parquet")
    assert [tuple(row.values()) for row in table.to_pylist()] == sorted(
        orders.rows(BY_WEEK), key=lambda row: (row[1] is None, row[1])
    )
    assert table["days_published"].to_pylist() == table["days_due"].to_pylist() == [5, 5, 5]
    lines = first[f"{MONDAY}/by_week.csv"].decode().splitlines()[1:]
    assert [line.split(",")[6] for line in lines] == [str(pieces) for pieces in table["pieces"].to_pylist()]
    finished = orders.ask(lambda session: finished_of(session, pipeline))
    assert finished == {"by_week": [MONDAY], "by_month": []}

    # The same day again, by force: other runs, the same bytes. With other facts: other bytes, whole.
    orders.run(pipeline, WEEK[2], is_forced=True)
    assert shown(orders) == first
    orders.source(f"update {orders.name}.orders set amount = amount + 1")
    orders.run(pipeline, WEEK[2])
    second = shown(orders)
    assert second.keys() == first.keys()
    assert all(second[name] != first[name] for name in first)
    orders.roll_back(pipeline, WEEK[2], "nothing")
    assert shown(orders) == {}
    orders.roll_back(pipeline, WEEK[2], max(orders.run_ids(WEEK[2])))
    assert shown(orders) == second
    assert problems(orders) == []


def test_the_next_deployment_of_any_day_mends_what_a_crash_left_behind(
    orders: Orders,
) -> None:
    pipeline = orders.pipeline(BY_WEEK)
    orders.run(pipeline, *WEEK[1:])
    # No folder can be made where a file lies.
    folder(orders).parent.joinpath("by_week").write_bytes(b"in the way")
    with pytest.raises(Exception, match="by_week"):
        orders.run(pipeline, WEEK[0])
    assert {row[-2:] for row in orders.rows(BY_WEEK)} == {(5, 5)}, "the day is published all the same"
    folder(orders).unlink()
    orders.run(pipeline, DAYS[6])
    assert sorted(shown(orders)) == [f"{MONDAY}/by_week.csv", f"{MONDAY}/by_week.parquet"]


def test_a_restore_writes_lost_and_changed_files_again_and_takes_away_unknown_ones(orders: Orders) -> None:
    pipeline = orders.pipeline(BY_WEEK)
    orders.run(pipeline, *WEEK)
    was = shown(orders)
    (folder(orders) / str(MONDAY) / "by_week.csv").write_bytes(b"damaged")
    (folder(orders) / "2020-12-21").symlink_to(f".finished/{MONDAY}")
    assert len(problems(orders)) == 2
    told = realign(
        lambda: orders.servers.connect_postgres("warehouse"), data(orders), [], {pipeline.name: pipeline}, no_report
    )
    # As in `problems`.
    left = [sentence for sentence in told.left if sentence.startswith(f"{orders.name} ")]
    assert (len(told.done), left) == (2, [])
    assert shown(orders) == was
    assert problems(orders) == []
