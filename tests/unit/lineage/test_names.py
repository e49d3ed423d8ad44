"""How a connection and a path become the name of a dataset."""

from typing import Any

import pytest

from daybook.transports.open import KINDS, Stored
from daybook_airflow.lineage.names import SCHEMES, Name, of_file, of_table

CANARY = "canary"


def stored(
    kind: str, host: str | None = "h", port: int | None = None, schema: str | None = None, **extra: Any
) -> Stored:
    return Stored("c", kind, host, port, "ann", CANARY, {"token": CANARY, **extra}, schema)


@pytest.mark.parametrize(
    ("connection", "path", "namespace", "name"),
    [
        (stored("ftp"), "in/{day}.csv", "ftp://h:21", "in/{day}.csv"),
        (stored("ftps", port=990), "/in/{day}.csv", "ftp://h:990", "in/{day}.csv"),
        (stored("sftp"), "a b/ü*.csv", "sftp://h:22", "a b/ü*.csv"),
        (stored("ssh", "fe80::1", 2222), "x", "sftp://[fe80::1]:2222", "x"),
        (stored("https"), "/day/{day}.csv?X-Amz-Signature=canary", "https://h:443", "day/{day}.csv"),
        (stored("http", "h", 8080, insecure=True), "day", "http://h:8080", "day"),
        (stored("https", "ann:canary@h"), "day", "https://h:443", "day"),
        (stored("s3", "bucket", schema="in/here"), "/x.csv", "s3://bucket", "in/here/x.csv"),
        (stored("aws", None, bucket="b"), "x.csv", "s3://b", "x.csv"),
        (stored("fs", None, path="/srv/in"), "/x.csv", "file", "/srv/in/x.csv"),
        (stored("file", None, schema="srv/in"), "x.csv", "file", "/srv/in/x.csv"),
    ],
)
def test_a_file_is_named_by_its_server_and_its_path_and_by_no_secret(
    connection: Stored, path: str, namespace: str, name: str
) -> None:
    assert of_file(connection, path) == Name(namespace, name)


def test_every_type_of_connection_to_files_has_names() -> None:
    assert {*SCHEMES, "fs", "file", "aws", "s3"} == KINDS.keys()


@pytest.mark.parametrize(
    ("connection", "namespace", "database"),
    [
        (stored("postgres", "db", 5433, "shop"), "postgres://db:5433", "shop"),
        (stored("postgres", None), "postgres://localhost:5432", "ann"),
    ],
)
def test_a_table_is_named_by_its_server_database_and_schema(connection: Stored, namespace: str, database: str) -> None:
    assert of_table(connection, 'we"ird', "<b>x") == Name(namespace, f'{database}.we"ird.<b>x')
