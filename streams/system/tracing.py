"""Spans of what this process does. None are made, nor is OpenTelemetry loaded, before `tracing` is entered."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import TYPE_CHECKING, Literal

from schemas.errors import UsageError
from streams.system.trace_context import NO_SPAN, Attributes, Span

if TYPE_CHECKING:
    from streams.system.recorded_spans import RecordedSpans

Kind = Literal["client", "consumer", "internal", "producer", "server"]

# One for the process, as Prometheus' metrics are: where a span is made nobody needs to be handed it.
_spans: "RecordedSpans | None" = None


@contextmanager
def tracing(endpoint: str, sample_rate: float, resource: Mapping[str, str]) -> Iterator[None]:
    """Has spans made and sent to `endpoint` (OTLP over HTTP, without `/v1/traces`) while the context is entered.

    Of the traces that begin here a share of `sample_rate` is recorded; of others, those whose context says so.
    `resource` says who makes them, by OpenTelemetry's names. A receiver that is away holds up nothing: what it does not
    take is dropped, and the end waits for it a moment at most.

    Raises UsageError: OpenTelemetry is not installed.
    """
    global _spans  # noqa: PLW0603 - see above
    try:
        from streams.system.recorded_spans import RecordedSpans
    except ModuleNotFoundError as error:
        raise UsageError(
            f"EDGEWISE_OTEL_ENDPOINT is set, and {error.name} is not installed: install the extra `otel` "
            "(pip install '.[otel]'), or unset it"
        ) from None
    _spans = RecordedSpans(endpoint, sample_rate, resource)
    try:
        yield
    finally:
        spans, _spans = _spans, None
        spans.close()


def begin(name: str, kind: Kind, parent: Span, attributes: Attributes, link: Span = NO_SPAN) -> Span:
    """A span under `parent` that lasts until its `end`; `parent` itself where nothing is recorded of its trace.

    Without a parent's context it begins a trace. `link` is a span of another trace that has to do with it.
    """
    return parent if _spans is None else _spans.begin(name, kind, parent, attributes, link)


def within(span: Span) -> AbstractContextManager[None]:
    """While it is entered, steps are parts of `span`."""
    return nullcontext() if _spans is None else _spans.within(span)


def step(name: str, attributes: Attributes, kind: Kind = "internal") -> AbstractContextManager[Span]:
    """A span of the step that is done while it is entered, under the one that this code runs within, if any."""
    return nullcontext(NO_SPAN) if _spans is None else _spans.step(name, attributes, kind)
