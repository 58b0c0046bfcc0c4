import json

import pytest

from schemas.errors import UsageError
from schemas.topics import DEAD_LETTERS, TOPICS
from streams.operate.record_fields import field_value, fields_of, matches, parse_conditions, parse_fields, table_fields

NOW_MS = 1_700_000_300_000

RECORD = {
    "route": "cloud", "turn": 3, "degraded": True, "language": None, "confidence": 0.55, "text": "12", "pii": [],
    "attributes": {"company": "a=b", "x.y": "dotted", "csat": "4", "note": "n/a"}, "occurred_at": 1_700_000_000_000,
    "end_to_end_ms": {"count": 10, "p50": 20.0, "p95": 30.0, "p99": 40.0}, "routes": {"edge": 7},
}  # fmt: skip


def holds(topic: str, *conditions: str) -> bool:
    return matches(RECORD, parse_conditions(topic, conditions, lambda: NOW_MS))


@pytest.mark.parametrize(
    ("topic", "conditions", "expected"),
    [
        ("sentiment", [], True),
        ("sentiment", ["route=cloud"], True),
        ("sentiment", ["route=edge"], False),
        ("sentiment", ["route!=edge"], True),
        ("sentiment", ["route=cloud", "turn=3"], True),
        ("sentiment", ["route=cloud", "turn=4"], False),
        ("sentiment", ["turn=3.0"], True),
        ("sentiment", ["degraded=true"], True),
        ("sentiment", ["degraded!=true"], False),
        ("sentiment", ["confidence<0.6"], True),
        ("sentiment", ["confidence<0.55"], False),
        ("sentiment", ["confidence<=0.55"], True),
        ("sentiment", ["confidence>=0.55", "confidence>0.5"], True),
        ("sentiment", ["confidence>0.55"], False),
        ("sentiment", ["turn>2", "turn<10"], True),  # as numbers, where as text 3 comes behind 10
        ("sentiment", ["occurred_at>=2023-11-14T22:13:20Z"], True),
        ("sentiment", ["occurred_at>-5m"], False),
        ("sentiment", ["occurred_at>-6m"], True),
        ("sentiment", ["label=negative"], False),  # a record that could not be decoded has no label
        ("sentiment", ["label!=negative"], False),
        ("transcripts", ["language=null"], True),
        ("transcripts", ["language!=en"], True),
        ("transcripts", ["text=12"], True),
        ("transcripts", ["attributes.company=a=b"], True),
        ("transcripts", ["attributes.company=c"], False),
        ("transcripts", ["attributes.x.y=dotted"], True),
        ("transcripts", ["attributes.csat<10"], True),
        ("transcripts", ["attributes.note<10"], False),
        ("transcripts", ["attributes.none=1"], False),
        ("routing-events", ["pii=[]"], True),
        ("monitoring", ["end_to_end_ms.p95>25"], True),
        ("monitoring", ["end_to_end_ms.p95>35"], False),
        ("monitoring", ["routes.edge>6"], True),
    ],
)
def test_conditions(topic: str, conditions: list[str], expected: bool) -> None:
    assert holds(topic, *conditions) is expected


@pytest.mark.parametrize(
    ("topic", "condition", "message"),
    [
        ("sentiment", "route", "give FIELD=VALUE"),
        ("sentiment", "=cloud", "give FIELD=VALUE"),
        ("sentiment", "", "give FIELD=VALUE"),
        ("sentiment", "lable=negative", r"sentiment has no field 'lable': did you mean label\?"),
        ("sentiment", "at>-5m", r"no field 'at': did you mean occurred_at or scored_at\?"),
        ("sentiment", "zzz=1", "no field 'zzz': the fields are event_id, conversation_id, "),
        ("sentiment", "route.x=1", "sentiment has no field 'route.x'"),
        ("sentiment", "label=negativ", r"did you mean negative\?"),
        ("sentiment", "label=angry", "the values are negative, neutral, positive"),
        ("sentiment", "reason=low confidence", r"did you mean low_confidence"),
        ("sentiment", "degraded=yes", "degraded is true or false"),
        ("sentiment", "label<negative", "label has no order"),
        ("sentiment", "confidence<high", "give a number to compare confidence with"),
        ("sentiment", "confidence=high", "give a number to compare confidence with"),
        ("sentiment", "scored_at>yesterday", "scored_at is a time: give one such as"),
        ("monitoring", "end_to_end_ms.p90>1", r"no field 'end_to_end_ms.p90': did you mean end_to_end_ms.p"),
        ("dead-letters", "reason=empty_text", r"no field 'reason': did you mean edgewise-reason\?"),
        ("dead-letters", "edgewise-raeson=empty_text", "did you mean edgewise-reason"),
        ("dead-letters", "edgewise-reason=empty", r"did you mean empty_text\?"),
    ],
)
def test_conditions_that_can_never_hold_are_refused(topic: str, condition: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as refused:
        parse_conditions(topic, [condition], lambda: NOW_MS)
    assert "\n" not in str(refused.value)


def test_a_mapping_as_a_whole_compares_as_json() -> None:
    assert holds("transcripts", f"attributes={json.dumps(RECORD['attributes'])}")


def test_headers_that_a_dead_letter_came_with_may_have_any_name() -> None:
    [condition] = parse_conditions(DEAD_LETTERS, ["trace-id=7"], lambda: NOW_MS)
    assert condition.holds({"trace-id": "7"})


@pytest.mark.parametrize("topic", [*TOPICS, DEAD_LETTERS])
def test_every_topic_has_its_fields_and_the_place_of_a_record(topic: str) -> None:
    names = list(fields_of(topic))
    assert {"_key", "_partition", "_offset", "_timestamp"} < set(names)
    assert parse_fields(topic, ",".join(names)) == names
    assert set(table_fields(topic)) < set(names)
    assert len(table_fields(topic)) <= 7


def test_fields_are_chosen_by_name() -> None:
    assert parse_fields("transcripts", "text, attributes.company,_offset") == ["text", "attributes.company", "_offset"]
    assert field_value(RECORD, "attributes.company") == "a=b"
    assert field_value(RECORD, "attributes.none") is None
    for given in ("text,txet", "", " , "):
        with pytest.raises(UsageError):
            parse_fields("transcripts", given)
