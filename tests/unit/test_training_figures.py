"""The figures that the manifests and the README quote, and the two numbers that are fitted on dev."""

import numpy as np
import pytest

from models.router import policy
from training.calibrate import choose_threshold, fit_temperature
from training.evaluate import calibration_error, classification, table


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def test_classification_weighs_the_labels_alike() -> None:
    # Of six negatives five are found, of two neutrals one, of two positives none; one of each miss goes to neutral.
    given = [0, 0, 0, 0, 0, 1, 1, 0, 1, 0]
    labels = [0, 0, 0, 0, 0, 0, 1, 1, 2, 2]
    figures = classification(np.eye(3)[given], labels)
    assert figures["accuracy"] == pytest.approx(6 / 10)
    assert figures["macro_recall"] == pytest.approx((5 / 6 + 1 / 2 + 0) / 3)
    assert figures["macro_f1"] == pytest.approx((10 / 13 + 2 / 5 + 0) / 3)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    # Four rows at 0.9, of which two are right; four at 0.5, of which three are right: gaps do not cancel out.
    probabilities = np.array([[0.9, 0.05, 0.05]] * 4 + [[0.5, 0.3, 0.2]] * 4)
    labels = [0, 0, 1, 2, 0, 0, 0, 1]
    assert calibration_error(probabilities, labels) == pytest.approx(0.5 * 0.4 + 0.5 * 0.25)


def test_the_temperature_that_made_a_model_overconfident_is_found() -> None:
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 1.5, (20_000, 3))
    labels = [int(rng.choice(3, p=row)) for row in softmax(logits)]
    assert fit_temperature(softmax(logits * 2.5), labels) == pytest.approx(2.5, abs=0.1)
    assert fit_temperature(softmax(logits), labels) == pytest.approx(1.0, abs=0.05)


def test_the_threshold_keeps_nine_tenths_on_the_edge() -> None:
    confidences = np.linspace(0.34, 1.0, 1_000).tolist()
    threshold = choose_threshold(["thanks"] * 1_000, confidences)
    kept = np.mean([confidence >= threshold for confidence in confidences])
    expected = kept * (1 - policy("default", calibrated_threshold=threshold).random_cloud_rate)
    assert 0.90 <= expected < 0.903


def test_texts_too_complex_for_the_edge_count_as_sent_away() -> None:
    complex_text = "unacceptable terrible awful " + "and so on " * 30
    texts = [complex_text] * 50 + ["thanks"] * 950
    confidences = [0.5] * 50 + np.linspace(0.34, 1.0, 950).tolist()
    with_complex = choose_threshold(texts, confidences)
    assert with_complex < choose_threshold(["thanks"] * 1_000, confidences)
    assert choose_threshold([complex_text] * 1_000, [0.5] * 1_000) == 0.0


def test_the_table_has_a_line_for_each_artifact_and_set() -> None:
    figures = {"accuracy": 0.85, "macro_f1": 0.8, "macro_recall": 0.79, "ece": 0.02, "rows": 1448}
    lines = table({"edge": {"airline_test": figures}}).splitlines()
    assert lines[2:] == ["| edge | airline_test | 1,448 | 0.8500 | 0.8000 | 0.7900 | 0.0200 |"]
