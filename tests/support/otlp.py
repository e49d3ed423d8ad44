"""A real receiver of OpenTelemetry's protocol over HTTP on 127.0.0.1 (OTLP 1, http/protobuf), which keeps the spans."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as Sent

from deployment.home import HOST


class Span(NamedTuple):
    """A span: its trace, its number, that of the one that it is part of ("" of none), its name, its seconds."""

    trace: str
    number: str
    parent: str
    name: str
    seconds: float
    attributes: dict[str, str]


@dataclass
class Otlp:
    """What came: spans in their order, and the names of metrics. url: where to send."""

    url: str = ""
    spans: list[Span] = field(default_factory=list)
    metrics: set[str] = field(default_factory=set)

    def take(self, path: str, body: bytes) -> None:
        """Take a request."""
        if path == "/v1/traces":
            resources = ExportTraceServiceRequest.FromString(body).resource_spans
            self.spans += [_span(one) for found in resources for scope in found.scope_spans for one in scope.spans]
        if path == "/v1/metrics":
            measured = ExportMetricsServiceRequest.FromString(body).resource_metrics
            self.metrics |= {one.name for found in measured for scope in found.scope_metrics for one in scope.metrics}


def _span(one: Sent) -> Span:
    seconds = (one.end_time_unix_nano - one.start_time_unix_nano) / 1e9
    words = {word.key: word.value.string_value for word in one.attributes}
    return Span(one.trace_id.hex(), one.span_id.hex(), one.parent_span_id.hex(), one.name, seconds, words)


class _Handler(BaseHTTPRequestHandler):
    otlp: Otlp

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.otlp.take(self.path, gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def receiver() -> Iterator[Otlp]:
    """Have the receiver, on a free port."""
    otlp = Otlp()
    with ThreadingHTTPServer((HOST, 0), type("Handler", (_Handler,), {"otlp": otlp})) as server:
        otlp.url = f"http://{HOST}:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}).start()
        yield otlp
        server.shutdown()
