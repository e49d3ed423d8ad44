"""Pools that a pipeline names: the message about one that is not there, and the warning at parse."""

import json
import logging

import pytest

from daybook.pipelines import load_pipelines
from daybook.spec import Pools
from daybook_airflow.pools import LIST, missing_pool, warn_of_pools
from deployment.home import REPOSITORY

THERE = ("compute", "default_pool", "ftp", "source_db", "warehouse")
FLIGHTS = load_pipelines().good["flights"]


def test_a_pipeline_whose_pools_are_all_there_has_no_problem() -> None:
    assert missing_pool(FLIGHTS, THERE) == ""


def test_a_pool_that_is_not_there_is_told_with_the_nearest_one_and_the_mend() -> None:
    weather = FLIGHTS.model_copy(update={"name": "weather", "pools": Pools(warehouse="warehuose")})
    assert missing_pool(weather, THERE) == (
        "weather: pools.warehouse: Airflow has no pool 'warehuose'; did you mean 'warehouse'?; there are compute, "
        "default_pool, ftp, source_db, warehouse; mend the spec's `pools`, or make it: `airflow pools set warehuose 2 "
        "'for weather'`"
    )


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
