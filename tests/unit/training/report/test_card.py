"""The card of an artifact."""

from typing import Any

import pytest

from tests.unit.training.made_up_run import changed, manifest
from training.report import card, markdown


@pytest.mark.parametrize("name", ["edge", "cloud"])
def test_a_card_begins_with_the_terms_beside_the_command_for_ones_own_data(
    collected: dict[str, Any], name: str
) -> None:
    text = card.text(manifest(name), collected)
    terms = text.partition("## Terms")[2].partition("\n## ")[0]
    assert text.index("## Terms") < text.index("## Figures")
    assert "Apache-2.0" in terms
    assert "| airline | 7,758 | yes | CC BY-NC-SA 4.0 (no commercial use) | a paper |" in terms
    assert "| semeval | 44,327 | yes | for research | another |" in terms
    assert "| chats | 9,968 | no | terms not stated | not stated |" in terms
    assert "edgewise train all --config FILE" in terms


def test_a_card_has_its_own_models_figures(collected: dict[str, Any]) -> None:
    text = card.text(manifest("edge"), collected)
    for name, figures in collected["evaluation"]["artifacts"]["edge"]["sets"].items():
        assert f"| {name} | {figures['rows']:,} | {markdown.figure(figures, 'accuracy')} |" in text
    assert "It keeps 99.5 % (97.8 to 101.2) of the cloud" in text
    assert "below a confidence of 0.512" in text
    cloud = card.text(manifest("cloud"), collected)
    assert "It keeps" not in cloud
    assert "below a confidence" not in cloud


def test_a_behavioural_test_that_is_always_passed_is_no_limit(collected: dict[str, Any]) -> None:
    path = ("evaluation", "artifacts", "edge", "robustness", 0, "passed")
    assert "| upper case |" in card.text(manifest("edge"), collected)
    assert "| upper case |" not in card.text(manifest("edge"), changed(collected, path, 400))


def test_a_card_says_what_is_read_of_a_long_text(collected: dict[str, Any]) -> None:
    read = manifest("edge") | {"max_tokens": 128, "long_text": "head"}
    assert "Of a text of more than 128 tokens it reads the beginning." in card.text(read, collected)


def test_a_card_says_where_what_was_learned_before_the_run_is_not_checked(collected: dict[str, Any]) -> None:
    said = "What was learned before that run is not checked."
    assert said not in card.text(manifest("edge"), collected)
    assert said in card.text(manifest("edge"), collected | {"config": {"teacher": "f" * 64}})
    former = changed(collected, ("compress", "rows", 0, "model"), "edge-former")
    assert said in card.text(manifest("edge"), former)
