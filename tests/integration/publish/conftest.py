"""A pipeline with its servers, its deliveries and its checks."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from deployment.servers.ftp import LocalFtp
from deployment.servers.postgres import LocalPostgres
from tests.support.bench_fixtures import bench, pipeline, processes, published  # noqa: F401 - fixtures
from tests.support.rolled_up import TABLES, Orders
from tests.support.servers import Servers
from tests.support.warehouse import drop_pipeline


@pytest.fixture
def orders(
    request: pytest.FixtureRequest, postgres: LocalPostgres, ftp_server: LocalFtp, tmp_path: Path
) -> Iterator[Orders]:
    """Orders of three weeks, in a schema of the test's own."""
    orders = Orders(Servers(postgres, ftp_server, tmp_path / "data"), f"r{zlib.crc32(request.node.nodeid.encode())}")
    orders.source(TABLES.format(name=orders.name))
    yield orders
    orders.source(f"drop schema {orders.name} cascade")
    with psycopg.connect(postgres.dsn("warehouse", "warehouse_owner")) as connection:
        for name in (orders.name, f"{orders.name}_other"):
            drop_pipeline(connection, name)
