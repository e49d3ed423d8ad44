"""The data folder's objects in a bucket, by S3's API: put whole, by a condition if asked; read as of one ETag.

An ETag names the exact content of an object. A put with If-None-Match or If-Match is taken only if the bucket is in the
state that the writer saw (Amazon S3's user guide, "Conditional writes"), so of two writers the first one wins. A large
object goes in parts, and is there when the last request is done: a writer that dies before leaves an upload that
nobody sees.
"""

import os
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, closing, suppress
from functools import cache
from itertools import islice
from typing import Any, BinaryIO, NamedTuple

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from daybook.ftp.replies import Broken, NotThere
from daybook.storage.store import Changed, StoredObject, Upload
from daybook.transports.s3_bucket import S3Bucket
from daybook.transports.s3_errors import code_of, status_of, translated_errors

TIME_LIMIT_S = 60.0
# Of every request, by botocore, with pauses that grow.
TRIES = 5
BLOCK_BYTES = 2**20
# An object that is larger goes in parts. S3 takes at most 10,000 parts, each of 5 MiB at least.
PART_BYTES = 2**24
MOST_PARTS = 10_000
# The most that one request removes.
REMOVED_AT_ONCE = 1000
COPIED_AT_ONCE = 2**30
RIGHTS = (
    "s3:GetObject, s3:PutObject, s3:DeleteObject and s3:AbortMultipartUpload on the folder, s3:ListBucket and "
    "s3:ListBucketMultipartUploads on the bucket"
)
# 409: another conditional put of the key was under way.
NOT_AS_SEEN = ("412", "409")


