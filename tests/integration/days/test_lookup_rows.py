"""A day rests on the rows of a lookup that its facts have the keys of: a change of others does no day again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, ClassVar

import psycopg
import pytest

from daybook.errors import BadData
from daybook.planning.observe import observe
from daybook.spec import day_date

from .conftest import Days

FIRST, SECOND = "2013-01-01", "2013-01-02"
Change = Callable[[str], None]


@pytest.fixture
def change(days: Days) -> Iterator[Change]:
    """Two days were made from a table of planes of the test's own; a way to change it."""
    with days.own_table("planes", "select * from public.planes order by tailnum") as change:
        for day in (FIRST, SECOND):
            days.run(day)
        yield change


def plan(days: Days) -> list[str]:
    """Return what the plan says of the two days."""
    planned = days.planned("--from", FIRST, "--to", SECOND)
    return [planned[FIRST], planned[SECOND]]


def keys(days: Days, query: str) -> list[str]:
    """Return tail numbers of a day's flights, as the day has them in its file."""
    lines = days.file(query).read_text().splitlines()
    place = lines[0].split(",").index("tailnum")
    return sorted({line.split(",")[place] for line in lines[1:]})


def only(days: Days, day: str, other: str, *, known: bool) -> str:
    """Return a plane that flew on one day and not on the other; known: whether it is in the table of planes."""
    dsn = days.servers.postgres.dsn("source", "source_owner")
    with psycopg.connect(dsn) as connection:
        planes = {row[0] for row in connection.execute("select tailnum from public.planes")}
    flown = set(keys(days, day)) - set(keys(days, other)) - {""}
    return min(plane for plane in flown if (plane in planes) is known)


def test_a_row_that_no_day_uses_changes_no_day(days: Days, change: Change) -> None:
    change("insert into {} (tailnum, seats) values ('N-NEW', 7)")
    assert plan(days) == ["skip: nothing changed"] * 2


@pytest.mark.parametrize(
    "statement", ["update {} set seats = 7 where tailnum = '%s'", "delete from {} where tailnum = '%s'"]
)
def test_a_changed_or_lost_row_does_the_days_again_that_used_it(days: Days, change: Change, statement: str) -> None:
    plane = only(days, SECOND, FIRST, known=True)
    change(statement.replace("%s", plane))
    assert plan(days) == ["skip: nothing changed", f"run: input changed: table planes, 1 used key: {plane}"]
    days.run(SECOND)
    assert plan(days) == ["skip: nothing changed"] * 2


def test_a_new_row_does_the_days_again_that_would_match_it_now(days: Days, change: Change) -> None:
    plane = only(days, FIRST, SECOND, known=False)
    unknown = days.servers.rows(f"select sum(planes_unknown) from {days.pipeline.name}.by_day where day = '{FIRST}'")
    change(f"insert into {{}} (tailnum, seats) values ('{plane}', 7)")
    assert plan(days) == [f"run: input changed: table planes, 1 used key: {plane}", "skip: nothing changed"]
    days.run(FIRST)
    now = days.servers.rows(f"select sum(planes_unknown) from {days.pipeline.name}.by_day where day = '{FIRST}'")
    assert now < unknown


def test_a_second_row_of_a_key_is_a_change_for_the_days_that_used_it(days: Days, change: Change) -> None:
    plane = only(days, FIRST, SECOND, known=True)
    change(f"insert into {{}} (tailnum, seats) values ('{plane}', 7)")
    assert plan(days) == [f"run: input changed: table planes, 1 used key: {plane}", "skip: nothing changed"]


def test_many_keys_are_counted_and_the_first_shown(days: Days, change: Change) -> None:
    change("update {} set seats = seats + 1")
    (first, second) = plan(days)
    assert first.startswith("run: input changed: table planes, ")
    assert " used keys: " in first
    assert first.endswith(", …")
    assert second.count(",") == 6


def test_without_the_files_of_the_days_run_the_whole_table_counts(days: Days, change: Change) -> None:
    change("insert into {} (tailnum, seats) values ('N-NEW', 7)")
    work = days.servers.work(days.pipeline, FIRST, "run_1")
    (work.folder.path / "index" / "keys.planes.parquet").unlink()
    assert plan(days) == ["run: input changed: table planes", "skip: nothing changed"]


