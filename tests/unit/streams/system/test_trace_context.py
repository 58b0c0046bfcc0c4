"""A trace's context in headers: what is one, and what is not carried on."""

import pytest

from schemas.dead_letter import Header
from streams.system.trace_context import NO_SPAN, carried

TRACE, SPAN = b"0af7651916cd43dd8448eb211c80319c", b"b7ad6b7169203331"
PARENT = b"-".join([b"00", TRACE, SPAN, b"01"])
LONG = b",".join(b"k%d=" % number + b"x" * 200 for number in range(3))


def test_a_context_is_carried_as_it_came_and_nothing_else_is() -> None:
    headers: tuple[Header, ...] = (("edgewise-row", b"1"), ("traceparent", PARENT), ("tracestate", b"a=1,b@c=x:y"))
    assert carried(headers).headers == (("traceparent", PARENT), ("tracestate", b"a=1,b@c=x:y"))


@pytest.mark.parametrize(
    "parent",
    [
        None,
        b"",
        PARENT.upper(),
        PARENT[:-1],
        PARENT + b"-more",
        PARENT + b"\n",
        b"ff" + PARENT[2:],
        PARENT.replace(TRACE, b"0" * 32),
        PARENT.replace(SPAN, b"0" * 16),
        b"My card is 4111 1111 1111 1111",
    ],
)
def test_what_is_no_context_is_not_carried(parent: bytes | None) -> None:
    assert carried((("traceparent", parent), ("tracestate", b"a=1"))) is NO_SPAN


@pytest.mark.parametrize(
    "state",
    [
        None,
        b"",
        b"no member",
        b"a=my card is 4111",
        b"a=1,",
        b"A=1",
        b"a=" + b"x" * 300,
        b",".join([b"a=1"] * 33),
        LONG,
    ],
)
def test_a_state_that_is_none_is_left_out_and_the_trace_goes_on(state: bytes | None) -> None:
    assert carried((("traceparent", PARENT), ("tracestate", state))).headers == (("traceparent", PARENT),)


def test_a_later_version_is_carried() -> None:
    later = b"01" + PARENT[2:]
    assert carried((("traceparent", later),)).headers == (("traceparent", later),)


def test_of_a_header_given_twice_the_last_counts() -> None:
    later = PARENT[:-2] + b"00"
    assert carried((("traceparent", PARENT), ("traceparent", later))).headers == (("traceparent", later),)


@pytest.mark.parametrize(("flags", "sampled"), [(b"01", True), (b"03", True), (b"00", False), (b"02", False)])
def test_the_flags_say_whether_spans_are_recorded(flags: bytes, sampled: bool) -> None:
    assert carried((("traceparent", PARENT[:-2] + flags),)).is_sampled is sampled


def test_a_record_without_a_context_is_of_no_trace() -> None:
    assert carried(()) is NO_SPAN
    assert not NO_SPAN.is_sampled
    assert NO_SPAN.headers == ()
