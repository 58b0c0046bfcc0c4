"""The routing rules: each part's definition at its edges, the order of the rules, the random sample."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.router import KEYWORDS, Decision, Policy, Scored, complexity, policy, random_draw
from schemas.errors import UsageError

TEXTS = st.text(max_size=400) | st.lists(
    st.sampled_from(["angry", "ANGRY!", "managers", "so", "late.", "why?", "\U0001f621", "manager", "refund"]),
    max_size=80,
).map(" ".join)
CONFIDENCES = st.floats(0, 1)
KEEP = Policy("test", "1", confidence_threshold=0.6, complexity_threshold=0.75, random_cloud_rate=0.0)


def decision(router: Policy, event_id: str, text: str, confidence: float) -> Decision:
    [decided] = router.decide([Scored(event_id, text, confidence)])
    return decided


def test_total_is_the_weighted_sum_of_hand_computed_parts() -> None:
    text = "I am angry. Where is your manager?"  # 34 characters, 7 words, 2 sentences, 2 keywords
    parts = complexity(text, 0.8)
    assert parts.length == pytest.approx(34 / 200)
    assert parts.syntax == pytest.approx(7 / 2 / 15)
    assert parts.uncertainty == pytest.approx(0.4)
    assert parts.emotion == pytest.approx(2 / 3)
    assert parts.total == pytest.approx(0.3 * 34 / 200 + 0.3 * 3.5 / 15 + 0.2 * 0.4 + 0.2 * 2 / 3)


@pytest.mark.parametrize(
    ("text", "words_per_sentence"),
    [
        ("", 0),
        (" \t\n", 0),
        ("no punctuation at all", 4),
        ("One. Two three", 1.5),  # what follows the last full stop is a sentence
        ("One. Two three.", 1.5),
        ("it is 3.5 miles", 4),  # a full stop inside a word ends nothing
        ("really?! yes…", 1),
        ("\U0001f621\U0001f621 \U0001f621", 2),  # only emoji: words like others
        ("好的。 不好\uff01", 1),
        ("...", 1),
    ],
)
def test_words_per_sentence(text: str, words_per_sentence: float) -> None:
    assert complexity(text, 1.0).syntax == pytest.approx(words_per_sentence / 15)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ANGRY", 1),
        ("angry, angry and angry", 1),  # different keywords count, not how often
        ("the managers complained angrily", 0),  # whole words only
        ("(Terrible)", 1),
        ("awful/terrible", 2),
        (" ".join(KEYWORDS), 3),  # capped at 1
    ],
)
def test_emotion_counts_different_whole_words(text: str, found: int) -> None:
    assert complexity(text, 1.0).emotion == pytest.approx(found / 3)


@pytest.mark.parametrize(("confidence", "uncertainty"), [(0.0, 0), (0.25, 0.5), (0.5, 1), (0.75, 0.5), (1.0, 0)])
def test_uncertainty_peaks_at_one_half(confidence: float, uncertainty: float) -> None:
    assert complexity("", confidence).uncertainty == pytest.approx(uncertainty)


@given(TEXTS, CONFIDENCES)
def test_every_part_is_from_0_to_1_and_a_function_of_its_input(text: str, confidence: float) -> None:
    parts = complexity(text, confidence)
    assert all(0 <= part <= 1 for part in parts)
    assert complexity(text, confidence) == parts


@given(TEXTS, st.lists(st.sampled_from(["word", "angry", "furious"]), min_size=1, max_size=40).map(" ".join))
def test_more_words_before_the_first_sentence_ends_never_lower_a_part(text: str, more: str) -> None:
    before, after = complexity(text, 0.9), complexity(f"{more} {text}", 0.9)
    assert after.length >= before.length
    assert after.syntax >= before.syntax
    assert after.emotion >= before.emotion


@given(TEXTS, st.floats(0.5, 1), st.floats(0.5, 1))
def test_complexity_falls_as_confidence_rises_above_one_half(text: str, one: float, other: float) -> None:
    low, high = sorted((one, other))
    assert complexity(text, low).total >= complexity(text, high).total


def test_rules_apply_in_order() -> None:
    hard = "angry furious terrible " * 20
    everything = Policy("test", "1", 0.6, 0.75, random_cloud_rate=1.0)
    assert decision(everything, "a", hard, 0.5).reason == "high_complexity"
    assert decision(everything, "a", "fine", 0.5).reason == "low_confidence"
    assert decision(everything, "a", "fine", 0.9).reason == "random_cloud"
    assert decision(KEEP, "a", "fine", 0.9)[:2] == ("edge", "optimal_edge")


def test_thresholds_themselves_stay_on_the_edge() -> None:
    at = complexity("fine", 0.6)
    exact = Policy("test", "1", confidence_threshold=0.6, complexity_threshold=at.total, random_cloud_rate=0.0)
    assert decision(exact, "a", "fine", 0.6).route == "edge"


@given(st.text(max_size=50))
def test_a_draw_is_a_function_of_the_id_within_0_and_1(event_id: str) -> None:
    assert 0 <= random_draw(event_id) < 1
    assert random_draw(event_id) == random_draw(event_id)


def test_a_draw_is_the_same_in_every_release() -> None:
    assert random_draw("event-1") == 0.28769286461598464


@pytest.mark.parametrize("rate", [0.02, 0.05])
@pytest.mark.parametrize("shape", ["{}", "conversation-7:{}", "{:032x}"])
def test_the_random_share_is_binomial(rate: float, shape: str) -> None:
    n = 100_000
    share = sum(random_draw(shape.format(i)) < rate for i in range(n)) / n
    assert abs(share - rate) < 4.5 * (rate * (1 - rate) / n) ** 0.5


def test_the_random_sample_is_independent_of_text_and_confidence() -> None:
    chosen = policy("article", calibrated_threshold=None)
    ids = [str(i) for i in range(50_000)]
    kept = [decision(chosen, i, "fine", 0.95).reason == "random_cloud" for i in ids]
    other = [decision(chosen, i, "all very good", 0.99).reason == "random_cloud" for i in ids]
    assert kept == other


def test_presets_and_overrides() -> None:
    default = policy("default", calibrated_threshold=0.63)
    assert (default.id, default.confidence_threshold, default.complexity_threshold, default.random_cloud_rate) == (
        "default@1", 0.63, 0.75, 0.02,
    )  # fmt: skip
    article = policy("article", calibrated_threshold=0.63)
    assert (article.id, article.confidence_threshold, article.complexity_threshold, article.random_cloud_rate) == (
        "article@1", 0.90, 0.75, 0.05,
    )  # fmt: skip
    changed = policy(
        "default", calibrated_threshold=0.63, confidence_threshold=0.0, complexity_threshold=0.5, random_cloud_rate=0.0
    )
    assert (changed.confidence_threshold, changed.complexity_threshold, changed.random_cloud_rate) == (0.0, 0.5, 0.0)
    assert changed.id == "default@1+confidence=0+complexity=0.5+random=0"


def test_two_policies_have_two_ids() -> None:
    numbers = (0.54781234, 0.54781239, 0.5, 1e-7, 1e9)
    ids = [policy("default", calibrated_threshold=0.5, complexity_threshold=number).id for number in numbers]
    assert [each.removeprefix("default@1+complexity=") for each in ids] == [
        "0.54781234", "0.54781239", "0.5", "1e-07", "1e+09",
    ]  # fmt: skip


def test_a_model_without_a_threshold_needs_one_given() -> None:
    with pytest.raises(UsageError, match="confidence_threshold") as raised:
        policy("default", calibrated_threshold=None)
    assert "\n" not in str(raised.value)
    assert policy("default", calibrated_threshold=None, confidence_threshold=0.7).confidence_threshold == 0.7
