"""A spec that changes after days were published: readers keep their views, and the plan says what will change."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pytest

from daybook.errors import BadSpec, Implausible
from daybook.publish.definitions import READERS
from daybook.spec import Plausible
from tests.support.servers import run_steps

from .conftest import Days

FIRST, SECOND = "2013-01-01", "2013-01-02"


def summary(days: Days, name: str, **words: object) -> None:
    """Change words of a summary of the spec."""
    days.change(summaries=tuple(s.model_copy(update=words if s.name == name else {}) for s in days.pipeline.summaries))


def columns(days: Days, name: str, *, without: str = "", more: tuple[str, ...] = ()) -> None:
    """Take a column out of a summary, or put others into it, before the ones that it has."""
    was = next(s.columns for s in days.pipeline.summaries if s.name == name)
    summary(days, name, columns=(*more, *(column for column in was if column != without)))


def meanings(days: Days) -> list[str]:
    """Return what the plan says that readers will notice."""
    told: list[str] = days.json("plan")["changes_for_readers"]
    return told


def owner(days: Days) -> psycopg.Connection[tuple[object, ...]]:
    """Connect as the owner of the warehouse, who may make views on ours."""
    return psycopg.connect(days.servers.postgres.dsn("warehouse", "warehouse_owner"), autocommit=True)


def make_a_view(days: Days, column: str) -> str:
    """Make somebody else's view on by_day."""
    name = days.pipeline.name
    with owner(days) as connection:
        connection.execute(f"create view {name}.of_the_boss as select day, {column} from {name}.by_day".encode())
    return f"{name}.of_the_boss"


def seen(days: Days, columns: str) -> list[tuple[object, ...]]:
    """Return what readers see in by_day, day by day."""
    return days.servers.rows(f"select {columns} from {days.pipeline.name}.by_day order by day")


def test_a_new_column_leaves_the_views_on_ours_and_is_empty_until_a_day_is_done_again(days: Days) -> None:
    columns(days, "by_day", without="cancelled")
    days.run(FIRST)
    theirs = make_a_view(days, "flights")
    columns(days, "by_day", more=("cancelled",))
    assert meanings(days) == [
        f"{days.pipeline.name}.by_day: gets the column cancelled, which a day has when it is done again"
    ]
    days.run(SECOND)
    assert seen(days, "cancelled, flights") == [(None, 842), (8, 943)]
    with owner(days) as connection:
        assert connection.execute(f"select flights from {theirs} order by day".encode()).fetchall() == [(842,), (943,)]
    assert meanings(days) == []
    assert days.planned("--from", FIRST, "--to", FIRST)[FIRST] == "run: spec changed: summarize"


def test_a_lost_column_names_the_views_that_rest_on_ours_and_changes_nothing(days: Days) -> None:
    days.run(FIRST)
    theirs = make_a_view(days, "cancelled")
    columns(days, "by_day", without="cancelled")
    code, printed = days.command("plan")
    assert code != 0
    assert f"by_day: the spec has lost cancelled, and view {theirs} rest on this view; nothing was changed" in printed
    with pytest.raises(BadSpec, match=f"view {theirs} rest on this view"):
        days.run(SECOND)
    with owner(days) as connection:
        assert connection.execute(f"select cancelled from {theirs}".encode()).fetchall() == [(4,)]


def test_a_lost_column_takes_no_right_from_a_reader(days: Days) -> None:
    days.run(FIRST)
    with owner(days) as connection:
        connection.execute(f"grant select on {days.pipeline.name}.by_day to public".encode())
    columns(days, "by_day", without="cancelled")
    assert meanings(days) == [
        f"{days.pipeline.name}.by_day: loses cancelled, for every day; the table keeps the values"
    ]
    days.run(SECOND)
    with owner(days) as connection:
        rights = connection.execute(
            "select grantee, privilege_type from information_schema.role_table_grants "
            "where table_schema = %s and table_name = 'by_day' and grantee = any(%s) order by 1",
            [days.pipeline.name, ["PUBLIC", READERS]],
        ).fetchall()
        kept = connection.execute(f"select cancelled from {days.pipeline.name}_store.by_day order by day".encode())
        assert (rights, kept.fetchall()) == ([("PUBLIC", "SELECT"), (READERS, "SELECT")], [(4,), (None,)])


