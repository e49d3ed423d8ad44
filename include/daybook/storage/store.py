"""What a data folder asks of an object store, and a place in one. transports/s3_store.py answers it by S3's API.

An object is there whole or not at all, and its tag names its exact bytes. A condition goes along with a put where the
first writer, or whoever saw the last state, wins: the store itself decides, whoever else writes at the same time.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import BinaryIO, NamedTuple, Protocol


class Changed(Exception):
    """The store did not take an object: meanwhile another one is under this key, or none any more."""


class StoredObject(NamedTuple):
    """What a store says of an object. tag: changes with its bytes."""

    key: str
    size_bytes: int
    tag: str
    written_at: datetime


class Upload(NamedTuple):
    """A large object that is sent in parts and not whole yet; nobody sees it, and its parts take room."""

    key: str
    number: str
    began_at: datetime


class Store(Protocol):
    """An object store. Each method raises SourceUnavailable if it does not answer, BadSpec if it refuses us."""

    @property
    def address(self) -> str:
        """Return what stands before a key in messages, such as s3://bucket/."""

    def look(self, key: str) -> StoredObject | None:
        """Return what the store says of an object, or None if there is none."""

    def read(self, key: str) -> Iterator[bytes]:
        """Yield the bytes of an object, all of one state. Raises FileNotFoundError if there is none."""

    def put(self, key: str, content: BinaryIO, instead_of: str | None = None) -> None:
        """Write an object from a file, from where it stands.

        instead_of: the tag of the object that is there now, "" if there must be none; raises Changed if it is not so.
        """

    def copy(self, key: str, to: str) -> None:
        """Copy an object, within the store. Raises FileNotFoundError if there is none."""

    def remove(self, keys: Iterable[str]) -> None:
        """Remove objects, if they are there."""

    def below(self, prefix: str) -> Iterator[StoredObject]:
        """Yield all objects whose key begins so, in the order of their keys."""

    def names(self, prefix: str) -> Iterator[str]:
        """Yield what comes after the prefix, up to the next "/", once each."""

    def uploads(self, prefix: str) -> Iterator[Upload]:
        """Yield the uploads that were begun and neither finished nor given up."""

    def give_up(self, upload: Upload) -> None:
        """Remove the parts of an upload."""


class StorePath(NamedTuple):
    """A place in a store, written and joined as a path is. key: "" for its top."""

    store: Store
    key: str

    def __truediv__(self, name: str) -> "StorePath":
        return StorePath(self.store, f"{self.key}/{name}" if self.key else name)

    def __str__(self) -> str:
        return self.store.address + self.key

    @property
    def name(self) -> str:
        """Return the last part."""
        return self.key.rpartition("/")[2]

    @property
    def below(self) -> str:
        """Return what the keys of all that is in this folder begin with."""
        return f"{self.key}/" if self.key else ""

    @property
    def parents(self) -> list["StorePath"]:
        """Return the folders above it, the nearest first."""
        parts = self.key.split("/") if self.key else []
        return [StorePath(self.store, "/".join(parts[:count])) for count in reversed(range(len(parts)))]