class S3Store(NamedTuple):
    """A bucket that holds a data folder (storage/store.py says what it does).

    bucket: with the keys to it. name: of the connection, for messages; "" if the machine's own keys are used.
    """

    bucket: S3Bucket
    name: str

    @property
    def address(self) -> str:
        """Return what stands before a key, as in DAYBOOK_DATA."""
        return f"s3://{self.name}@{self.bucket.bucket}/" if self.name else f"s3://{self.bucket.bucket}/"

    def look(self, key: str) -> StoredObject | None:
        """Return what the store says of an object, or None if there is none."""
        with suppress(NotThere), self._errors(key):
            found = self._client.head_object(**self._at(key))
            return StoredObject(key, found["ContentLength"], found["ETag"], found["LastModified"])
        return None

    def read(self, key: str) -> Iterator[bytes]:
        """Yield the bytes of an object, all of one state; after a broken line it goes on from where it was.

        Raises FileNotFoundError if there is none, SourceUnavailable if it was changed meanwhile.
        """
        done, tries = 0, TRIES
        rest: dict[str, str] = {}
        while True:
            try:
                with self._errors(key):
                    found = self._client.get_object(**self._at(key), **rest)
                    with closing(found["Body"]) as body:
                        while block := body.read(BLOCK_BYTES):
                            done += len(block)
                            yield block
                return
            except NotThere:
                raise FileNotFoundError(self.address + key) from None
            except Broken:
                tries -= 1
                if not tries or not done:
                    raise
                rest = {"Range": f"bytes={done}-", "IfMatch": found["ETag"]}

    def put(self, key: str, content: BinaryIO, instead_of: str | None = None) -> None:
        """Write an object from a file, from where it stands; in parts if it is large.

        instead_of: the ETag of the object that is there now, "" if there must be none; raises Changed if it is not so.
        """
        size_bytes = content.seek(0, os.SEEK_END)
        content.seek(0)
        condition = {None: {}, "": {"IfNoneMatch": "*"}}.get(instead_of, {"IfMatch": instead_of})
        send = self._send if size_bytes <= PART_BYTES else self._send_in_parts
        with self._errors(key):
            try:
                send(key, content, size_bytes, condition)
            except ClientError as error:
                if condition and (status_of(error) in NOT_AS_SEEN or code_of(error) == "NoSuchKey"):
                    raise Changed(self.address + key) from None
                raise

    def _send(self, key: str, content: BinaryIO, _: int, condition: dict[str, Any]) -> None:
        self._client.put_object(**self._at(key), Body=content, **condition)

    def _send_in_parts(self, key: str, content: BinaryIO, size_bytes: int, condition: dict[str, Any]) -> None:
        upload = {**self._at(key), "UploadId": self._client.create_multipart_upload(**self._at(key))["UploadId"]}
        at_once = max(PART_BYTES, -(-size_bytes // MOST_PARTS))
        try:
            parts, number = [], 1
            while part := content.read(at_once):
                tag = self._client.upload_part(**upload, PartNumber=number, Body=part)["ETag"]
                parts.append({"PartNumber": number, "ETag": tag})
                number += 1
            self._client.complete_multipart_upload(**upload, MultipartUpload={"Parts": parts}, **condition)
        except BaseException:
            # If the store is away, tidying gives it up later.
            with suppress(Exception):
                self._client.abort_multipart_upload(**upload)
            raise

    def copy(self, key: str, to: str) -> None:
        """Copy an object, within the store. Raises FileNotFoundError if there is none."""
        how = TransferConfig(use_threads=False, multipart_threshold=COPIED_AT_ONCE, multipart_chunksize=COPIED_AT_ONCE)
        try:
            with self._errors(key):
                self._client.copy(self._at(key), **self._at(to), Config=how)
        except NotThere:
            raise FileNotFoundError(self.address + key) from None

    def remove(self, keys: Iterable[str]) -> None:
        """Remove objects, if they are there."""
        left = iter(keys)
        while some := list(islice(left, REMOVED_AT_ONCE)):
            with self._errors(some[0]):
                wanted = {"Objects": [{"Key": key} for key in some], "Quiet": True}
                done = self._client.delete_objects(Bucket=self.bucket.bucket, Delete=wanted)
                for refused in done.get("Errors", ()):
                    raise ClientError({"Error": refused}, "DeleteObjects")

    def below(self, prefix: str) -> Iterator[StoredObject]:
        """Yield all objects whose key begins so, in the order of their keys."""
        for page in self._pages("list_objects_v2", prefix):
            for found in page.get("Contents", ()):
                yield StoredObject(found["Key"], found["Size"], found["ETag"], found["LastModified"])

    def names(self, prefix: str) -> Iterator[str]:
        """Yield what comes after the prefix, up to the next "/", once each."""
        for page in self._pages("list_objects_v2", prefix, Delimiter="/"):
            folders = {found["Prefix"][len(prefix) :].rstrip("/") for found in page.get("CommonPrefixes", ())}
            # An object with the folder's own name stands for a folder without files.
            files = {found["Key"][len(prefix) :] for found in page.get("Contents", ())}
            yield from sorted((folders | files) - {""})

    def uploads(self, prefix: str) -> Iterator[Upload]:
        """Yield the uploads that were begun and neither finished nor given up."""
        for page in self._pages("list_multipart_uploads", prefix):
            for found in page.get("Uploads", ()):
                yield Upload(found["Key"], found["UploadId"], found["Initiated"])

    def give_up(self, upload: Upload) -> None:
        """Remove the parts of an upload, if it is there still."""
        with suppress(NotThere), self._errors(upload.key):
            self._client.abort_multipart_upload(**self._at(upload.key), UploadId=upload.number)

    def _pages(self, operation: str, prefix: str, **words: Any) -> Iterator[dict[str, Any]]:
        with self._errors(prefix):
            pages = self._client.get_paginator(operation)
            yield from pages.paginate(Bucket=self.bucket.bucket, Prefix=prefix, **words)

    def _at(self, key: str) -> dict[str, str]:
        return {"Bucket": self.bucket.bucket, "Key": key}

    def _errors(self, key: str) -> AbstractContextManager[None]:
        return translated_errors(self.address + key, self.bucket.secrets, RIGHTS)

    @property
    def _client(self) -> Any:
        return _client_of(self.bucket, os.getpid())


@cache
def _client_of(bucket: S3Bucket, _: int) -> Any:
    """Return the client of a process: a connection that a forked process inherits is not its own."""
    return bucket.client(TIME_LIMIT_S, TRIES)