@pytest.mark.parametrize("by", [("origin", "airline"), ("airline",)])
def test_other_groups_hold_for_the_days_that_are_done_again(days: Days, by: tuple[str, ...]) -> None:
    days.run(FIRST)
    before = len(days.servers.rows(f"select 1 from {days.pipeline.name}.by_origin"))
    summary(days, "by_origin", by=by)
    (told, *_) = meanings(days)
    assert told.startswith(
        f"{days.pipeline.name}.by_origin: one row per day, {', '.join(by)}, before one per day, origin;"
    )
    days.run(SECOND)
    rows = f"select count(*) from {days.pipeline.name}.by_origin where day = '%s'"
    assert days.servers.rows(rows.replace("%s", FIRST)) == [(before,)]
    (count,) = days.servers.rows(rows.replace("%s", SECOND))[0]
    assert int(str(count)) > before
    days.run(FIRST)
    assert days.servers.rows(rows.replace("%s", FIRST)) != [(before,)]


def test_a_reader_who_has_the_view_open_makes_the_change_wait_and_sees_no_half_of_it(days: Days) -> None:
    columns(days, "by_day", without="cancelled")
    days.run(FIRST)
    columns(days, "by_day", more=("cancelled",))
    with owner(days) as reader, ThreadPoolExecutor() as pool:
        with reader.transaction():
            query = f"select * from {days.pipeline.name}.by_day".encode()
            before = reader.execute(query).fetchall()
            running = pool.submit(days.run, SECOND)
            waits = (
                "select count(*) from pg_locks join pg_class on oid = relation where not granted and relname = 'by_day'"
            )
            with owner(days) as other:
                while not running.done() and other.execute(waits).fetchone() == (0,):
                    pass
            assert not running.done()
            assert reader.execute(query).fetchall() == before
        running.result()
        assert len(reader.execute(query).fetchall()) == 2


def rows_of(days: Days, schema: str, view: str = "by_day") -> list[tuple[object, ...]]:
    """Return the days that readers see in a view of a schema."""
    return days.servers.rows(f"select day::text from {schema}.{view} order by 1")


def test_a_new_name_over_the_views_of_another_is_refused_in_words_and_changes_nothing(days: Days) -> None:
    days.run(FIRST)
    before = days.pipeline.name
    days.rename(f"{before}_new")
    said = f"{before}_new: the views of its target schema {before} show the days of another pipeline"
    code, printed = days.command("plan")
    assert code == 40
    assert said in printed
    assert f"by_day those of {before}" in printed
    assert f"if it is this one under its old name, say so in the spec: renamed_from='{before}'" in printed
    with pytest.raises(BadSpec, match=said):
        days.run(FIRST)
    assert rows_of(days, before) == [(FIRST,)]


def test_a_summary_taken_out_keeps_its_view_with_the_days_that_are_not_done_again(days: Days) -> None:
    for day in (FIRST, SECOND):
        days.run(day)
    days.change(summaries=tuple(one for one in days.pipeline.summaries if one.name != "by_origin"))
    days.run(FIRST)
    name = days.pipeline.name
    assert {day for (day,) in rows_of(days, name, "by_origin")} == {SECOND}
    assert rows_of(days, name) == [(FIRST,), (SECOND,)]


def test_another_type_is_refused_by_the_plan_and_by_the_run_and_changes_nothing(days: Days) -> None:
    days.run(FIRST)
    before = seen(days, "distance_mi")
    columns_of = days.pipeline.files[0].columns
    kinds = tuple(
        c.model_copy(update={"kind": "decimal", "digits": 9, "scale": 1} if c.name == "distance_mi" else {})
        for c in columns_of
    )
    days.change(files=(days.pipeline.files[0].model_copy(update={"columns": kinds}),))
    code, printed = days.command("plan")
    assert code == 40
    assert "distance_mi is bigint, numeric(" in printed
    with pytest.raises(BadSpec, match="give the column a new name in the spec"):
        days.run(SECOND)
    assert seen(days, "distance_mi") == before


def test_a_value_that_one_run_set_is_kept_with_the_day_and_no_plan_does_the_day_again(days: Days) -> None:
    days.change(plausible=Plausible(min_rows=1000), may_override=("plausible.min_rows",))
    with pytest.raises(Implausible):
        days.run("2013-01-01")
    lenient = {"plausible.min_rows": 5}
    work = days.servers.work(days.pipeline.overridden(lenient), "2013-01-01", "lenient")
    run_steps(replace(work, overrides=lenient), days.servers)
    code, printed = days.command("why", "2013-01-01")
    assert (code, "plausible.min_rows = 5 for this run" in printed) == (0, True)
    assert days.planned("--to", "2013-01-01") == {"2013-01-01": "skip: nothing changed"}
    # Who sets values asks for a plan by these, whatever the last run had set.
    for value, action in ((5, "skip: nothing changed"), (6, "run: spec changed: summarize")):
        planned = days.planned("--to", "2013-01-01", "--set", f"plausible.min_rows={value}")
        assert planned == {"2013-01-01": action}
    days.change(may_override=())
    assert days.planned("--to", "2013-01-01") == {"2013-01-01": "run: spec changed: summarize"}
