"""Values that one run may set otherwise: the spec names their paths, and a run's value is checked like the spec's."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from daybook.errors import BadSpec
from daybook.ledger.fingerprint import spec_of
from daybook.spec import Limits, Pipeline, Schedule, decimal
from daybook_airflow.conf import conf_of
from tests.support.sales import sales

PATHS = ("plausible.within_pct", "plausible.min_rows", "sales.limits.refused_rows", "sales.price.maximum")


def pipeline(**words: Any) -> Pipeline:
    """Return sales with a price, of which a run may set some values."""
    plain = sales("shops", Schedule(start=date(2026, 1, 1)))
    file = plain.files[0]
    price = decimal("price", digits=9, scale=2, maximum=Decimal("99.5"))
    file = file.model_copy(update={"columns": (*file.columns, price), "limits": Limits(refused_share=0.25)})
    return sales("shops", plain.schedule, **({"files": (file,), "may_override": PATHS} | words))


def test_a_run_has_its_own_values_and_the_spec_keeps_its() -> None:
    spec = pipeline()
    run = spec.overridden({"plausible.within_pct": 80, "sales.limits.refused_rows": 9, "sales.price.maximum": "120.25"})

    assert (run.plausible.within_pct, run.plausible.min_rows) == (80, spec.plausible.min_rows)
    assert (run.files[0].limits.refused_rows, run.files[0].limits.refused_share) == (9, 0.25)
    assert run.files[0].columns[-1].maximum == Decimal("120.25")
    assert run.files[0].columns[:-1] == spec.files[0].columns[:-1]
    assert spec == pipeline()


def test_only_the_steps_that_use_a_value_have_another_fingerprint() -> None:
    spec = pipeline()
    run = spec.overridden({"sales.price.maximum": 120})
    steps = ("extract_files", "load", "clean", "index", "aggregate", "summarize")

    assert [step for step in steps if spec_of(step, spec) != spec_of(step, run)] == ["clean"]
    assert all(spec_of(step, spec) == spec_of(step, pipeline(may_override=())) for step in steps)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("plausible.days", 9, r"shops: a run may not set 'plausible.days'.*may_override of the spec names plausible"),
        ("plausible.within_pc", 9, "did you mean 'plausible.within_pct'"),
        ("plausible.within_pct", "many", r"Plausible, within_pct: 'many' is refused"),
        ("plausible.within_pct", 0, r"within_pct: 0 is refused"),
        ("sales.limits.refused_rows", -1, r"refused_rows: -1 is refused"),
        ("sales.price.maximum", 10**18, r"maximum: 1000000000000000000 is refused"),
    ],
)
def test_a_path_or_a_value_that_is_wrong_is_refused(path: str, value: object, says: str) -> None:
    with pytest.raises(BadSpec, match=says):
        pipeline().overridden({path: value})


@pytest.mark.parametrize("path", ["plausible.within", "name", "sales.limits", "sales.shop.maximum", "sale.a.minimum"])
def test_a_spec_names_only_what_there_is(path: str) -> None:
    with pytest.raises(BadSpec, match=rf"shops.may_override\[0\]: '{path}' is not a value that a run may set"):
        pipeline(may_override=(path,))


def test_the_conf_has_each_value_under_its_path_and_a_null_is_as_in_the_spec() -> None:
    conf = conf_of({"day": "2026-01-05", "plausible.within_pct": 80, "sales.price.maximum": None})
    assert conf.overrides == {"plausible.within_pct": 80}


def test_the_form_takes_the_kinds_that_the_spec_takes() -> None:
    places = pipeline().places
    assert places["plausible.within_pct"].json_schema == {"anyOf": [{"type": "integer"}, {"type": "null"}]}
    assert places["sales.limits.refused_share"].json_schema == {"type": "number"}
