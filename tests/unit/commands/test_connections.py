"""Connections for commands: read from a variable as Airflow reads them, and looked for where Airflow keeps others."""

import json

import pytest
from airflow.sdk import Connection

from commands import connections
from daybook.errors import BadSpec
from daybook_airflow.environment_connections import words_of
from daybook_airflow.kept_connections import names_an_airflow

PARTS = ("conn_type", "host", "port", "schema", "login", "password")


@pytest.mark.parametrize(
    "address",
    [
        "postgres://u:p%40@h:5432/s?sslmode=require",
        "postgresql://u:p@%2Fvar%2Frun/s",
        "ftp://u:p@h?__extra__=%7B%22insecure%22%3A+true%2C+%22n%22%3A+5%7D",
        "http://https://x:y@example.com/a?b=1&c=&d=x%3A%2F%2Fy",
        "http://https%3A%2F%2Fhooks.example.com%2Fpath/",
        "google-cloud-platform://?key_path=%2Fk.json",
        "sftp://u@[::1]:22",
    ],
)
def test_an_address_is_read_as_a_task_reads_it(address: str) -> None:
    task, command = Connection.from_uri(address, "any"), words_of(address)
    assert {part: command.get(part) or None for part in PARTS} == {part: getattr(task, part) or None for part in PARTS}
    assert command["extra"] == task.extra_dejson


def test_a_connection_that_is_nowhere_is_named_with_the_variable_if_no_airflow_is_there_to_ask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AIRFLOW__SECRETS__BACKEND", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", "AIRFLOW_CONN_SHOP"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(BadSpec, match=r"^AIRFLOW_CONN_SHOP is not set; nothing was done; run `\. \.daybook/env` first"):
        connections.dsn("shop")


@pytest.mark.parametrize(
    ("name", "is_one"),
    [
        ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN", True),
        ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_CMD", True),
        ("AIRFLOW__DATABASE__SQL_ALCHEMY_CONN_SECRET", True),
        ("AIRFLOW__SECRETS__BACKEND", True),
        ("AIRFLOW__CORE__EXECUTOR", False),
    ],
)
def test_an_airflow_to_ask_is_one_whose_database_or_secrets_backend_is_named(name: str, is_one: bool) -> None:
    assert names_an_airflow({name: "something"}) == is_one


def test_a_variable_is_read_without_airflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIRFLOW__SECRETS__BACKEND", raising=False)
    words = {"conn_type": "postgres", "host": "h", "port": 5432, "schema": "s", "login": "u", "extra": {"sslmode": "x"}}
    monkeypatch.setenv("AIRFLOW_CONN_SHOP", json.dumps(words))
    assert connections.dsn("shop") == "host=h port=5432 dbname=s user=u sslmode=x"
