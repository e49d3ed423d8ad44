"""`./daybook init NAME --table` asks the database for kinds, key and days; its pipeline publishes what SQL gives."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from commands import exit_codes
from commands.__main__ import main
from commands.draft import place
from daybook.pipelines import load_pipelines
from daybook.spec import Pipeline
from deployment.environment import connections
from tests.support.modules import built
from tests.support.orders import Shop
from tests.support.servers import Servers, run_steps

MADE = (
    "create type init_state as enum ('open', 'paid')",
    "create domain init_euro as numeric(10,2) check (value >= 0)",
    'create table public.init_orders (id bigint primary key, sold_at timestamptz not null, "Unit Price" init_euro, '
    "weight numeric, ratio double precision, state init_state, note text, code char(4), is_gift boolean, sold_on date, "
    'seen_at timestamp, took interval, "select" integer)',
    "create index on public.init_orders (sold_at)",
    "insert into public.init_orders select n, '2026-03-03 22:30+00'::timestamptz + n * interval '1 hour', n * 1.25, "
    "n / 8.0, 0.5, case when n % 2 = 0 then 'open' else 'paid' end::init_state, 'n' || n, 'ab', n % 3 = 0, "
    "'2026-03-04', '2026-03-04', '1 hour', n from generate_series(0, 30) n",
    "create table public.init_secret (id integer, sold_on date)",
    "revoke all on public.init_secret from source_reader",
)


@pytest.fixture
def orders(shop: Shop, servers: Servers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Shop]:
    """A table of orders with odd types, the connection to it in the environment, and another checkout to write into."""
    monkeypatch.setattr(place, "REPOSITORY", tmp_path / "checkout")
    for name, words in connections(servers.postgres, servers.ftp).items():
        monkeypatch.setenv(name, words)
    shop.run(*MADE)
    yield shop
    shop.run("drop table public.init_orders, public.init_secret", "drop domain init_euro", "drop type init_state")


ZONED = ("--day-column", "sold_at", "--time-zone", "Europe/Madrid")


def test_the_kinds_the_key_and_the_day_are_the_database_s_and_the_day_is_published_as_plain_sql_gives_it(
    orders: Shop, servers: Servers, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["init", "shop", "--table", "public.init_orders", *ZONED]) == exit_codes.DONE
    assert "./daybook plan --pipeline shop" in capsys.readouterr().out
    text = (tmp_path / "checkout/include/pipelines/shop.py").read_text()
    pipeline = built(text)
    table = pipeline.tables[0]
    kinds = {column.name: (column.kind, column.scale) for column in table.columns}
    assert kinds == {
        "id": ("integer", 0),
        "sold_at": ("timestamp", 0),
        "unit_price": ("decimal", 2),
        "weight": ("decimal", 3),
        "ratio": ("decimal", 1),
        "state": ("text", 0),
        "note": ("text", 0),
        "code": ("text", 0),
        "is_gift": ("boolean", 0),
        "sold_on": ("date", 0),
        "seen_at": ("timestamp", 0),
        "took": ("text", 0),
        "select_of_file": ("integer", 0),
    }
    assert (table.day, table.key, str(pipeline.schedule.start)) == ("sold_at", ("id",), "2026-03-03")
    assert "an index begins with it" in text
    run_steps(servers.work(pipeline, "2026-03-04", "run"), servers)
    of_day = "(sold_at at time zone 'Europe/Madrid')::date = '2026-03-04'"
    wanted = f'select count(*), sum("Unit Price") from init_orders where {of_day}'
    with orders.reader() as connection:
        rows = connection.execute(wanted.encode()).fetchall()
    assert servers.rows("select rows, unit_price from shop.by_day") == rows == [(24, Decimal("375.00"))]
    check_its_test(pipeline, tmp_path / "checkout/tests/pipelines/shop/one_row.csv", capsys, monkeypatch)


def check_its_test(
    pipeline: Pipeline, row: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Assert that the made-up row of the pipeline's own test is accepted."""
    monkeypatch.setitem(load_pipelines().good, pipeline.name, pipeline)
    assert main(["check", str(row), "--pipeline", f"{pipeline.name}.{pipeline.facts}", "--json"]) == exit_codes.DONE
    assert json.loads(capsys.readouterr().out)["accepted"] == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["public.init_orders"], "say --day-column sold_at or --day-column sold_on or --day-column seen_at"),
        (["public.init_orders", "--day-column", "sold_at"], "say --time-zone Europe/Madrid"),
        (["public.init_orders", "--day-column", "state"], "the column state is no date"),
        (["public.init_order", *ZONED], "public.init_order is not there; did you mean 'public.init_orders'?"),
        (["public.init_secret", *ZONED], "may not read it: grant select on it"),
        (["init_orders"], "expected a table with its schema, such as public.shop"),
        (["public.init_orders", "--delimiter", ";"], "--delimiter is not allowed with --table"),
    ],
)
def test_what_the_table_does_not_say_is_asked_and_a_wrong_name_is_one_line(
    words: list[str], said: str, orders: Shop, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "shop", "--table", *words]) == exit_codes.WRONG_WORDS
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "checkout").exists()
