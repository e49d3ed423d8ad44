"""The bench on which the long faults are made."""

from tests.support.bench_fixtures import bench, pipeline, processes, published  # noqa: F401 - fixtures
