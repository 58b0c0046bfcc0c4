import json
import random
from pathlib import Path

import pytest

from models.redaction import Kind, Span
from schemas.errors import UsageError
from training.redaction.examples import Names, chats, comments, common_words, spoken
from training.redaction.figures import Labelled
from training.redaction.people import People

NAMED = [
    Labelled("a", "my name is darion maria", (Span(11, 23, "NAME"),)),
    Labelled("b", "bert", (Span(0, 4, "NAME"),)),
]


def names() -> Names:
    rng = random.Random(1)
    return Names(NAMED, People(rng, learned=True), rng)


def test_chats_are_read_by_domain_and_user_names_are_names(tmp_path: Path) -> None:
    for domain in ("bank", "shop"):
        row = {"id": f"<CONV>{domain}<TURN>1", "text": "lilly", "spans": [{"start": 0, "end": 5, "kind": "USERNAME"}]}
        (tmp_path / f"multidogo.{domain}.train.jsonl").write_text(json.dumps(row) + "\n")
    assert [item.conversation for item in chats(tmp_path)] == ["<CONV>bank", "<CONV>shop"]
    assert chats(tmp_path, ["shop"]) == [Labelled("<CONV>shop", "lilly", (Span(0, 5, "NAME"),))]
    with pytest.raises(UsageError, match=r"no multidogo\.\*\.train\.jsonl there"):
        chats(tmp_path, ["none"])


def test_masked_names_are_filled_and_the_spans_are_theirs(tmp_path: Path) -> None:
    path = tmp_path / "train.csv"
    path.write_text('id,text\n1,"[NAME] and [NAME]!"\n2,no name\n3,neither\n4,[RELIGION] is none\n')
    made = comments(path, names(), random.Random(1), limit=1)
    filled = [item for item in made if item.spans]
    assert len(filled) == 2  # twice, with other names
    for item in filled:
        first, second = item.spans
        assert item.text == f"{item.text[first.start : first.end]} and {item.text[second.start : second.end]}!"
        assert item.text[first.start].isupper()
    assert [item.text in {"no name", "neither"} for item in made if not item.spans] == [True]


def test_names_are_those_given_others_of_their_letters_and_other_people_s() -> None:
    chosen = names()
    drawn = {word.lower() for _ in range(600) for word in chosen.draw().split()}
    assert {"darion", "maria", "bert", "daria"} <= drawn  # the last is made
    one, other = names(), names()
    assert [one.draw() for _ in range(20)] == [other.draw() for _ in range(20)]


def test_spoken_turns_have_no_kind_that_is_not_learned() -> None:
    assert "USERNAME" not in {span.kind for item in spoken(1) for span in item.spans}


def test_common_words_are_frequent_and_hardly_ever_a_name_s() -> None:
    text = "Grace gave Will grace"
    texts = [Labelled(str(at), text, (Span(0, 5, "NAME"), Span(11, 15, "NAME"))) for at in range(4)]
    texts += [Labelled("5", "gave will", ())] * 196
    names: tuple[Kind, ...] = ("NAME",)
    assert common_words(texts, names) == ["gave", "will"]
    assert common_words(texts[:4], names) == []
    assert common_words(texts, ()) == ["gave", "grace", "will"]
