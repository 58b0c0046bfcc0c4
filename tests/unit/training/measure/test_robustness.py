"""The behavioural tests themselves: what they change, what they count as passed."""

from collections.abc import Sequence

import numpy as np
import pytest

from schemas.records import LABELS
from training.data.corpus import text_key
from training.measure import robustness
from training.measure.figures import Scores
from training.measure.robustness import read_cases

TEXTS = ["@user the agent was GREAT, thanks!", "My bag is lost. Where is it?", "I need a new card please", "hello"]


def by_word(texts: Sequence[str]) -> Scores:
    """A classifier for tests: what "great" or "wonderful" and "lost" or "terrible" say, in lower case only."""
    words = [text.split() for text in texts]
    positive = np.array([sum("great" in word or "wonderful" in word for word in row) for row in words])
    negative = np.array([sum("lost" in word or "terrible" in word for word in row) for row in words])
    logits = np.stack([2.0 * negative, np.ones(len(texts)), 2.0 * positive], axis=1)
    return np.asarray(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True))


def results(score: robustness.Score) -> dict[str, dict[str, object]]:
    return {str(result["what"]): result for result in robustness.run(score, TEXTS)}


def test_a_model_that_minds_case_fails_the_texts_it_changes() -> None:
    found = results(by_word)
    # "lost" and "thanks" apart, the model sees "GREAT," only when it is in lower case.
    assert found["upper case"] == {
        "test": "invariance", "what": "upper case", "cases": 4, "passed": 3, "pass_rate": 0.75
    }  # fmt: skip
    spoken = found["as speech recognition writes it (lower case, no punctuation)"]
    assert (spoken["cases"], spoken["passed"]) == (4, 3)
    assert found["a link appended"]["pass_rate"] == 1.0


def test_a_sentence_appended_must_not_move_a_text_the_other_way() -> None:
    def contrary(texts: Sequence[str]) -> Scores:
        longer = np.array([len(text.split()) > 8 for text in texts])
        return np.where(longer[:, None], [0.1, 0.1, 0.8], [0.5, 0.4, 0.1])

    found = results(contrary)
    assert found["a clearly negative sentence appended"]["passed"] == 1  # "hello" stays short
    assert found["a clearly positive sentence appended"]["pass_rate"] == 1.0

    def barely(texts: Sequence[str]) -> Scores:
        # A third of a sentence's weight too far, but within the tolerance.
        longer = np.array([len(text.split()) > 8 for text in texts])
        return np.where(longer[:, None], [0.46, 0.4, 0.14], [0.5, 0.4, 0.1])

    assert results(barely)["a clearly negative sentence appended"]["pass_rate"] == 1.0


def test_the_same_text_is_changed_in_the_same_way_wherever_it_stands() -> None:
    def seen(texts: Sequence[str]) -> list[str]:
        calls: list[str] = []

        def record(batch: Sequence[str]) -> Scores:
            calls.extend(batch)
            return np.tile([0.2, 0.5, 0.3], (len(batch), 1))

        robustness.run(record, texts)
        return calls

    assert sorted(seen(TEXTS)) == sorted(seen(TEXTS[::-1]))


def test_the_cases_are_many_different_and_of_every_label() -> None:
    groups = read_cases()
    keys = [text_key(text) for group in groups for text in group.texts]
    assert len(keys) == len(set(keys)) >= 90
    assert sum(len(group.texts) for group in groups if "negated" in group.what) == 50
    assert {label for group in groups for label in group.expect} == set(LABELS)


@pytest.mark.parametrize("label", range(3))
def test_a_model_with_one_answer_passes_what_allows_it(label: int) -> None:
    found = results(lambda texts: np.tile(np.eye(3)[label], (len(texts), 1)))
    for group in read_cases():
        assert found[group.what]["pass_rate"] == float(LABELS[label] in group.expect)
    assert found["two adjacent letters swapped in one word"]["pass_rate"] == 1.0
