"""Tables from PostgreSQL from which a policy hides rows, or which fail by themselves: said, and never read in part."""

import psycopg
import pytest

from daybook.errors import BadData, BadSpec, SourceUnavailable
from daybook.postgres.session import at_once
from daybook.spec import Table, integer
from deployment.servers.postgres import LocalPostgres
from tests.support.orders import ORDERS, Shop, refused

VIEW = "create view fault_view as select {} as id from fault_orders; grant select on fault_view to source_reader"


@pytest.fixture
def hidden(shop: Shop) -> Shop:
    """The table of two orders, of which a policy hides one from the tasks."""
    shop.run(
        "alter table fault_orders enable row level security", "create policy own on fault_orders using (note = 'a')"
    )
    return shop


def test_case_50_a_table_from_which_a_policy_hides_rows_is_refused_with_the_right_that_is_missing(hidden: Shop) -> None:
    with refused(BadSpec, '"fault_orders"', "row level security hides rows from this role", "BYPASSRLS"):
        hidden.copy()
    assert not hidden.path.exists()


def test_a_view_that_reads_such_a_table_with_the_rights_of_its_reader_is_refused(hidden: Shop) -> None:
    hidden.run(
        "create view fault_view with (security_invoker) as select * from fault_orders",
        "grant select on fault_view to source_reader",
    )
    with refused(BadSpec, '"fault_orders"', "BYPASSRLS"):
        hidden.copy(ORDERS.model_copy(update={"relation": "public.fault_view"}))


def test_a_view_whose_owner_sees_all_rows_is_read_whole(hidden: Shop) -> None:
    hidden.run(VIEW.format("id"))
    assert hidden.copy(view()) == ["id", "1", "2"]


def test_a_role_that_no_policy_binds_reads_all_rows(hidden: Shop, postgres: LocalPostgres) -> None:
    with psycopg.connect(postgres.dsn("source"), autocommit=True) as superuser:
        superuser.execute("alter role source_reader bypassrls")
        try:
            assert len(hidden.copy()) == 3
        finally:
            superuser.execute("alter role source_reader nobypassrls")


def test_the_warehouse_refuses_too_to_hide_rows_from_the_tasks(hidden: Shop) -> None:
    hidden.run("alter table fault_orders force row level security")
    with refused(BadSpec, "the warehouse", "BYPASSRLS"):
        at_once(hidden.owner, lambda session: session.execute("select count(*) from public.fault_orders"))


def view() -> Table:
    """Return the view with one integer."""
    return Table(name="orders", connection="source_db", relation="public.fault_view", columns=(integer("id"),))


@pytest.mark.parametrize(
    ("id", "says"),
    [
        ("id / (id - 2)", "DivisionByZero 22012"),
        ("('canary' || note)::int", "InvalidTextRepresentation 22P02"),
        ("(select id from fault_orders)", "CardinalityViolation 21000"),
        ("id * 2000000000", "NumericValueOutOfRange 22003"),
    ],
)
def test_case_53_a_view_that_fails_is_named_as_the_sources_own(shop: Shop, id: str, says: str) -> None:
    shop.run(VIEW.format(id))
    with refused(BadData, "the source database: public.fault_view fails", says, "in the source"):
        shop.copy(view())
    assert not shop.path.exists()


def raising(state: str) -> str:
    """Return a function that raises an error of that state."""
    return (
        "create or replace function fault_raise() returns int language plpgsql as "
        f"$$ begin raise exception 'canary' using errcode = '{state}'; end $$"
    )


@pytest.mark.parametrize("state", ["P0001", "45000", "38000"])
def test_case_53_an_exception_of_a_views_own_function_is_the_sources(shop: Shop, state: str) -> None:
    shop.run(raising(state), VIEW.format("fault_raise()"))
    with refused(BadData, "public.fault_view fails", state):
        shop.copy(view())


@pytest.mark.parametrize("state", ["40001", "40P01"])
def test_case_54_a_replica_that_cancels_for_its_recovery_is_tried_again(shop: Shop, state: str) -> None:
    tries: list[int] = []

    def connect() -> psycopg.Connection[tuple[object, ...]]:
        tries.append(1)
        return shop.reader()

    shop.run(raising(state), VIEW.format("fault_raise()"))
    with pytest.raises(SourceUnavailable, match=f"{state}.*nothing was kept of it"):
        shop.copy(view(), connect=connect)
    assert len(tries) == 3
