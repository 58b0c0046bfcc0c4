"""Spans by OpenTelemetry's SDK, sent by OTLP over HTTP: the only file that knows it. It needs the extra `otel`."""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from streams.system.threads import DaemonThread
from streams.system.trace_context import NO_SPAN, PARENT, STATE, Attributes, Span
from streams.system.tracing import Kind

# A batch of an agent has up to 2,000 records, each with a span, and some batches may wait: a span is about 2 KB.
_WAITING_SPANS: Final = 16_384
_SENT_TOGETHER: Final = 512
_SEND_EVERY_MS: Final = 1_000

# What a stop waits for a receiver that takes what is left. The SDK would wait for 30 s.
_CLOSE_S: Final = 1.0

# Of a receiver that is away the exporter logs each try.
_SAID_EVERY_S: Final = 60.0


class Recorded(Span):
    """A span that is sent when it has ended."""

    __slots__ = ("otel",)

    def __init__(self, otel: trace.Span) -> None:
        context = otel.get_span_context()
        ids = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
        state = context.trace_state.to_header()
        super().__init__(((PARENT, ids.encode()), *(((STATE, state.encode()),) if state else ())))
        self.otel = otel

    def tell(self, attributes: Attributes) -> None:
        """Sets attributes."""
        self.otel.set_attributes(attributes)

    def end(self, failure: str = "") -> None:
        """Ends the span, with the status *error* where there is a `failure`."""
        if failure:
            self.otel.set_attribute("error.type", failure)
            self.otel.set_status(trace.StatusCode.ERROR)
        self.otel.end()


class RecordedSpans:
    """What makes spans and sends them. See `streams.system.tracing` for what its methods mean."""

    def __init__(self, endpoint: str, sample_rate: float, resource: Mapping[str, str]) -> None:
        self._saying = _NowAndThen()
        logging.getLogger(OTLPSpanExporter.__module__).addFilter(self._saying)
        self._provider = TracerProvider(
            sampler=ParentBased(TraceIdRatioBased(sample_rate)),
            resource=Resource.create(dict(resource)),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                OTLPSpanExporter(f"{endpoint}/v1/traces"),
                max_queue_size=_WAITING_SPANS,
                max_export_batch_size=_SENT_TOGETHER,
                schedule_delay_millis=_SEND_EVERY_MS,
            )
        )
        self._tracer = self._provider.get_tracer("edgewise")
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, name: str, kind: Kind, parent: Span, attributes: Attributes, link: Span) -> Span:
        """A span under `parent`, or `parent`."""
        links = [trace.Link(link.otel.get_span_context())] if isinstance(link, Recorded) else []
        otel = self._tracer.start_span(name, self._context(parent), _KINDS[kind], attributes, links)
        return Recorded(otel) if otel.is_recording() else parent

    @contextmanager
    def within(self, span: Span) -> Iterator[None]:
        """Makes `span` the current one."""
        if not isinstance(span, Recorded):
            yield
            return
        # An exception's text, and a traceback's, may have a customer's words.
        with trace.use_span(span.otel, end_on_exit=False, record_exception=False, set_status_on_exception=False):
            yield

    @contextmanager
    def step(self, name: str, attributes: Attributes, kind: Kind) -> Iterator[Span]:
        """A span under the current one, if that is recorded."""
        if not trace.get_current_span().is_recording():
            yield NO_SPAN
            return
        span = Recorded(self._tracer.start_span(name, kind=_KINDS[kind], attributes=attributes))
        try:
            with self.within(span):
                yield span
        except BaseException as error:
            span.end(type(error).__name__)
            raise
        span.end()

    def close(self) -> None:
        """Sends what is left, for a moment at most. Its threads keep no process from ending."""
        closing = DaemonThread("spans")
        closing.submit(self._provider.shutdown)
        closing.close(_CLOSE_S)
        logging.getLogger(OTLPSpanExporter.__module__).removeFilter(self._saying)

    def _context(self, parent: Span) -> Context:
        return self._propagator.extract({name: value.decode() for name, value in parent.headers}, Context())


_KINDS: Final[Mapping[Kind, trace.SpanKind]] = {
    "client": trace.SpanKind.CLIENT,
    "consumer": trace.SpanKind.CONSUMER,
    "internal": trace.SpanKind.INTERNAL,
    "producer": trace.SpanKind.PRODUCER,
    "server": trace.SpanKind.SERVER,
}


class _NowAndThen(logging.Filter):
    """Lets a line through, and then none for a while."""

    def __init__(self) -> None:
        super().__init__()
        self._said_s = 0.0

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether none was let through lately."""
        if record.created - self._said_s < _SAID_EVERY_S:
            return False
        self._said_s = record.created
        return True
