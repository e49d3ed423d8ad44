"""Files of an object store that speaks S3's API: asked about by HEAD, copied by GET, from any byte on by Range.

An ETag names the exact content of an object. It goes along with every request that copies (If-Match), so that no two
pieces of a file are ever of two contents. A folder is what the keys before a "/" have in common.
"""

import hashlib
import posixpath
from base64 import b64encode
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, closing
from functools import partial
from itertools import islice
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple, Self

from botocore.exceptions import ClientError

from daybook.errors import BadSpec
from daybook.ftp.listing import NO_LISTING, Listing, Remote
from daybook.ftp.replies import NotThere
from daybook.transports.s3_errors import RIGHTS_TO_READ, RIGHTS_TO_WRITE, code_of, status_of, translated_errors

# A block that breaks is lost.
BLOCK_BYTES = 64 * 1024
# In the folder of a file that is not there, names near to it are looked for among so many.
MOST_NEIGHBOURS = 10_000


class Place(NamedTuple):
    """A bucket, and what stands before a path of the spec in it: "" or a folder with its "/"."""

    bucket: str
    prefix: str

    @property
    def address(self) -> str:
        """Return it as people write it."""
        return f"s3://{self.bucket}/{self.prefix}"


class S3Line:
    """A client at work, both the line and its session (ftp/session.py says what they do)."""

    names_encoding = "utf-8"
    writes_whole = True

    def __init__(self, client: Any, place: Place, secrets: tuple[str, ...]) -> None:
        self._client, self._place, self._secrets = client, place, secrets
        self._name, self._is_open = place.address, True
        # The ETag of each file at the last look.
        self._tags: dict[str, str] = {}
        self.last_listing: Listing = NO_LISTING

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    @property
    def sock(self) -> object:
        """Return None if the client is closed."""
        return self._client if self._is_open else None

    @property
    def is_encrypted(self) -> bool:
        """Return whether all goes over TLS."""
        return bool(self._client.meta.endpoint_url.startswith("https:"))

    def session(self, name: str, time_limit_s: float) -> "S3Line":
        """Begin a session. name: its name in messages. The time limit is the one that the client was opened with."""
        self._name = name
        return self

    def greet(self) -> None:
        """Ask the store for a first name. Raises Broken or BadSpec if it is not there, or refuses us or the bucket."""
        with translated_errors(self._name, self._secrets):
            try:
                self._client.list_objects_v2(Bucket=self._place.bucket, Prefix=self._place.prefix, MaxKeys=1)
            except ClientError as error:
                # We may be allowed to read files only.
                if code_of(error) != "AccessDenied":
                    raise

    def close(self) -> None:
        """End all connections to the store."""
        self._is_open = False
        self._client.close()

    def look(self, path: str) -> Remote:
        """Return what the store says about a file. Raises NotThere if it has none."""
        try:
            with self._translated_errors(path):
                found = self._head(path)
        except NotThere:
            self._look_around(path)
            raise
        self._tags[path] = found.get("ETag", "")
        return Remote(found["ContentLength"], _time(found), content_id=self._tags[path])

    def names(self, folder: str) -> Iterable[str]:
        """Return the names of the files in a folder. Raises BadSpec if we may not list it."""
        return self._list(folder).files

    def is_listed(self, path: str) -> bool:
        """Return whether the listing of its folder shows the file."""
        return posixpath.basename(path) in self._list(posixpath.dirname(path)).files

    def retrieve(self, path: str, start: int, take: Callable[[bytes], None]) -> None:
        """Copy a file from byte `start` to its end, block by block, if it is still the one of the last look.

        Raises CannotResume if the store does not start there, NotThere if it does not have the file; Broken if it is
        another one.
        """
        with self._translated_errors(path), closing(self._opened(path, start)) as body:
            while block := body.read(BLOCK_BYTES):
                take(block)

    def make_folder(self, folder: str) -> None:
        """Do nothing: a folder is what keys have in common."""

    def store(self, path: str, content: BinaryIO) -> None:
        """Write a file, which is there whole or not at all. Raises BadSpec if the store does not take it."""
        # Every store takes this sum, and refuses what arrives otherwise.
        md5 = b64encode(hashlib.file_digest(content, partial(hashlib.md5, usedforsecurity=False)).digest()).decode()  # type: ignore[arg-type]
        content.seek(0)
        with self._translated_errors(path, RIGHTS_TO_WRITE):
            self._client.put_object(**self._object(path), Body=content, ContentMD5=md5)

    def replace(self, path: str, new: str) -> None:
        """Raise NotImplementedError: nothing is stored under another name first."""
        raise NotImplementedError

    def remove(self, path: str) -> None:
        """Remove a file, if it is there."""
        with self._translated_errors(path, RIGHTS_TO_WRITE):
            self._client.delete_object(**self._object(path))

    def _opened(self, path: str, start: int) -> Any:
        tag = self._tags.get(path)
        same = {"IfMatch": tag} if tag else {}
        part = {"Range": f"bytes={start}-"} if start else {}
        return self._client.get_object(**self._object(path), **same, **part)["Body"]

    def _head(self, path: str) -> dict[str, Any]:
        try:
            found: dict[str, Any] = self._client.head_object(**self._object(path))
        except ClientError as error:
            if status_of(error) != "404":
                # An answer to HEAD has no words. The same question by GET says why it is refused.
                self._client.get_object(**self._object(path), Range="bytes=0-0")["Body"].close()
            raise
        return found

    def _look_around(self, path: str) -> None:
        try:
            self._list(posixpath.dirname(path), MOST_NEIGHBOURS)
        except BadSpec:
            # We may be allowed to read files only.
            self.last_listing = NO_LISTING

    def _list(self, folder: str, most: int | None = None) -> Listing:
        """Return what lies in a folder. most: names at most."""
        with self._translated_errors(folder):
            self.last_listing = Listing(dict(islice(self._pages(folder), most)))
        return self.last_listing

    def _pages(self, folder: str) -> Iterable[tuple[str, Remote]]:
        before = self._key(f"{folder.rstrip('/')}/" if folder.strip("/") else "")
        pages = self._client.get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self._place.bucket, Prefix=before, Delimiter="/"):
            for found in page.get("Contents", ()):
                # An object with the folder's own name stands for a folder without files.
                if name := found["Key"][len(before) :]:
                    yield name, Remote(found["Size"], _time(found))

    def _object(self, path: str) -> dict[str, str]:
        return {"Bucket": self._place.bucket, "Key": self._key(path)}

    def _key(self, path: str) -> str:
        if ".." in path.split("/"):
            raise BadSpec(
                f"{self._name}: {path}: the path leads out of its folder, and a bucket has no way up; nothing was "
                "copied; mend the path in the spec, or prefix in the connection's extra"
            )
        return self._place.prefix + path.lstrip("/")

    def _translated_errors(self, path: str, rights: str = RIGHTS_TO_READ) -> AbstractContextManager[None]:
        return translated_errors(f"{self._name}: {path or '/'}", self._secrets, rights)


def _time(found: dict[str, Any]) -> str:
    return str(int(found["LastModified"].timestamp()))
