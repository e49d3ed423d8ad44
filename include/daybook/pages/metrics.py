"""The metrics of all pipelines, as Prometheus reads them: gauges in its text format, by its own client library."""

from collections.abc import Iterator, Mapping

from prometheus_client import Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

from daybook.planning.known_pipelines import KnownPipeline, KnownPipelines

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
# Each day of the schedule that is over is in one of these; one that a person took back is in none.
STATES = ("published", "held", "failed", "waiting", "missing")


def metrics(known: KnownPipelines, broken: int) -> bytes:
    """Return the metrics as text. broken: how many modules of pipelines do not load."""
    return generate_latest(_Gauges(known, broken))


class _Gauges(Collector):
    def __init__(self, known: KnownPipelines, broken: int) -> None:
        self._known, self._broken = known, broken

    def collect(self) -> Iterator[Metric]:
        yield GaugeMetricFamily("daybook_modules_broken", "Modules of pipelines that do not load.", self._broken)
        answered: dict[tuple[str, ...], float] = {
            (connection,): int(is_so) for connection, is_so in self._known.answered.items()
        }
        yield _gauge("daybook_ledger_up", "Whether the ledger answered.", ("connection",), answered)
        for name, words, label, values in _OF_PIPELINES:
            found: dict[tuple[str, ...], float] = {
                (pipeline, *([of] if label else [])): value
                for pipeline, known in self._known.pipelines.items()
                for of, value in values(known).items()
            }
            yield _gauge(name, words, ("pipeline", *([label] if label else [])), found)


def _gauge(name: str, words: str, labels: tuple[str, ...], values: Mapping[tuple[str, ...], float]) -> Metric:
    gauge = GaugeMetricFamily(name, words, labels=labels)
    for names, value in values.items():
        gauge.add_metric(names, value)
    return gauge


def _days(known: KnownPipeline) -> dict[str, float]:
    return {state: len(getattr(known.status, state)) for state in STATES}


def _rolled_back(known: KnownPipeline) -> dict[str, float]:
    return {"": len(known.status.rolled_back)}


def _tried_since(known: KnownPipeline) -> dict[str, float]:
    return {"": len(known.status.tried_since)}


def _lag(known: KnownPipeline) -> dict[str, float]:
    return {} if known.status.lag_days is None else {"": known.status.lag_days}


def _exports_owed(known: KnownPipeline) -> dict[str, float]:
    return {"": known.exports_owed}


def _published_at(known: KnownPipeline) -> dict[str, float]:
    return {"": known.last.published_at.timestamp()} if known.last else {}


def _rows_read(known: KnownPipeline) -> dict[str, float]:
    return {"": known.last.rows_read} if known.last else {}


def _rows_refused(known: KnownPipeline) -> dict[str, float]:
    return {"": known.last.rows_refused} if known.last else {}


def _rows(known: KnownPipeline) -> Mapping[str, float]:
    return known.last.rows if known.last else {}


def _size_bytes(known: KnownPipeline) -> Mapping[str, float]:
    return known.last.size_bytes if known.last else {}


def _seconds(known: KnownPipeline) -> Mapping[str, float]:
    return known.last.seconds if known.last else {}


# The name, its help, its label beside `pipeline`, and its values by that label.
_OF_PIPELINES = (
    ("daybook_days", "Days of the schedule that are over, by what became of them.", "state", _days),
    ("daybook_days_rolled_back", "Days on which a rollback stands.", "", _rolled_back),
    ("daybook_days_tried_since", "Published days whose last try failed or was held.", "", _tried_since),
    ("daybook_lag_days", "How far the last published day is behind the last one due.", "", _lag),
    ("daybook_exports_owed", "Exports of days that are still to be done.", "", _exports_owed),
    ("daybook_published_timestamp_seconds", "When the last published day was published.", "", _published_at),
    ("daybook_rows_read", "Rows of the facts that were read for the last published day.", "", _rows_read),
    ("daybook_rows_refused", "Rows of all sources that were refused of the last published day.", "", _rows_refused),
    ("daybook_rows_published", "Rows of a summary for the last published day.", "summary", _rows),
    ("daybook_source_bytes", "Size of what was copied of a source for the last published day.", "source", _size_bytes),
    ("daybook_step_seconds", "How long a step of the last published day took.", "step", _seconds),
)
