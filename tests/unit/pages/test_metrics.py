"""The text of the metrics, read by the parser of Prometheus's own client library."""

from datetime import UTC, date, datetime

from prometheus_client.parser import text_string_to_metric_families

from daybook.ledger.all_pipelines import LastDay
from daybook.pages.metrics import metrics
from daybook.planning.known_pipelines import KnownPipeline, KnownPipelines
from daybook.planning.status import status

DAYS = [date(2026, 1, 1), date(2026, 1, 2)]
HOSTILE = 'a"} 1\n\\evil{x="y"} 2 # <b>\u202e'


def test_a_hostile_name_stays_in_its_label() -> None:
    last = LastDay(DAYS[0], datetime(2026, 1, 2, tzinfo=UTC), 3, 1, {HOSTILE: 2}, {HOSTILE: 10}, {HOSTILE: 0.5})
    known = KnownPipeline(status(DAYS, {DAYS[0]}, set(), (), {}), last, 0)
    text = metrics(KnownPipelines({HOSTILE: known}, {HOSTILE: True}), 0).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    assert {sample.name.partition("_")[0] for sample in samples} == {"daybook"}
    labels = {label for sample in samples for label in sample.labels.values()}
    assert labels == {HOSTILE, "published", "held", "failed", "waiting", "missing"}
    assert [sample.value for sample in samples if sample.name == "daybook_source_bytes"] == [10]


def test_a_pipeline_without_a_published_day_has_days_and_no_figures() -> None:
    known = KnownPipeline(status(DAYS, set(), set(), (), {}), None, 0)
    text = metrics(KnownPipelines({"sales": known}, {"warehouse": True, "away": False}), 2).decode()
    values = {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    expected: dict[tuple[str, ...], float] = {
        ("daybook_modules_broken",): 2,
        ("daybook_ledger_up", "warehouse"): 1,
        ("daybook_ledger_up", "away"): 0,
        ("daybook_days", "sales", "published"): 0,
        ("daybook_days", "sales", "held"): 0,
        ("daybook_days", "sales", "failed"): 0,
        ("daybook_days", "sales", "waiting"): 0,
        ("daybook_days", "sales", "missing"): 2,
        ("daybook_days_rolled_back", "sales"): 0,
        ("daybook_days_tried_since", "sales"): 0,
        ("daybook_exports_owed", "sales"): 0,
    }
    assert values == expected
