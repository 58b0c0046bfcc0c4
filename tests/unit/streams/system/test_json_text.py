import json

import pytest

from streams.system.json_text import json_text


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            {"a": float("nan"), "b": [1.5, float("inf")], "c": {"d": -float("inf")}},
            {"a": None, "b": [1.5, None], "c": {"d": None}},
        ),
        ((1, float("nan")), [1, None]),
        (float("nan"), None),
        ({"text": "NaN", "n": 3, "ok": True}, {"text": "NaN", "n": 3, "ok": True}),
    ],
)
def test_json_has_no_word_for_what_is_no_number(value: object, expected: object) -> None:
    assert json.loads(json_text(value), parse_constant=pytest.fail) == expected
