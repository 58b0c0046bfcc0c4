"""Where spans go: an address that nothing has to be cut off from or kept from a log."""

import pytest

from schemas.errors import UsageError
from streams.config.loading import load_settings
from streams.config.settings import Settings
from streams.config.tracing import traced
from streams.system.trace_context import NO_SPAN
from streams.system.tracing import begin
from tests.spans import collector


@pytest.mark.parametrize("given", ["http://collector:4318", "https://otel.example.com/tenant/"])
def test_an_address_is_taken(given: str) -> None:
    assert load_settings(environ={"EDGEWISE_OTEL_ENDPOINT": given}).otel_endpoint == given.rstrip("/")


@pytest.mark.parametrize(
    "given",
    [
        "collector:4318",
        "grpc://collector:4317",
        "http://",
        "http://collector:4318/v1/traces",
        "http://collector:4318?key=1",
    ],
)
def test_what_is_none_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match=r"otel_endpoint .* allowed is an http:// or https:// address without a user"):
        load_settings(environ={"EDGEWISE_OTEL_ENDPOINT": given})


def test_a_login_in_the_address_is_refused_and_not_shown() -> None:
    with pytest.raises(UsageError) as refused:
        load_settings(environ={"EDGEWISE_OTEL_ENDPOINT": "https://user:secret-word@collector"})
    assert "secret-word" not in str(refused.value)


def test_without_an_address_no_span_is_made() -> None:
    with traced(Settings(), "edge"):
        assert begin("work", "server", NO_SPAN, {}) is NO_SPAN


def test_spans_say_who_made_them() -> None:
    with collector() as receiver:
        with traced(Settings(otel_endpoint=receiver.url, topic_prefix="eu.", worker_id="w-0"), "edge"):
            begin("work", "server", NO_SPAN, {}).end()
        [span] = receiver.wait_for({"work": 1})["work"]
    assert span.service == "edgewise-edge"
    assert b"w-0" in receiver.bodies[0]
    assert b"service.namespace" in receiver.bodies[0]
