"""The day's files in an object store: each is an object, there whole or not at all.

A file is written on this machine's disk first, in a nameless file that is gone with the process, and then put. A link
to a folder is an object `<name>.json` that names it. What is read is copied to such a nameless file too.
"""

import hashlib
import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple, cast

from daybook.errors import BadData, BrokenChain
from daybook.storage.disk import disk_errors
from daybook.storage.folder import Folder, Written, changed, gone
from daybook.storage.partial_file import PartialFile
from daybook.storage.store import Changed, Store, StorePath

# A file up to this size stays in memory.
IN_MEMORY_BYTES = 2**23


class Opened(NamedTuple):
    """A file that was copied here: its bytes, and their hash and number."""

    file: BinaryIO
    written: Written


class StoreFolder(Folder):
    """A folder in an object store. There are no empty folders, and nobody but the store's own rights keeps others out.

    Its methods are those of `Folder`, and raise what a store's methods do (storage/store.py).
    """

    path: StorePath

    def __init__(self, path: StorePath) -> None:
        self.path = path

    def has(self, name: str) -> bool:
        return self._store.look(self._key(name)) is not None

    def exists(self) -> bool:
        return any(True for _ in self._store.names(self.path.below))

    def make_private(self) -> None:
        pass

    def names(self) -> list[str]:
        return sorted(self._store.names(self.path.below))

    def has_folder(self, name: str) -> bool:
        return (self / name).exists()

    def remove(self) -> None:
        self._store.remove(found.key for found in self._store.below(self.path.below))

    def remove_if_empty(self) -> None:
        pass

    def become(self, other: Folder) -> None:
        self._move_below(self.path.below, cast(StoreFolder, other).path.below)

    def move(self, name: str, other: Folder) -> str:
        free = other.free_name(name)
        into = cast(StoreFolder, other)
        if self.has(name):
            self._store.copy(self._key(name), into._key(free))
            self.remove_file(name)
        self._move_below(f"{self._key(name)}/", f"{into._key(free)}/")
        return free

    def _move_below(self, prefix: str, to: str) -> None:
        """Move one object after the other: if it is ended half way, one at most is at both places."""
        for found in list(self._store.below(prefix)):
            self._store.copy(found.key, to + found.key.removeprefix(prefix))
            self._store.remove([found.key])

    def remove_left_over(self) -> None:
        pass

    def left_over(self) -> Iterator[tuple[Folder, str]]:
        yield from ()

    def days_since_written(self) -> float:
        times = [found.written_at.timestamp() for found in self._store.below(self.path.below)]
        return (time.time() - max(times)) / 86_400 if times else 0.0

    @contextmanager
    def new_file(self, name: str, *, is_last: bool = True) -> Iterator[BinaryIO]:
        with _scratch_errors(), tempfile.TemporaryFile() as file:
            yield cast(BinaryIO, file)
            self._store.put(self._key(name), cast(BinaryIO, file))

    def write_first(self, name: str, content: bytes) -> None:
        with suppress(Changed):
            self._store.put(self._key(name), BytesIO(content), instead_of="")

    def write_hint(self, name: str, content: str) -> None:
        self._store.put(self._key(name), BytesIO(content.encode()))

    @property
    def keeps_parts(self) -> bool:
        return False

    @property
    def kept_bytes(self) -> int:
        return 0

    @contextmanager
    def partial_file(self, name: str) -> Iterator[PartialFile]:
        with tempfile.TemporaryDirectory(prefix="daybook-") as scratch:
            part = PartialFile(Path(scratch), name)
            try:
                yield part
                with part.path.open("rb") as file:
                    self._store.put(self._key(name), file)
            except BadData:
                part.path.unlink(missing_ok=True)
                raise
            finally:
                part.close()

    def written(self, name: str) -> Written:
        digest, size_bytes = hashlib.sha256(), 0
        for block in self._store.read(self._key(name)):
            digest.update(block)
            size_bytes += len(block)
        return Written(size_bytes, digest.hexdigest())

    def remove_file(self, name: str) -> None:
        self._store.remove([self._key(name)])

    def take(self, name: str, other: Folder) -> None:
        if self.path != other.path:
            self._store.copy(cast(StoreFolder, other)._key(name), self._key(name))

    def open(self, name: str) -> BinaryIO:
        return self._copied(name).file

    def open_unchanged(self, name: str, sha256: str) -> BinaryIO:
        try:
            opened = self._copied(name)
        except FileNotFoundError:
            raise BrokenChain(gone(self.path / name, sha256)) from None
        if (found := opened.written.sha256) != sha256:
            raise BrokenChain(changed(self.path / name, sha256, found))
        return opened.file

    def _copied(self, name: str) -> Opened:
        """Return a file, copied once and hashed on the way."""
        file: IO[bytes] = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 - the reader's to close
        digest, size_bytes = hashlib.sha256(), 0
        with _scratch_errors():
            for block in self._store.read(self._key(name)):
                digest.update(block)
                size_bytes += file.write(block)
        file.seek(0)
        return Opened(cast(BinaryIO, file), Written(size_bytes, digest.hexdigest()))

    def local_place(self) -> Path | None:
        return None

    def point(self, name: str, target: str) -> None:
        content = f'{{"folder": "{target}"}}\n'
        self._store.put(self._key(f"{name}.json"), BytesIO(content.encode()))

    def pointed_to(self, name: str) -> str:
        try:
            return str(json.loads(self.content(f"{name}.json") or b"")["folder"])
        except (ValueError, LookupError, TypeError):
            # It is not there, or is damaged: the next deployment of the pipeline writes it anew.
            return ""

    def pointers(self) -> list[str]:
        return [name.removesuffix(".json") for name in self.names() if name.endswith(".json")]

    def remove_pointer(self, name: str) -> None:
        self.remove_file(f"{name}.json")

    @property
    def _store(self) -> Store:
        return self.path.store

    def _key(self, name: str) -> str:
        return (self.path / name).key


def _scratch_errors() -> AbstractContextManager[None]:
    return disk_errors(tempfile.gettempdir())
