"""A receiver of spans, as a collector is: OTLP over HTTP, on this machine."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

LONGEST_WAIT_S = 60.0


class Received(NamedTuple):
    """A span that was sent."""

    service: str
    name: str
    kind: int  # 1 internal, 2 server, 3 client, 4 producer, 5 consumer
    trace: str
    span: str
    parent: str  # empty at a trace's root
    links: list[str]  # the spans that it links to
    attributes: dict[str, Any]
    failed: bool
    events: int


class Collector(ThreadingHTTPServer):
    """Keeps what comes. Until `open` is set nobody gets an answer."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, *, open_: bool) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.open = threading.Event()
        self.asked = threading.Event()
        self.bodies: list[bytes] = []
        self.paths: set[str] = set()
        self.changed = threading.Condition()
        if open_:
            self.open.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    @property
    def spans(self) -> list[Received]:
        with self.changed:
            return [span for body in self.bodies for span in _spans(body)]

    def wait_for(self, count: Mapping[str, int]) -> dict[str, list[Received]]:
        """The spans by name, once there are so many of each name. Raises AssertionError: they don't come."""
        found: dict[str, list[Received]] = {}

        def are_there() -> bool:
            found.clear()
            for span in (span for body in self.bodies for span in _spans(body)):
                found.setdefault(span.name, []).append(span)
            return all(len(found.get(name, ())) >= number for name, number in count.items())

        with self.changed:
            came = self.changed.wait_for(are_there, LONGEST_WAIT_S)
        assert came, {name: len(spans) for name, spans in found.items()}
        return found

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that ends before it has its answer is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked.set()
        self.server.open.wait(LONGEST_WAIT_S)
        with self.server.changed:
            self.server.bodies.append(body)
            self.server.paths.add(self.path)
            self.server.changed.notify_all()
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Standard error is for faults of the tests."""


@contextmanager
def collector(*, open_: bool = True) -> Iterator[Collector]:
    """The receiver; with `open_` false it takes requests, and answers none until it is opened."""
    server = Collector(open_=open_)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.open.set()
        server.shutdown()
        thread.join()
        server.server_close()


def _spans(body: bytes) -> Iterator[Received]:
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    request = ExportTraceServiceRequest.FromString(body)
    for resource in request.resource_spans:
        service = _attributes(resource.resource.attributes)["service.name"]
        for scope in resource.scope_spans:
            for span in scope.spans:
                yield Received(
                    service,
                    span.name,
                    span.kind,
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex(),
                    [link.span_id.hex() for link in span.links],
                    _attributes(span.attributes),
                    span.status.code == 2,
                    len(span.events),
                )


def _attributes(pairs: Any) -> dict[str, Any]:
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
