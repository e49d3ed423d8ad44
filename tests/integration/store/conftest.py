"""An object store for the data folder, and pipelines of each test's own."""

from collections.abc import Iterator

import pytest

from daybook.storage.data_folder import DataFolder
from daybook.transports.data_place import data_at
from tests.integration.steps.conftest import pipeline as pipeline
from tests.support.object_store import ObjectStore

ADDRESS = "s3://files@daybook/in/here"


@pytest.fixture(scope="package")
def one_store() -> Iterator[ObjectStore]:
    """A store for all tests."""
    with ObjectStore("daybook") as store:
        yield store


@pytest.fixture
def store(one_store: ObjectStore) -> Iterator[ObjectStore]:
    """The store, with an empty bucket `daybook`."""
    yield one_store
    one_store.empty()


@pytest.fixture
def in_store(store: ObjectStore) -> DataFolder:
    """The data folder at `in/here` of the bucket, by a connection `files`."""
    return data_at(ADDRESS, {"files": store.words}.__getitem__)