@pytest.fixture
def dated(days: Days) -> Iterator[Change]:
    """Two days were made from a table of planes whose rows hold for some days; a way to change it."""
    rows = "select *, date '2012-01-01' as first_on, null::date as last_on from public.planes"
    with days.own_table("planes", rows) as change:
        airlines, planes = days.pipeline.tables
        columns = (*planes.columns, day_date("first_on"), day_date("last_on"))
        tables = (airlines, planes.model_copy(update={"columns": columns, "key": ("tailnum", "first_on")}))
        known, by_plane = days.pipeline.lookups
        by_plane = by_plane.model_copy(update={"valid_from": "first_on", "valid_to": "last_on"})
        days.change(tables=tables, lookups=(known, by_plane))
        for day in (FIRST, SECOND):
            days.run(day)
        yield change


def test_a_row_that_begins_later_changes_only_the_days_on_which_it_holds(days: Days, dated: Change) -> None:
    plane = only(days, SECOND, FIRST, known=True)
    dated(f"update {{}} set last_on = '{SECOND}' where tailnum = '{plane}'")
    dated(f"insert into {{}} (tailnum, seats, first_on) values ('{plane}', 7, '2013-01-03')")
    assert plan(days) == ["skip: nothing changed"] * 2
    dated(f"update {{}} set last_on = '{FIRST}' where tailnum = '{plane}' and last_on is not null")
    dated(f"update {{}} set first_on = '{SECOND}' where tailnum = '{plane}' and seats = 7")
    assert plan(days) == ["skip: nothing changed", f"run: input changed: table planes, 1 used key: {plane}"]


def test_two_rows_that_hold_on_one_day_are_refused_by_the_day_that_uses_the_table(days: Days, dated: Change) -> None:
    plane = only(days, SECOND, FIRST, known=True)
    dated(f"insert into {{}} (tailnum, seats, first_on) values ('{plane}', 7, '{SECOND}')")
    assert plan(days) == ["skip: nothing changed", "run: input changed: table planes"]
    with pytest.raises(BadData, match=f"planes: 1 key has more than one row that holds on {SECOND}"):
        days.run(SECOND)


class Copies(psycopg.Cursor[Any]):
    """A cursor that notes how many rows each COPY gave."""

    noted: ClassVar[list[int]] = []

    @contextmanager
    def copy(self, *words: Any, **more: Any) -> Iterator[psycopg.Copy]:
        with super().copy(*words, **more) as copy:
            yield copy
        self.noted.append(self.rowcount)


def copied(days: Days) -> list[int]:
    """Return how many rows of the source database the plan of the two days copies, for each COPY."""

    def connect(connection: str) -> psycopg.Connection[Any]:
        opened = days.servers.connect_postgres(connection)
        opened.cursor_factory = Copies
        return opened

    Copies.noted.clear()
    data = days.servers.work(days.pipeline, FIRST, "none").data
    observe(
        days.pipeline, [date.fromisoformat(day) for day in (FIRST, SECOND)], connect, days.servers.connect_ftp, data
    )
    return list(Copies.noted)


def test_a_plan_copies_no_table_and_reads_of_a_changed_one_the_rows_near_the_changed(
    days: Days, change: Change
) -> None:
    assert copied(days) == []
    change("update {} set seats = seats + 1 where tailnum < 'N12'")
    (rows,) = copied(days)
    assert 10 < rows < 200
    assert plan(days)[0].startswith("run: input changed: table planes, ")


def test_days_of_an_older_release_that_noted_no_rows_are_not_done_again(days: Days, change: Change) -> None:
    with psycopg.connect(days.servers.postgres.dsn("warehouse", "warehouse_owner")) as connection:
        noted = "update daybook.step set receipt = receipt - 'slices' where pipeline = %s and receipt ? 'slices'"
        assert connection.execute(noted, [days.pipeline.name]).rowcount == 18
    change("create table {}_other as table {}; truncate {}; insert into {} select * from {}_other order by seats")
    change("drop table {}_other")
    assert plan(days) == ["skip: nothing changed"] * 2
    plane = only(days, SECOND, FIRST, known=True)
    change(f"update {{}} set seats = 7 where tailnum = '{plane}'")
    assert plan(days) == ["skip: nothing changed", f"run: input changed: table planes, 1 used key: {plane}"]
    days.run(SECOND)
    assert plan(days) == ["skip: nothing changed"] * 2
