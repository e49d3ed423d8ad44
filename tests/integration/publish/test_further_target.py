"""Further targets: another database shows its readers what those of the warehouse see, once it can be reached."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

import pytest
from upath import UPath

from daybook.ledger.exports import owed_of, told
from daybook.postgres.session import at_once
from daybook.publish.belongings import belongings
from daybook.publish.exports import Exporter, ask_again
from daybook.publish.rollback import rollback, take_back
from daybook.spec import CleanRows, Pipeline, Summary, Target
from daybook.storage.data_folder import DataFolder
from deployment.servers.postgres import LocalPostgres
from tests.support.bench import DAY, Bench
from tests.support.further import WithFurther, further, make_database
from tests.support.rolled_up import BY_MONTH, BY_WEEK, COLUMNS, DAYS, Orders
from tests.support.runner import do_steps

OTHER_DAY = "2013-01-06"
BY_SHOP = Summary(name="by_shop", by=("shop",), columns=COLUMNS[:3], description="Each day's shops")
COMMENTS = (
    "select objsubid, description from pg_description where objoid = '{}.by_shop'::regclass "
    "and classoid = 'pg_class'::regclass order by 1"
)


@pytest.fixture
def following(bench: Bench, postgres: LocalPostgres) -> Bench:
    """A bench whose pipeline a second database follows."""
    make_database(postgres)
    servers = WithFurther(bench.servers.postgres, bench.servers.ftp, bench.servers.data)
    also = (further(f"{bench.pipeline.name}_copy"),)
    return replace(bench, servers=servers, pipeline=bench.pipeline.model_copy(update={"also": also}))


@pytest.fixture
def second(following: Bench) -> WithFurther:
    """Its servers."""
    assert isinstance(following.servers, WithFurther)
    return following.servers


def pay(bench: Bench) -> list[str]:
    """Pay what is owed; return what was done, "" for each that failed."""
    return [exporter(bench).pay(owed) for owed in exporter(bench).owed()]


def exporter(bench: Bench) -> Exporter:
    """Return what the command pays debts with."""
    servers = bench.servers
    data, warehouse = DataFolder(UPath(f"file://{servers.data}")), partial(servers.connect_postgres, "warehouse")
    return Exporter(bench.pipeline, data, warehouse, servers.connect_ftp, servers.connect_postgres)


def in_warehouse(bench: Bench, do: Callable[..., Any], *words: Any) -> Any:
    """Do something in a session with the warehouse."""
    return at_once(partial(bench.servers.connect_postgres, "warehouse"), lambda session: do(session, *words))


def same_rows(second: WithFurther, pipeline: Pipeline, names: list[str]) -> int:
    """Check that readers of both databases see the same; return how many rows."""
    seen = 0
    for name in names:
        here, there = second.in_both(f"select * from {{}}.{name} t order by t::text", pipeline)
        assert there == here
        seen += len(here)
    return seen


def test_a_second_database_shows_the_same_views_rows_roll_ups_and_comments(
    orders: Orders, postgres: LocalPostgres
) -> None:
    make_database(postgres)
    second = WithFurther(postgres, orders.servers.ftp, orders.servers.data)
    also = (further(orders.name),)
    words = {"also": also, "clean_rows": CleanRows(name="paid_orders")}
    pipeline = orders.pipeline(BY_SHOP, BY_WEEK, BY_MONTH, **words)
    orders = replace(orders, servers=second)
    orders.run(pipeline, *DAYS[:-1])
    names = [view.name for view in pipeline.views]
    assert second.owed(pipeline) == []
    assert same_rows(second, pipeline, names) > 100
    columns = "select table_name, column_name, data_type from information_schema.columns where table_schema = '{}'"
    here, there = second.in_both(f"{columns} order by table_name, ordinal_position", pipeline)
    assert there == here
    here, there = second.in_both(COMMENTS, pipeline)
    assert there == here
    assert (0, "Each day's shops") in there
    # The spec renames one, and another day is published: days of before are there under the new name.
    renamed = BY_SHOP.model_copy(update={"name": "by_place", "renamed_from": "by_shop"})
    pipeline = orders.pipeline(renamed, BY_WEEK, BY_MONTH, **words)
    orders.run(pipeline, DAYS[-1])
    assert same_rows(second, pipeline, ["by_place", "by_week", "by_month", "paid_orders"]) > 100


def test_a_target_that_is_away_leaves_the_day_published_and_is_paid_when_it_is_back(
    following: Bench, second: WithFurther
) -> None:
    target = str(following.pipeline.also[0])
    with second.away():
        following.publish(DAY, "run_1", 40)
        assert following.seen(DAY)[0] == 40
        ((day, name, run_id, tries, error),) = second.owed(following.pipeline)
        assert (day, name, tries) == (DAY, target, 1)
        assert f"the target {target}" in error
        (owed,) = in_warehouse(following, owed_of, following.pipeline)
        assert f"target {target} owes run {run_id} since" in str(owed)
    # The next deployment of any day pays it.
    following.publish(OTHER_DAY, "run_1", 30)
    assert second.owed(following.pipeline) == []
    assert [day for day, _ in second.held(following.pipeline)] == [DAY, OTHER_DAY]
    assert same_rows(second, following.pipeline, ["by_day", "by_airline"]) > 2
    (sentence,) = in_warehouse(following, told, following.pipeline, date.fromisoformat(DAY))
    assert f"target {target} sent run {run_id} at " in sentence
    following.check()


def test_a_rollback_follows_and_a_day_that_is_taken_back_goes_and_comes_back(
    following: Bench, second: WithFurther
) -> None:
    for rows in (40, 41):
        following.publish(DAY, f"run_{rows}", rows)
    pipeline, day, data = following.pipeline, date.fromisoformat(DAY), exporter(following).data
    older, newer = following.run_ids(DAY)
    in_warehouse(following, rollback, pipeline, day, data, "ann", "wrong prices")
    (told,) = pay(following)
    assert f"of run {older} sent to" in told
    assert second.held(pipeline) == [(DAY, older)]
    assert same_rows(second, pipeline, ["by_day", "by_airline"]) > 1
    in_warehouse(following, take_back, pipeline, day, "ann", "all wrong")
    (owed,) = in_warehouse(following, owed_of, pipeline)
    assert "has to lose the day, which was taken back, owed since" in str(owed)
    (told,) = pay(following)
    assert "shows the day no more" in told
    assert second.in_both("select * from {}.by_day", pipeline) == [[], []]
    in_warehouse(following, rollback, pipeline, day, data, "ann", "right", newer)
    pay(following)
    assert second.held(pipeline) == [(DAY, newer)]
    assert same_rows(second, pipeline, ["by_day", "by_airline"]) > 1


def test_the_same_content_is_not_sent_twice_unless_a_person_asks(following: Bench, second: WithFurther) -> None:
    following.publish(DAY, "run_1", 40)
    pipeline, run_ids = following.pipeline, following.run_ids(DAY)
    following.publish(DAY, "run_2", 40)
    work = second.work(pipeline, DAY, "run_3", is_forced=True)
    owed_again = partial(in_warehouse, following, ask_again, pipeline, [work.day])
    do_steps(work)
    assert second.held(pipeline) == [(DAY, run_ids[0])]
    with second.connect_postgres("analytics") as connection:
        connection.execute(f"delete from {pipeline.also[0].store}.by_day".encode())
    assert owed_again() == [work.day]
    (told,) = pay(following)
    assert "sent to" in told
    assert same_rows(second, pipeline, ["by_day", "by_airline"]) > 1


def test_an_answer_that_the_ledger_gave_earlier_never_replaces_a_later_one(
    following: Bench, second: WithFurther
) -> None:
    following.publish(DAY, "run_1", 40)
    pipeline, held = following.pipeline, second.held(following.pipeline)
    with second.connect_postgres("analytics") as connection:
        connection.execute(f"update {pipeline.also[0].state}.published set as_of = now() + interval '1 hour'".encode())
    following.publish(DAY, "run_2", 41)
    assert second.held(pipeline) == held
    assert second.owed(pipeline) == []


def test_a_schema_that_follows_another_daybook_is_left_as_it_is(following: Bench, second: WithFurther) -> None:
    following.publish(DAY, "run_1", 40)
    pipeline, held = following.pipeline, second.held(following.pipeline)
    followed = f"{pipeline.also[0].state}.followed"
    with second.connect_postgres("analytics") as connection:
        connection.execute(f"update {followed} set ledger_id = gen_random_uuid()".encode())
    following.publish(DAY, "run_2", 41)
    ((*_, error),) = second.owed(pipeline)
    assert f"{pipeline.also[0]} shows the days of another Daybook's ledger; nothing was changed" in error
    assert second.held(pipeline) == held
    with second.connect_postgres("analytics") as connection:
        connection.execute(f"delete from {followed}".encode())
    assert all(pay(following))
    assert same_rows(second, pipeline, ["by_day"]) == 1


def test_a_schema_with_views_of_something_else_is_left_as_it_is(following: Bench, second: WithFurther) -> None:
    # The place that the warehouse itself publishes to, under another name; and, below, a schema beside it.
    name = following.pipeline.name
    alias = following.pipeline.model_copy(update={"also": (Target(connection="alias", schema=name),)})
    bench = replace(following, pipeline=alias)
    bench.publish(DAY, "run_1", 40)
    ((*_, error),) = second.owed(alias)
    assert f"has a view {name}.by_airline already, which does not show its days from here" in error
    assert bench.rows("select sum(flights)::int from {}.by_day") == [(40,)]
    beside = following.pipeline.model_copy(update={"also": (Target(connection="alias", schema=f"{name}_2"),)})
    bench = replace(following, pipeline=beside)
    bench.publish(DAY, "run_2", 41)
    assert [debt.export for debt in in_warehouse(bench, owed_of, beside)] == []
    query = f"select flights from {name}_2.by_day"
    assert second.rows(query) == bench.rows("select flights from {}.by_day") == [(41,)]
    found = in_warehouse(bench, belongings, exporter(bench).data, name)
    assert {place.schema for place in found.places} == {name}
    with second.connect_postgres("alias") as connection:
        for schema in beside.also[0].schemas:
            connection.execute(f"drop schema {schema} cascade".encode())
    bench.check()
