"""A table of orders in the source database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deployment.servers.postgres import LocalPostgres
from tests.support.orders import TEXT_COLUMNS, Shop


@pytest.fixture
def shop(source: None, postgres: LocalPostgres, tmp_path: Path) -> Iterator[Shop]:
    """The table with two orders."""
    shop = Shop(postgres, tmp_path)
    shop.run(
        f"create table fault_orders ({TEXT_COLUMNS})",
        "insert into fault_orders values (1, 1.50, '2013-01-05 10:00', 'a'), (2, 2.50, '2013-01-05 11:00', null)",
    )
    yield shop
    shop.run("drop table if exists fault_orders cascade")
