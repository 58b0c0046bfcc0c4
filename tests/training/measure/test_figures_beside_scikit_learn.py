"""The project's own figures against scikit-learn's."""

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, log_loss, recall_score

from training.measure.figures import classification, confusion, honesty


def test_the_figures_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(5)
    probabilities = rng.dirichlet([0.4, 0.8, 0.6], 400)
    labels = rng.choice(3, 400, p=[0.6, 0.3, 0.1]).tolist()
    given = probabilities.argmax(axis=1)
    ours = {**classification(probabilities, labels), **honesty(probabilities, labels)}
    assert ours["accuracy"] == pytest.approx(accuracy_score(labels, given))
    assert ours["macro_f1"] == pytest.approx(f1_score(labels, given, average="macro"))
    assert ours["macro_recall"] == pytest.approx(recall_score(labels, given, average="macro"))
    assert ours["nll"] == pytest.approx(log_loss(labels, probabilities))
    assert confusion(probabilities, labels).tolist() == confusion_matrix(labels, given).tolist()
