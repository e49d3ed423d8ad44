"""A pipeline whose runs are processes that a test strikes."""

from tests.support.bench_fixtures import bench, pipeline, processes, published  # noqa: F401 - fixtures
