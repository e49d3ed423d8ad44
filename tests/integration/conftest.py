"""A real pgbouncer before the tests' PostgreSQL, and a real SSH server."""

import os
from collections.abc import Iterator

import pytest

from deployment.servers.postgres import LocalPostgres
from tests.support import pgbouncer, sshd
from tests.support.pgbouncer import Pooled


@pytest.fixture(scope="session")
def pooler_command(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What starts pgbouncer. In CI it has to be there."""
    command = pgbouncer.find(tmp_path_factory.mktemp("pgbouncer"))
    if command is None:
        assert not os.environ.get("CI"), "pgbouncer is not installed, and Debian's package cannot be downloaded"
        pytest.skip("pgbouncer is not installed, and Debian's package cannot be downloaded")
    return command


@pytest.fixture
def pooled(pooler_command: list[str], postgres: LocalPostgres) -> Iterator[Pooled]:
    """The server behind a pooler with three sessions a role."""
    with pgbouncer.running(pooler_command, *(postgres.dsn(*role) for role in pgbouncer.ROLES)) as port:
        yield Pooled(postgres, port)


@pytest.fixture(scope="session")
def sshd_command(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What starts OpenSSH's server. In CI it has to be there."""
    command = sshd.find(tmp_path_factory.mktemp("sshd"))
    if command is None:
        assert not os.environ.get("CI"), "openssh-server is not installed, and Debian's package cannot be downloaded"
        pytest.skip("openssh-server is not installed, and Debian's package cannot be downloaded")
    return command
