"""A database elsewhere is asked over TLS, and one that is not who it says gets no password."""

import json
from functools import partial
from pathlib import Path

import pytest

from commands import connections
from daybook.errors import BadSpec
from daybook.postgres.session import Connection, at_once
from deployment.servers.postgres import LocalPostgres
from tests.support.certificates import Authority

from .tls_front import TlsFront


def ask(postgres: LocalPostgres, monkeypatch: pytest.MonkeyPatch, port: int, ca_file: Path) -> str:
    """Ask who we are, as a task does; the words about TLS stand in the extra of Airflow's connection."""
    login = {"login": "source_reader", "password": postgres.secrets.source_reader, "host": "127.0.0.1", "port": port}
    extra = {"sslmode": "verify-full", "sslrootcert": str(ca_file)}
    stored = {"conn_type": "postgres", "schema": "source", **login, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_ELSEWHERE", json.dumps(stored))

    def do(connection: Connection) -> str:
        assert connection.pgconn.ssl_in_use
        return str(connection.execute("select current_user").fetchone())

    return at_once(partial(connections.postgres, "elsewhere"), do)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority of the test's own."""
    return Authority(tmp_path / "authority")


def test_G11_a_database_elsewhere_is_asked_over_TLS_whose_certificate_is_checked(
    postgres: LocalPostgres, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TlsFront(postgres.port, authority.certificate()) as front:
        assert ask(postgres, monkeypatch, front.port, authority.ca_file) == "('source_reader',)"


@pytest.mark.parametrize("wrong", ["of another host", "of another authority"])
def test_G11_a_certificate_that_is_wrong_is_refused_before_anything_is_said(
    postgres: LocalPostgres, authority: Authority, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wrong: str
) -> None:
    signer = Authority(tmp_path / "other") if wrong == "of another authority" else authority
    certificate = signer.certificate("127.0.0.9" if wrong == "of another host" else "127.0.0.1")
    with (
        TlsFront(postgres.port, certificate) as front,
        pytest.raises(BadSpec, match=r"(certificate|signature).*not tried again; mend the connection"),
    ):
        ask(postgres, monkeypatch, front.port, authority.ca_file)
    assert front.heard == b""


def test_G11_a_server_without_TLS_is_refused_where_TLS_is_asked_for(
    postgres: LocalPostgres, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadSpec, match=r"server does not support SSL.*not tried again; mend the connection"):
        ask(postgres, monkeypatch, postgres.port, authority.ca_file)
