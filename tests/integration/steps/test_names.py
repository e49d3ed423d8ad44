"""Names that mean something to a database, in a file's header and in the warehouse, through all nine steps."""

import zlib
from collections.abc import Iterator
from datetime import date

import psycopg
import pytest
from psycopg import sql

from daybook.spec import File, Measure, Pipeline, Schedule, Summary, Target, day_date, integer, text
from tests.support.servers import Servers, run_steps
from tests.support.warehouse import drop_pipeline

HEADERS = ('x"; drop table y; --', "select", "größe " * 20, 'a"b', "%s", "'; select pg_sleep(9); --")
NAMES = ("select", "table", "user", "order", "null", "from")


@pytest.fixture
def schema(request: pytest.FixtureRequest, servers: Servers) -> Iterator[str]:
    """A schema of the test's own."""
    name = f"grant_{zlib.crc32(request.node.nodeid.encode())}"
    yield name
    with servers.connect_postgres("warehouse") as connection:
        drop_pipeline(connection, name)


def test_G12_headers_and_names_that_are_words_or_attacks_are_only_names(servers: Servers, schema: str) -> None:
    columns = tuple(text(header, name) for header, name in zip(HEADERS, NAMES, strict=True))
    pipeline = Pipeline(
        name=schema,
        description="Odd names",
        files=(
            File(
                name="where",
                connection="ftp",
                path=schema + "/{day}.csv",
                is_written_whole=True,
                columns=(day_date("day", "sold_on"), integer("id", "limit"), *columns),
                key=("limit",),
            ),
        ),
        facts="where",
        day_columns=("sold_on",),
        measures=(Measure(name="count", how="count"), Measure(name="all", how="sum", of="limit")),
        summaries=(Summary(name="group", by=NAMES, columns=("count", "all")),),
        target=Target(schema=schema),
        schedule=Schedule(start=date(2026, 1, 1)),
    )
    folder = servers.ftp.root / schema
    folder.mkdir()
    header = ",".join('"' + name.replace('"', '""') + '"' for name in ("day", "id", *HEADERS))
    (folder / "2026-01-02.csv").write_text(f"{header}\n2026-01-02,1,a,b,c,d,e,f\n2026-01-02,2,a,b,c,d,e,f\n")
    for run in ("first", "second"):
        run_steps(servers.work(pipeline, "2026-01-02", run), servers)
    names = sql.SQL(", ").join(map(sql.Identifier, (*NAMES, "count", "all")))
    with psycopg.connect(servers.postgres.dsn("warehouse", "analyst")) as analyst:
        query = sql.SQL("select {} from {}").format(names, sql.Identifier(schema, "group"))
        assert analyst.execute(query).fetchall() == [("a", "b", "c", "d", "e", "f", 2, 3)]
