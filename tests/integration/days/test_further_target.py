"""A second database that follows, as the commands tell of it: what is owed, a rollback, a pipeline that is retired."""

import json
import os

import pytest

from daybook.pipelines import load_pipelines
from tests.support.further import DATABASE, WithFurther, further, make_database

from .conftest import Days

DAY, OTHER = "2013-01-02", "2013-01-03"


def test_the_commands_tell_what_a_target_owes_and_a_rollback_and_a_retirement_reach_it(
    days: Days, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_database(days.servers.postgres)
    second = WithFurther(days.servers.postgres, days.servers.ftp, days.servers.data)
    days.servers = second
    days.run(OTHER)
    days.change(also=(further(days.pipeline.name),))
    target = str(days.pipeline.also[0])
    with second.away():
        days.run(DAY)
    status = days.json("status")
    assert [(debt["day"], debt["export"], debt["tries"]) for debt in status["exports_owed"]] == [(DAY, target, 1)]
    code, told = days.command("status")
    assert code == 1
    assert f"{DAY}: target {target} owes run " in told
    assert "1 export is owed" in told
    assert f"target {target} owes run " in days.command("why", DAY)[1]
    variable = f"AIRFLOW_CONN_{DATABASE.upper()}"
    address = json.dumps(json.loads(os.environ["AIRFLOW_CONN_WAREHOUSE"]) | {"schema": DATABASE})
    assert f"{variable} is not set" in days.command("export")[1]
    monkeypatch.setenv(variable, address)
    code, told = days.command("export", "--from", DAY, "--to", OTHER)
    assert code == 0, told
    assert "nothing is owed" in told
    assert [day for day, _ in second.held(days.pipeline)] == [DAY, OTHER]
    assert f"target {target} sent run " in days.json("why", OTHER)["exports"][0]
    told = days.command("rollback", DAY, "--to", "nothing")[1]
    assert f"target {target}: {target} shows the day no more" in told
    assert [day for day, _ in second.held(days.pipeline)] == [OTHER]
    check_a_target_that_is_out_of_the_spec_is_named_and_removed(days, second, target)
    monkeypatch.delitem(load_pipelines().good, days.pipeline.name)
    monkeypatch.setenv(variable, "postgres://nobody@127.0.0.1:1/analytics")
    code, told = days.command_alone("retire", days.pipeline.name, "--yes")
    assert f"all that the target {target} holds of it" in told
    assert f"the target {target} keeps what it holds: " in told
    monkeypatch.setenv(variable, address)
    told = days.command_alone("retire", days.pipeline.name, "--yes")[1]
    assert f"{target}: dropped the view {days.pipeline.name}.by_day and the table " in told
    with second.connect_postgres(DATABASE) as connection:
        left = "select nspname from pg_namespace where nspname = any(%s)"
        assert connection.execute(left.encode(), [list(days.pipeline.also[0].schemas)]).fetchall() == []
    assert "nothing is left of it" in days.command_alone("retire", days.pipeline.name, "--yes")[1]


def check_a_target_that_is_out_of_the_spec_is_named_and_removed(days: Days, second: WithFurther, target: str) -> None:
    """Check that what the old schema holds is named with the command that removes it, and that the new one stays."""
    name, old = days.pipeline.name, days.pipeline.also
    code, told = days.command_alone("retire", name, "--target", target, "--yes")
    assert (code, "is no target that holds days of" in told) == (2, True), told
    days.change(also=(further(f"{name}_new"),))
    assert days.command("export", OTHER)[0] == 0
    assert f"the target {target} holds days of {name} and follows no more" in days.command_alone("doctor")[1]
    code, told = days.command_alone("retire", name, "--target", target, "--yes")
    assert (code, f"{target}: dropped the view {name}.by_day" in told) == (0, True), told
    assert [day for day, _ in second.held(days.pipeline)] == [OTHER]
    days.change(also=old)
    assert days.command("export", OTHER)[0] == 0
