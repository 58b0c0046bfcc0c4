"""Accuracy by people's labels."""

from dataclasses import replace

import pytest

from schemas.records import PersonLabel
from streams.monitoring.binomial import interval
from streams.monitoring.people import PeopleLabels
from tests.schema_records import EXAMPLES

AT = 1_700_000_000_000


def label(event_id: str, label: str, answer: str | None, **changes: object) -> PersonLabel:
    made = EXAMPLES["labels"]
    assert isinstance(made, PersonLabel)
    return replace(
        made,
        event_id=event_id,
        label=label,  # type: ignore[arg-type]
        answer_label=answer,  # type: ignore[arg-type]
        **({"answered_at": AT} | changes),  # type: ignore[arg-type]
    )


def people(*labels: PersonLabel) -> PeopleLabels:
    found = PeopleLabels()
    for each in labels:
        found.add(each)
    return found


def test_it_is_the_share_of_published_labels_that_are_a_persons() -> None:
    found = people(
        label("e1", "negative", "negative", role="customer", route="edge", model="edge@1", answer_confidence=0.9),
        label("e2", "negative", "neutral", role="customer", route="edge", model="edge@1", answer_confidence=0.6),
        label("e3", "positive", "positive", role="agent", route="cloud", model="cloud@1", answer_confidence=None),
    ).accuracy(AT)
    assert found.total == (2, 3)
    assert found.total.limits == interval(2, 3, 0.95)
    assert found.by == {
        "route": {"cloud": (1, 1), "edge": (1, 2)},
        "role": {"agent": (1, 1), "customer": (1, 2)},
        "model": {"cloud@1": (1, 1), "edge@1": (1, 2)},
    }
    assert found.mean_confidence == pytest.approx(0.75)


def test_of_an_event_the_last_label_counts() -> None:
    wrong, right = label("e1", "negative", "neutral"), label("e1", "neutral", "neutral")
    assert people(wrong, right).accuracy(AT).total == (1, 1)
    assert people(right, wrong, right, wrong).accuracy(AT).total == (0, 1)


def test_an_event_counts_in_the_time_in_which_it_was_answered() -> None:
    found = people(*(label(f"e{hour}", "neutral", "neutral", answered_at=AT + hour) for hour in range(10)))
    assert found.accuracy(AT + 4).total.trials == 6
    assert found.accuracy(AT + 4, AT + 6).total.trials == 2


def test_what_was_not_answered_is_not_compared() -> None:
    found = people(label("e1", "neutral", "neutral"), label("e1", "neutral", None, answered_at=None, route=None))
    assert found.accuracy(0).total == (0, 0)
    assert found.accuracy(0).mean_confidence is None
