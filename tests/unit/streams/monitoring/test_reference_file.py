"""The file of a drift reference, and which windows one is made of."""

import json
from pathlib import Path

import pytest

from streams.monitoring.drift import ASPECTS, drift
from streams.monitoring.reference_file import DriftReferenceError, LatestRelease, read_reference, reference_text
from streams.monitoring.window import Window
from tests.unit.streams.monitoring.test_drift import HOUR_MS, REFERENCE, window


def at(hour: int, events: int = 500, **changes: str) -> Window:
    found = window(events, hour, 1.0, **changes)
    found.start, found.end = hour * HOUR_MS, (hour + 1) * HOUR_MS
    return found


def release(*windows: Window) -> LatestRelease:
    found = LatestRelease()
    for each in windows:
        found.add(each)
    return found


def test_what_is_written_is_read_back_whole(tmp_path: Path) -> None:
    file = tmp_path / "reference.json"
    file.write_text(reference_text(REFERENCE), "utf-8")
    found = read_reference(str(file))
    assert found == REFERENCE
    now = window(1_000, 3, 0.2, edge_label="negative")
    assert [drift(found, now, aspect) for aspect in ASPECTS] == [drift(REFERENCE, now, aspect) for aspect in ASPECTS]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"format": 2}, "format: Input should be 1"),
        ({"events": 999}, "events: Input should be greater than or equal to 1000"),
        ({"counts": {"labels": {"negative": 1}}}, "counts lack confidence, length, languages, roles, kinds"),
        ({"edges": {"confidence": [0.5, 0.4], "length": []}}, "edges of confidence are missing, or do not rise"),
        ({"edges": {"confidence": []}}, "edges of length are missing"),
        ({"counts": {"labels": {"negative": -1}}}, "counts.labels.negative: "),
    ],
)
def test_what_is_no_reference_is_refused(tmp_path: Path, changes: dict[str, object], why: str) -> None:
    file = tmp_path / "reference.json"
    file.write_text(json.dumps(json.loads(reference_text(REFERENCE)) | changes), "utf-8")
    with pytest.raises(DriftReferenceError) as refused:
        read_reference(str(file))
    assert why in str(refused.value)
    assert str(file) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_or_no_json_is_told(tmp_path: Path) -> None:
    with pytest.raises(DriftReferenceError, match="can't be read: No such file"):
        read_reference(str(tmp_path / "none.json"))
    (tmp_path / "text.json").write_text("hello", "utf-8")
    with pytest.raises(DriftReferenceError, match=r"text\.json is no drift reference: the whole: Invalid JSON"):
        read_reference(str(tmp_path / "text.json"))


def test_it_begins_where_the_models_in_force_began() -> None:
    found = release(at(0), at(1), at(2, model="edge@2.0.0"), at(3, model="edge@2.0.0"), at(4, model="edge@2.0.0"))
    reference = found.reference()
    assert reference.models == {"edge@2.0.0"}
    assert (reference.since_ms, reference.until_ms, reference.events) == (2 * HOUR_MS, 5 * HOUR_MS, 1_500)


def test_what_was_answered_while_a_release_was_rolled_out_is_left_out() -> None:
    mixed = at(1, model="edge@2.0.0")
    mixed.merge(at(1))
    reference = release(at(0), mixed, at(2, 1_000, model="edge@2.0.0")).reference()
    assert (set(reference.models), reference.events) == ({"edge@2.0.0"}, 1_000)


def test_another_policy_is_another_release() -> None:
    reference = release(at(0, 1_000), at(1, 1_200, router="careful@1")).reference()
    assert (set(reference.policies), reference.events) == ({"careful@1"}, 1_200)


def test_a_model_that_answers_beside_the_others_is_no_other_release() -> None:
    reference = release(at(0), at(1, model="cloud@1.0.0"), Window(0, 0, 0), at(2)).reference()
    assert (set(reference.models), reference.events) == ({"edge@1.0.0", "cloud@1.0.0"}, 1_500)


def test_too_few_events_make_none() -> None:
    with pytest.raises(DriftReferenceError, match=r"needs 1,000 events .* and there are 999 in this time"):
        release(at(0, 999)).reference()
    with pytest.raises(DriftReferenceError, match="there are 0 in this time"):
        release().reference()
