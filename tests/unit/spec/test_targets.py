"""Further targets of a spec: each is a place of its own, and changes no step."""

import pytest

from daybook.errors import BadSpec
from daybook.ledger.fingerprint import FINGERPRINTED_STEPS, fingerprint
from daybook.pipelines import load_pipelines
from daybook.spec import Pipeline, Target

FLIGHTS = load_pipelines().good["flights"]


def flights(*also: Target) -> Pipeline:
    """Return the flights pipeline with further targets."""
    words = {name: getattr(FLIGHTS, name) for name in Pipeline.model_fields}
    return Pipeline(**{**words, "target": Target(schema="flights"), "also": also})


@pytest.mark.parametrize(
    ("also", "told"),
    [
        ((Target(schema="flights"),), r"also\[0\]: warehouse.flights is refused: target has the schema flights"),
        ((Target(schema="flights_store"),), r"also\[0\]: warehouse.flights_store is refused: target has the schema"),
        ((Target(connection="a", schema="x"),) * 2, r"also\[1\]: a.x is refused: also\[0\] has the schema x, x_state"),
        (
            (Target(connection="postgres://h/db", schema="x"),),
            r"also\[0\].connection: .* it takes the id of",
        ),
        ((Target(connection="", schema="x"),), r"also\[0\].connection: '' is refused"),
    ],
)
def test_a_further_target_that_is_no_place_of_its_own_is_refused(also: tuple[Target, ...], told: str) -> None:
    with pytest.raises(BadSpec, match=told):
        flights(*also)


def test_a_further_target_changes_no_fingerprint() -> None:
    changed = flights(Target(schema="copy"), Target(connection="analytics", schema="flights"))
    for step in FINGERPRINTED_STEPS:
        assert fingerprint(step, changed) == fingerprint(step, flights())
    assert "also" not in flights().model_dump()
