"""Decisions on labelled texts are those that the edge takes on the same texts on the line."""

from models.artifact import load_artifact
from models.classifier import Classifier
from streams.config.settings import Settings
from streams.files.recording import Row
from streams.operate.labelled_decisions import labelled_decisions

SAID = "I see that the payment failed, I am sorry about that."


def test_the_edge_is_told_who_speaks() -> None:
    """Seen to fail with the texts alone: an agent's confidence was the customer's."""
    fields: list[dict[str, object]] = [{"label": "neutral"}, {"label": "neutral", "role": "agent"}]
    settings = Settings()
    decisions = labelled_decisions(settings, [Row(1, 1, each, SAID) for each in fields], "label")
    classifier = Classifier(load_artifact(settings.edge_model))
    expected = classifier.score([SAID, SAID], ["unknown", "agent"]).max(axis=1).tolist()
    assert expected[0] != expected[1]
    assert decisions.confidence.tolist() == expected
