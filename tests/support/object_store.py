"""An object store that speaks Amazon S3's API (moto's server), in which a test has things go wrong.

Its answers to what goes wrong are those of the "Error responses" in Amazon's API reference.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import boto3
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import WSGIRequestHandler, make_server

from daybook.transports.s3_bucket import S3Bucket

KEY, SECRET = "AKIATEST", "canary-5c1d"
ERROR = '<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'


@dataclass(frozen=True)
class Refusal:
    """An error that the store answers."""

    status: str
    code: str
    message: str = ""


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *words: Any) -> None:
        """Write no log."""


@dataclass
class ObjectStore:
    """A store with one bucket. asked: the requests for files, as "GET in/f.csv bytes=5-".

    refusals: of the next requests for files, one each; None is the usual answer. cuts: after how many bytes the next
    copies end. meanwhile: what happens once a copy is on its way. arrives: what happens when a request for a file
    comes. lost_answers: of so many of the next puts. refuses_lists: we may not list the bucket. most_names: that one
    answer lists. host: the address of this machine at which it listens.
    """

    bucket: str
    host: str = "127.0.0.1"
    refusals: Iterator[Refusal | None] = field(default_factory=lambda: iter([]))
    cuts: Iterator[int | None] = field(default_factory=lambda: iter([]))
    meanwhile: Callable[[], None] = lambda: None
    arrives: Callable[[str], None] = lambda asked: None
    lost_answers: int = 0
    refuses_lists: bool = False
    most_names: int = 1000
    asked: list[str] = field(default_factory=list)
    _put_of: dict[str, int] = field(default_factory=dict)
    _writing: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def __enter__(self) -> Self:
        """Begin to listen."""
        self._store = DomainDispatcherApplication(create_backend_app)
        self._server = make_server(self.host, 0, self._answer, threaded=True, request_handler=_Silent)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.address = f"http://{self.host}:{self._server.server_port}"
        words = {"aws_access_key_id": KEY, "aws_secret_access_key": SECRET, "region_name": "us-east-1"}
        self.client = boto3.session.Session(**words).client("s3", endpoint_url=self.address)
        self.client.create_bucket(Bucket=self.bucket)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the server."""
        self.client.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def empty(self) -> None:
        """Forget all that is in the bucket, and all that was to go wrong."""
        self.refusals, self.cuts, self.meanwhile = iter([]), iter([]), lambda: None
        self.arrives, self.lost_answers = lambda asked: None, 0
        self.refuses_lists, self.most_names = False, 1000
        for key in self.files():
            self.client.delete_object(Bucket=self.bucket, Key=key)
        self.asked.clear()
        self._put_of.clear()

    def connection(self, **words: Any) -> S3Bucket:
        """Return what the connection in Airflow would say."""
        usual = {"user": KEY, "password": SECRET, "region_name": "us-east-1", "endpoint_url": self.address}
        return S3Bucket(**{"bucket": self.bucket, "insecure": True, **usual, **words})

    @property
    def words(self) -> dict[str, Any]:
        """Return the words of a connection for data folders in the store, as Airflow keeps them."""
        extra = {"endpoint_url": self.address, "region_name": "us-east-1", "insecure": True}
        return {"conn_type": "aws", "login": KEY, "password": SECRET, "extra": extra}

    def put(self, key: str, content: bytes) -> None:
        """Put a file into the bucket."""
        self.client.put_object(Bucket=self.bucket, Key=key, Body=content)

    def files(self) -> dict[str, bytes]:
        """Return what is in the bucket."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=self.bucket)
        keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
        found = {key: self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read() for key in keys}
        self.asked.clear()
        return found

    def hold(self, root: Path) -> None:
        """Have the bucket hold what a folder holds; a file that has not changed is not put again."""
        found = {str(path.relative_to(root)): path for path in sorted(root.rglob("*")) if path.is_file()}
        for key in self._put_of.keys() - found.keys():
            self.client.delete_object(Bucket=self.bucket, Key=key)
        times = {key: path.stat().st_mtime_ns for key, path in found.items()}
        for key in sorted(key for key in times if times[key] != self._put_of.get(key)):
            self.put(key, found[key].read_bytes())
            self._date(key, times[key])
        self._put_of = times

    def _date(self, key: str, time_ns: int) -> None:
        # A store gives the time of the put. A test's file may be older.
        stored = s3_backends[DEFAULT_ACCOUNT_ID]["aws"].get_object(self.bucket, key)
        assert stored
        stored.last_modified = datetime.fromtimestamp(time_ns // 10**9, UTC).replace(tzinfo=None)

    def _answer(self, request: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        key = request["PATH_INFO"].removeprefix(f"/{self.bucket}").lstrip("/")
        if not key:
            return self._listed(request, start)
        self.asked.append(f"{request['REQUEST_METHOD']} {key} {request.get('HTTP_RANGE', '')}".rstrip())
        self.arrives(self.asked[-1])
        if refusal := next(self.refusals, None):
            return _refuse(refusal, request, start)
        if request["REQUEST_METHOD"] == "GET":
            return self._given(b"".join(self._store(request, start)))
        # A store looks at a put's condition and takes the put at once.
        with self._writing:
            return self._taken(request, start)

    def _taken(self, request: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if request["REQUEST_METHOD"] == "PUT" and self.lost_answers:
            self.lost_answers -= 1
            list(self._store(request, lambda *_: None))
            return _refuse(Refusal("500 Internal Server Error", "InternalError"), request, start)
        return list(self._store(request, start))

    def _listed(self, request: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if self.refuses_lists:
            return _refuse(Refusal("403 Forbidden", "AccessDenied", "Access Denied"), request, start)
        if "list-type=2" in request["QUERY_STRING"] and "max-keys" not in request["QUERY_STRING"]:
            request["QUERY_STRING"] += f"&max-keys={self.most_names}"
        answer: Iterable[bytes] = self._store(request, start)
        return answer

    def _given(self, content: bytes) -> Iterator[bytes]:
        cut = next(self.cuts, None)
        yield content[:cut]
        self.meanwhile()


def _refuse(refusal: Refusal, request: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    words = ERROR.format(code=refusal.code, message=refusal.message).encode()
    start(refusal.status, [("Content-Type", "application/xml"), ("Content-Length", str(len(words)))])
    return [] if request["REQUEST_METHOD"] == "HEAD" else [words]
