"""A further target that is ended half way: its readers see a whole day, and the next try does what was owed."""

from dataclasses import replace

import pytest

from deployment.servers.postgres import LocalPostgres
from tests.support.bench import DAY, NEW, OLD, Bench
from tests.support.further import WithFurther, further, make_database


@pytest.fixture
def following(bench: Bench, postgres: LocalPostgres) -> Bench:
    """A bench whose pipeline a second database follows, with a day published."""
    make_database(postgres)
    servers = WithFurther(bench.servers.postgres, bench.servers.ftp, bench.servers.data)
    also = (further(bench.pipeline.name),)
    following = replace(bench, servers=servers, pipeline=bench.pipeline.model_copy(update={"also": also}))
    following.publish(DAY, "before", OLD)
    return following


@pytest.mark.parametrize(
    ("at", "seen"),
    [
        # The ledger is asked; the day is replaced there; and, after that was committed, it is noted in the ledger.
        ("sql select ledger_id, clock_timestamp()", OLD),
        ("sql insert into published (pipeline, day, run_id, content", OLD),
        ("sql insert into exported", NEW),
    ],
    ids=["asked", "replaced", "noted"],
)
def test_a_further_target_that_is_ended_at_any_moment_is_done_by_the_next_try(
    following: Bench, at: str, seen: int
) -> None:
    second, pipeline = following.servers, following.pipeline
    assert isinstance(second, WithFurther)
    following.deliver(DAY, NEW)
    assert following.do(DAY, "run", last="save")["error"] == ""
    assert following.do(DAY, "run", first="deploy", at=at, how="kill")["exit"] == -9
    query = "select sum(flights)::int from {}.by_day"
    assert second.in_both(query, pipeline) == [[(NEW,)], [(seen,)]]
    assert following.do(DAY, "run", first="deploy")["error"] == ""
    assert second.owed(pipeline) == []
    assert second.in_both(query, pipeline) == [[(NEW,)], [(NEW,)]]
    assert second.held(pipeline) == [(DAY, max(following.run_ids(DAY)))]
    following.check()
