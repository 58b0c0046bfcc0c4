"""What a grammar's files may say, and how its templates are filled."""

import hashlib
import random
import re
from pathlib import Path

import pytest

from training.data.grammar import LEARNED_BEFORE, USED_BY_STYLES, Grammar, GrammarError, load

START = '[[start]]\nkind = "question"\nlabel = "neutral"\ntexts = ["{what} is it{end?}"]\n'
RULES = '[rules]\nwhat = ["where", "when"]\nend = ["?"]\n'
MAIL = "".join(f'{name} = ["x"]\n' for name in sorted(USED_BY_STYLES))


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, "utf-8")
    return folder


def test_a_template_is_filled_with_lists_options_and_digits() -> None:
    grammar = Grammar((), {"a": ("x", "y {b}"), "b": ("z",)})
    rng = random.Random(1)
    filled = {grammar.expand("{a}{b?} {#3}", rng) for _ in range(500)}
    assert {text.rpartition(" ")[0] for text in filled} == {"x", "xz", "y z", "y zz"}
    assert all(re.fullmatch("[1-9][0-9]{2}", text.rpartition(" ")[2]) for text in filled)


def test_a_grammar_has_the_starts_and_lists_of_all_its_files(tmp_path: Path) -> None:
    found = load(write(tmp_path, a=START + RULES, b="[rules]\n" + MAIL))
    assert [start.texts for start in found.starts] == [("{what} is it{end?}",)]
    assert set(found.rules) == {"what", "end", *USED_BY_STYLES}


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"a": START + RULES + MAIL + "what = ["}, "a.toml is not TOML"),
        ({"a": START.replace("neutral", "calm") + RULES + MAIL}, "a.toml: start.0.label"),
        ({"a": START + "tone = 1\n" + RULES + MAIL}, "a.toml: start.0.tone: Extra inputs"),
        ({"a": RULES + MAIL}, "no [[start]] in any .toml file"),
        ({"a": START + RULES + MAIL + 'more = ["x"]'}, "nothing uses the list 'more'"),
        (
            {"a": START + RULES.replace("end", "ending") + MAIL},
            "the kind 'question' names the list 'end', which is not there",
        ),
        ({"a": START + RULES + MAIL, "b": '[rules]\nend = ["!"]'}, "b.toml: the list 'end' is in another file as well"),
        ({"a": START + RULES.replace('["?"]', "[]") + MAIL}, "a.toml: the list 'end' is empty"),
        (
            {"a": START + RULES.replace('["?"]', '["{what}", "{end}"]') + MAIL},
            "the list 'end' leads back to itself: end > end",
        ),
        (
            {"a": START + RULES.replace('"when"', '"{end}"').replace('["?"]', '["{what}"]') + MAIL},
            "the list 'what' leads back to itself: what > end > what",
        ),
        ({"a": START.replace("{end?}", "{End}") + RULES + MAIL}, "has a brace that is no {name}, {name?} or {#digits}"),
        ({"a": START + RULES}, "names the list 'handle', which is not there"),
    ],
)
def test_a_grammar_that_breaks_a_rule_is_refused_and_named(tmp_path: Path, files: dict[str, str], says: str) -> None:
    with pytest.raises(GrammarError, match=re.escape(says)):
        load(write(tmp_path, **files))


def test_turns_that_a_former_model_learned_from_are_not_measured_on_and_not_learned_from() -> None:
    before = set(LEARNED_BEFORE.read_text("utf-8").split())
    whole = load()

    def digests(grammar: Grammar) -> set[str]:
        return {hashlib.sha256(text.encode()).hexdigest() for start in grammar.starts for text in start.texts}

    assert len(before) == 472
    assert before <= digests(whole)
    assert before.isdisjoint(digests(whole.aside) | digests(whole.learned))
    assert digests(whole.aside) | digests(whole.learned) | before == digests(whole)
