"""Pools that a pipeline names: the message about one that is not there, and the warning at parse."""

import json
import logging
import shlex
from pathlib import Path

import pytest

from daybook.pipelines import load_pipelines
from daybook.spec import Pools
from daybook_airflow.pools import LIST, missing_pools, warn_of_pools
from deployment.home import REPOSITORY

THERE = ("compute", "default_pool", "ftp", "source_db", "warehouse")
FLIGHTS = load_pipelines().good["flights"]


def test_a_pipeline_whose_pools_are_all_there_has_no_problem() -> None:
    assert missing_pools(FLIGHTS, THERE) == []


def test_a_pool_that_is_not_there_is_told_with_the_nearest_one_and_the_mend() -> None:
    weather = FLIGHTS.model_copy(update={"name": "weather", "pools": Pools(warehouse="warehuose")})
    assert missing_pools(weather, THERE) == [
        "weather: pools.warehouse: Airflow has no pool 'warehuose'; did you mean 'warehouse'?; there are compute, "
        "default_pool, ftp, source_db, warehouse; mend the spec's `pools`, or make it: `airflow pools set warehuose 2 "
        "'for weather'`"
    ]


def test_each_pool_that_is_not_there_is_told_once_with_a_command_that_a_shell_takes() -> None:
    pools = Pools(source_db="one's own", ftp="one's own", compute="b")
    first, second = missing_pools(FLIGHTS.model_copy(update={"pools": pools}), THERE, shell_file=Path("a folder/env"))
    assert first.startswith('flights: pools.source_db: Airflow has no pool "one\'s own"')
    assert second.startswith("flights: pools.compute: Airflow has no pool 'b'")
    command = first.split("`")[-2]
    read, made = command.split(" && ")
    assert shlex.split(read) == [".", "a folder/env"]
    assert shlex.split(made) == ["airflow", "pools", "set", "one's own", "2", "for flights"]


def test_the_list_of_the_parse_is_the_one_that_is_made() -> None:
    assert LIST == REPOSITORY / "config" / "pools.json"
    assert set(json.loads(LIST.read_text())) == set(Pools().model_dump().values())


@pytest.mark.parametrize(("pools", "warned"), [(Pools(), []), (Pools(ftp="supplier_ftp"), ["supplier_ftp"])])
def test_a_pool_that_is_not_in_the_list_is_a_warning_at_parse(
    pools: Pools, warned: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        warn_of_pools(FLIGHTS.model_copy(update={"pools": pools}))
    said = [record.getMessage() for record in caplog.records]
    assert [pool for pool in warned if f"config/pools.json has no pool {pool!r}" in said[0]] == warned
    assert len(said) == len(warned)
