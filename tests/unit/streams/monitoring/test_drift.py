"""Drift of a window against a reference, aspect by aspect."""

from dataclasses import replace
from random import Random
from typing import Any

import pytest

from schemas.records import LABELS, RoutingEvent
from streams.monitoring.drift import ASPECTS, LEAST_EVENTS, Aspect, Reference, drift, moved
from streams.monitoring.window import Window
from tests.events import ROUTING

HOUR_MS = 3_600_000


def event(random: Random) -> RoutingEvent:
    return replace(
        ROUTING,
        edge_label=random.choices(LABELS, (5, 3, 2))[0],
        edge_confidence=random.betavariate(6, 1),
        text_chars=1 + round(random.lognormvariate(4, 0.6)),
        language=random.choices(("en", None), (97, 3))[0],
        role=random.choices(("customer", "agent"), (7, 3))[0],
        pii=("phone",) if random.random() < 0.05 else (),
    )


def window(events: int, seed: int, share: float = 0.0, **changes: Any) -> Window:
    """So many events, `share` of them with `changes`."""
    random = Random(seed)
    made = [event(random) for _ in range(events)]
    found = Window(0, HOUR_MS, 0)
    found.add([replace(each, **changes) if random.random() < share else each for each in made])
    return found


REFERENCE = Reference.of(window(20_000, 1))


def test_the_reference_itself_has_not_drifted() -> None:
    same = window(20_000, 1)
    assert {drift(REFERENCE, same, aspect) for aspect in ASPECTS} <= {
        found for aspect in ASPECTS if (found := drift(REFERENCE, same, aspect)) is not None and found.value == 0
    }


@pytest.mark.parametrize(
    ("aspect", "share", "changes", "most"),
    [
        ("labels", 0.5, {"edge_label": "negative"}, "negative"),
        ("confidence", 0.3, {"edge_confidence": 0.4}, f"<= {REFERENCE.edges['confidence'][0]:g}"),
        ("length", 0.3, {"text_chars": 2_000}, f"> {REFERENCE.edges['length'][-1]:g}"),
        ("languages", 0.1, {"language": "de-DE"}, "de"),
        ("roles", 0.3, {"role": "bot"}, "bot"),
        ("kinds", 0.1, {"pii": ("phone", "card")}, "card"),
    ],
)
def test_a_shift_is_seen_in_its_aspect_alone(
    aspect: Aspect, share: float, changes: dict[str, object], most: str
) -> None:
    shifted = window(2_000, 2, share, **changes)
    for each in ASPECTS:
        found = drift(REFERENCE, shifted, each)
        assert found is not None
        assert (found.low > 0.1) == (each == aspect), each
    first = moved(REFERENCE, shifted, aspect)[0]
    assert first.name == most
    assert first.now > first.before + 0.05


def test_bins_hold_a_tenth_of_the_reference_each() -> None:
    for aspect in ("confidence", "length"):
        counts = REFERENCE.counts[aspect]
        assert sum(counts.values()) == 20_000
        assert 7 <= len(counts) <= 10  # a bin of the sketch is never cut, and the highest confidences fill a few
    assert drift(REFERENCE, window(500, 3), "length") is not None


def test_values_that_are_all_the_same_have_one_bin() -> None:
    flat = Reference.of(window(1_000, 4, 1.0, text_chars=50, edge_confidence=1.0))
    assert flat.counts["length"] == {"all": 1_000}
    assert drift(flat, window(1_000, 5, 1.0, text_chars=50, edge_confidence=1.0), "length") == (0, 0, 0)


def test_of_few_events_nothing_is_said() -> None:
    assert drift(REFERENCE, window(LEAST_EVENTS - 1, 6), "labels") is None
    assert drift(REFERENCE, window(LEAST_EVENTS, 6), "labels") is not None


@pytest.mark.parametrize("changes", [{"model": "edge@2.0.0"}, {"router": "default@2"}])
def test_another_model_or_policy_answers_otherwise_and_customers_write_the_same(changes: dict[str, str]) -> None:
    now = window(1_000, 7, 0.5, **changes)
    assert REFERENCE.strangers(now) == [*changes.values()]
    known = {aspect for aspect in ASPECTS if drift(REFERENCE, now, aspect) is not None}
    assert known == {"length", "languages", "roles", "kinds"}


def test_a_cloud_that_is_away_is_no_other_model() -> None:
    both = Window(0, HOUR_MS, 0)
    random = Random(8)
    made = [event(random) for _ in range(2_000)]
    both.add([replace(each, model="cloud@1.0.0") if at % 5 == 0 else each for at, each in enumerate(made)])
    assert Reference.of(both).strangers(window(500, 9)) == []


def test_no_personal_data_at_all_has_not_drifted() -> None:
    none = window(1_000, 10, 1.0, pii=())
    assert drift(Reference.of(none), none, "kinds") == (0, 0, 0)
