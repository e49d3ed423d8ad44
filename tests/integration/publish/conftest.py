"""A pipeline with its servers, its deliveries and its checks."""

from tests.support.bench_fixtures import bench, pipeline, processes, published  # noqa: F401 - fixtures
