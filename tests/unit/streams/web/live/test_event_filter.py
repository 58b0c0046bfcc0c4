"""What an address asks for, and back."""

from urllib.parse import parse_qsl, urlsplit

import pytest

from streams.web.live.event_filter import EventFilter, FilterError, events_path
from tests.events import routing_event

NOW = 1_790_000_000_500


def parsed(**given: str) -> EventFilter:
    return EventFilter.parse(given, lambda: NOW)


def test_without_a_time_it_is_the_last_hour() -> None:
    assert (parsed().since_ms, parsed().until_ms) == (NOW - 3_600_000, NOW)
    assert parsed(since="-2h").since_ms == NOW - 7_200_000
    assert parsed(since="", until="2026-01-31T12:00:00Z").since_ms == 1_769_857_200_000


@pytest.mark.parametrize(
    ("given", "event", "holds"),
    [
        ({"route": "cloud"}, {}, False),
        ({"route": "edge", "reason": "optimal_edge"}, {}, True),
        ({"label": "negative"}, {}, True),
        ({"label": "negative"}, {"route": "cloud", "cloud_label": "positive"}, False),
        ({"language": "de"}, {"language": "de-AT"}, True),
        ({"language": "unknown"}, {}, True),
        ({"kind": "phone"}, {"pii": ("card", "phone")}, True),
        ({"kind": "phone"}, {"pii": ("phones",)}, False),
        ({"degraded": "no", "scored": "yes", "stage": "completed"}, {}, True),
        ({"degraded": "yes"}, {}, False),
        ({"policy": "default@1", "model": "edge@1.0.0", "conversation": "c1"}, {}, True),
        ({"slower": "20"}, {}, True),
        ({"slower": "20.1"}, {}, False),
        ({"slower": "1"}, {"stage": "decided"}, False),
    ],
)
def test_what_is_wanted_holds_or_not(given: dict[str, str], event: dict[str, object], holds: bool) -> None:
    assert parsed(**given).matches(routing_event(**event)) is holds


@pytest.mark.parametrize(
    "given",
    [
        {"since": "yesterday"}, {"until": "1969-01-01T00:00:00Z"}, {"since": "-1h", "until": "-2h"}, {"route": "way"},
        {"role": "boss"}, {"slower": "x"}, {"slower": "nan"}, {"skip": "-1"}, {"skip": "x"}, {"skip": "9999999"},
    ],
)  # fmt: skip
def test_what_there_is_not_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(FilterError):
        parsed(**given)


def test_an_address_says_what_it_was_made_of() -> None:
    wanted = EventFilter(NOW - 500, NOW + 7, {"reason": "random_cloud", "conversation": "a&b=c/ü"}, 12.5)
    address = urlsplit(wanted.href(NOW + 1, 3))
    again = parsed(**dict(parse_qsl(address.query)))
    assert address.path == "/events"
    assert again == EventFilter(NOW - 500, NOW + 1, wanted.wanted, 12.5, 3)
    assert events_path(0, None) == "/events?since=1970-01-01T00%3A00%3A00Z"
