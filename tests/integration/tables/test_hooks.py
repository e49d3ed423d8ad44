"""The sessions of the tasks, as Airflow's hook opens them."""

import json

import pytest

from daybook.postgres.session import LINE_LIMITS
from daybook_airflow import hooks
from deployment.environment import connections
from tests.support.servers import Servers


def test_a_session_of_a_task_has_limits_for_a_server_that_does_not_answer_unless_it_has_its_own(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = json.loads(connections(servers.postgres, servers.ftp)["AIRFLOW_CONN_WAREHOUSE"])
    for extra in ({}, {"connect_timeout": 3}):
        monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({**stored, "extra": extra}))
        with hooks.postgres("warehouse") as session:
            limits = {name: session.info.get_parameters().get(name) for name in LINE_LIMITS}
        assert limits == {name: str(limit) for name, limit in {**LINE_LIMITS, **extra}.items()}
