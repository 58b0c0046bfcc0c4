"""Spans, as a collector gets them."""

import logging
import sys
import threading

import pytest

from schemas.errors import UsageError
from streams.system import tracing
from streams.system.trace_context import NO_SPAN, carried
from tests.spans import collector

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = carried((("traceparent", f"00-{TRACE}-{SPAN}-01".encode()), ("tracestate", b"a=1")))
NOT_SAMPLED = carried((("traceparent", f"00-{TRACE}-{SPAN}-00".encode()),))
RESOURCE = {"service.name": "test"}


def test_a_span_is_a_part_of_the_trace_that_it_came_with() -> None:
    with collector() as receiver, tracing.tracing(receiver.url, 0.0, RESOURCE):
        span = tracing.begin("work", "consumer", SAMPLED, {"n": 7})
        span.tell({"edgewise.route": "edge"})
        span.end()
        [sent] = receiver.wait_for({"work": 1})["work"]
    assert (sent.service, sent.trace, sent.parent, sent.kind) == ("test", TRACE, SPAN, 5)
    assert sent.attributes == {"n": 7, "edgewise.route": "edge"}
    assert not sent.failed
    assert span.headers == (("traceparent", f"00-{TRACE}-{sent.span}-01".encode()), ("tracestate", b"a=1"))
    assert receiver.paths == {"/v1/traces"}


def test_what_is_not_recorded_elsewhere_is_not_here() -> None:
    with collector() as receiver, tracing.tracing(receiver.url, 1.0, RESOURCE):
        assert tracing.begin("left out", "consumer", NOT_SAMPLED, {}) is NOT_SAMPLED
        tracing.begin("sent", "consumer", SAMPLED, {}).end()
        assert receiver.wait_for({"sent": 1}).keys() == {"sent"}


@pytest.mark.parametrize(("rate", "begins"), [(1.0, True), (0.0, False)])
def test_a_trace_that_begins_here_is_recorded_by_the_rate(rate: float, begins: bool) -> None:
    with collector() as receiver, tracing.tracing(receiver.url, rate, RESOURCE):
        span = tracing.begin("root", "server", NO_SPAN, {})
        span.end()
    assert span.is_sampled is begins
    assert bool(span.headers) is begins


def test_steps_are_parts_of_the_span_that_they_are_within_and_others_link_to_them() -> None:
    with collector() as receiver, tracing.tracing(receiver.url, 0.0, RESOURCE):
        first = tracing.begin("first", "consumer", SAMPLED, {})
        with tracing.within(first), tracing.step("batch", {}) as batch, tracing.step("inner", {}, "client"):
            other = tracing.begin("other", "consumer", SAMPLED, {}, batch)
        first.end()
        other.end("aborted")
        sent = {name: spans[0] for name, spans in receiver.wait_for(dict.fromkeys(("first", "other"), 1)).items()}
    assert sent["batch"].parent == sent["first"].span
    assert (sent["inner"].parent, sent["inner"].kind) == (sent["batch"].span, 3)
    assert (sent["other"].parent, sent["other"].links) == (SPAN, [sent["batch"].span])
    assert sent["other"].failed
    assert sent["other"].attributes == {"error.type": "aborted"}


def test_a_step_outside_of_any_trace_is_none() -> None:
    with collector() as receiver, tracing.tracing(receiver.url, 1.0, RESOURCE):
        with tracing.step("alone", {}) as span:
            assert span is NO_SPAN
        with tracing.within(NO_SPAN), tracing.step("alone", {}) as span:
            assert span is NO_SPAN
        tracing.begin("sent", "consumer", SAMPLED, {}).end()
        assert receiver.wait_for({"sent": 1}).keys() == {"sent"}


def test_an_exception_ends_a_step_and_its_text_stays_here() -> None:
    with collector() as receiver, tracing.tracing(receiver.url, 0.0, RESOURCE):
        span = tracing.begin("work", "consumer", SAMPLED, {})
        with pytest.raises(ValueError, match="card"), tracing.within(span), tracing.step("batch", {}):
            raise ValueError("my card is 4111 1111 1111 1111")
        span.end()
        sent = receiver.wait_for({"work": 1, "batch": 1})
    assert sent["batch"][0].failed
    assert sent["batch"][0].attributes == {"error.type": "ValueError"}
    assert (sent["batch"][0].events, sent["work"][0].events) == (0, 0)
    assert b"4111" not in b"".join(receiver.bodies)


def test_a_receiver_that_does_not_answer_holds_up_no_end() -> None:
    """Seen to fail where the end waits until the exporter gives up, after 10 s, or the SDK's shutdown, after 30 s."""
    with collector(open_=False) as receiver:
        before = set(threading.enumerate())
        with tracing.tracing(receiver.url, 1.0, RESOURCE):
            tracing.begin("work", "server", NO_SPAN, {}).end()
            assert receiver.asked.wait(60)
        left = [thread for thread in threading.enumerate() if thread not in before and thread.name.startswith("Otel")]
        assert [thread.daemon for thread in left] == [True], "it waits for an answer still, and keeps no process"


def test_a_receiver_that_is_away_is_told_of_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    exporter = logging.getLogger("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    with caplog.at_level(logging.WARNING), tracing.tracing("http://127.0.0.1:1", 1.0, RESOURCE):
        for number in range(3):
            exporter.warning("try %d", number)
    exporter.warning("afterwards")
    assert caplog.messages == ["try 0", "afterwards"]


def test_without_the_setting_nothing_is_made() -> None:
    assert tracing.begin("work", "server", SAMPLED, {}) is SAMPLED
    with tracing.within(SAMPLED), tracing.step("batch", {}) as span:
        assert span is NO_SPAN


def test_without_opentelemetry_the_setting_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "streams.system.recorded_spans", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with (
        pytest.raises(UsageError, match=r"OTEL_ENDPOINT is set, and opentelemetry is not installed: .*otel"),
        tracing.tracing("http://127.0.0.1:1", 1.0, RESOURCE),
    ):
        pass
