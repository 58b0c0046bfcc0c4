"""The behaviour suite: what its files may say, and that the committed one is what it claims to be."""

import re
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from schemas.records import LABELS, Role
from training.data.suite import KINDS, UNSURE, Item, SuiteError, load

ROOT = Path(__file__).parents[4]
ITEM = '{ id = "ID", label = "neutral", text = "a text of ID" }'
HEAD = 'kind = "KIND"\nabout = "a kind"\nrole = "customer"\nchannel = "chat"\n'


def write(folder: Path, changed: str = KINDS[0], head: str = HEAD, items: str = ITEM) -> Path:
    """A suite with one item a kind; the file of the kind `changed` has another head or other items."""
    for kind in KINDS:
        top, rows = (head, items) if kind == changed else (HEAD, ITEM)
        text = f"{top}item = [ {rows} ]\n".replace("KIND", kind).replace("ID", f"{kind.replace('_', '-')}-01")
        (folder / f"{kind}.toml").write_text(text, "utf-8")
    return folder


def item(**changes: object) -> Item:
    values = {
        "id": "wishes-1", "text": "I wish it rained", "label": "neutral", "role": "customer", "channel": "chat",
        "form": "turn", "kind": "wishes",
    }  # fmt: skip
    return Item.model_validate(values | changes)


def test_an_item_has_what_its_file_says_unless_it_says_otherwise(tmp_path: Path) -> None:
    head = HEAD + 'form = "mail"\n'
    items = '{ id = "ID", labels = ["unsure", "negative"], role = "agent", text = "Hi\\nho", note = "why" }'
    first, second, *_ = load(write(tmp_path, head=head, items=items))
    assert (first.role, first.channel, first.form) == ("agent", "chat", "mail")
    assert (first.labels, first.text, first.note) == (("unsure", "negative"), "Hi\nho", "why")
    assert (second.kind, second.labels, second.form) == (KINDS[1], ("neutral",), "turn")


@pytest.mark.parametrize(
    ("head", "items", "says"),
    [
        (HEAD, '{ id = "ID", label = "angry", text = "x" }', "item plain-complaint-01: labels.0: Input should be"),
        (HEAD, '{ id = "ID", label = "neutral", text = "x", role = "boss" }', "item plain-complaint-01: role: Input"),
        (HEAD, '{ id = "ID", label = "neutral", text = "x", channel = "fax" }', "channel: Input should be 'unknown'"),
        (HEAD, '{ id = "ID", label = "neutral", text = "x", form = "poem" }', "form: Input should be 'turn'"),
        (HEAD, '{ id = "ID", label = "neutral", text = "x", why = "?" }', "why: Extra inputs are not permitted"),
        (HEAD, '{ id = "ID", label = "neutral" }', "text: Field required"),
        (HEAD, '{ id = "ID", label = "neutral", text = " \\n" }', "item plain-complaint-01: the text is blank"),
        (HEAD, '{ id = "ID", text = "x" }', "give either `label` or `labels`"),
        (HEAD, '{ id = "ID", label = "neutral", labels = ["neutral"], text = "x" }', "give either `label` or `labels`"),
        (HEAD, '{ id = "ID", labels = [], text = "x" }', "labels: Tuple should have at least 1 item"),
        (HEAD, '{ id = "ID", labels = ["neutral", "neutral"], text = "x" }', "labels: Value error, a label is given"),
        (
            HEAD,
            '{ id = "ID", labels = ["neutral", "positive", "negative"], text = "x" }',
            "every answer would be right",
        ),
        (HEAD, '{ id = "requests-1", label = "neutral", text = "x" }', "the id is plain-complaint- and a number, not"),
        (
            HEAD,
            '{ id = "plain-complaint-x", label = "neutral", text = "x" }',
            "the id is plain-complaint- and a number",
        ),
        (HEAD, f"{ITEM}, {ITEM.replace('a text', 'other')}", "item plain-complaint-01: the id is taken"),
        (
            HEAD,
            f'{ITEM}, {{ id = "plain-complaint-02", label = "negative", text = "A  text of ID" }}',
            "item plain-complaint-02: the text is also that of plain-complaint-01",
        ),
        (
            HEAD,
            '{ id = "ID", label = "neutral", text = "a text of requests-01" }',
            "item requests-01: the text is also that of plain-complaint-01",
        ),
        (HEAD.replace("KIND", "wishes"), ITEM, "the kind is 'wishes', the file's name says 'plain_complaint'"),
        (HEAD.replace('"customer"', '"boss"'), ITEM, "plain_complaint.toml: role: Input should be"),
        (HEAD.replace("about", "aboot"), ITEM, "plain_complaint.toml: about: Field required"),
        (HEAD, "", "plain_complaint.toml: item: List should have at least 1 item"),
        ("kind = plain", ITEM, "plain_complaint.toml is not TOML"),
    ],
)
def test_a_file_that_breaks_a_rule_is_refused_and_named(tmp_path: Path, head: str, items: str, says: str) -> None:
    with pytest.raises(SuiteError, match=re.escape(says)):
        load(write(tmp_path, head=head, items=items))


def test_every_kind_has_its_file_and_every_file_its_kind(tmp_path: Path) -> None:
    write(tmp_path)
    assert [each.kind for each in load(tmp_path)] == list(KINDS)
    (tmp_path / "tantrums.toml").write_text("", "utf-8")
    with pytest.raises(SuiteError, match=r"tantrums.toml: 'tantrums' is not a kind: plain_complaint, "):
        load(tmp_path)
    (tmp_path / "tantrums.toml").unlink()
    (tmp_path / "wishes.toml").unlink()
    with pytest.raises(SuiteError, match=r"no file for the kind 'wishes': wishes.toml is missing"):
        load(tmp_path)


def test_the_digest_is_of_the_text_and_what_is_right_for_it() -> None:
    same = item(note="a note", channel="voice").digest
    assert item().digest == same
    assert item(text="I wish it snowed").digest != same
    assert item(label="positive").digest != same


def test_the_committed_suite_is_large_and_mostly_single_turns() -> None:
    items = load()
    assert len(items) >= 640
    assert sum(each.form == "turn" for each in items) >= 0.75 * len(items)
    assert min(Counter(each.kind for each in items).values()) >= 14
    labels = Counter(label for each in items for label in each.labels)
    assert all(labels[label] >= len(items) / 6 for label in LABELS)
    assert {each.role for each in items} == set(get_args(Role)) - {"unknown"}
    assert {label for each in items if each.kind == "other_languages" for label in each.labels} == {UNSURE}


def test_the_page_on_labels_has_fifty_examples_that_are_no_test_items() -> None:
    page = (ROOT / "docs" / "labels.md").read_text("utf-8")
    rows = re.findall(r"^\| (.+) \| (.+) \| (\d+) \|$", page, re.MULTILINE)
    assert len(rows) == 50
    assert {rule for _, _, rule in rows} == set(re.findall(r"^(\d+)\. ", page, re.MULTILINE))
    assert {word for _, label, _ in rows for word in re.findall(r"negative|neutral|positive|unsure", label)} == {
        *LABELS, UNSURE
    }  # fmt: skip
    texts = {each.text.casefold() for each in load()}
    assert not texts & {re.sub(r"^\(\w+\) ", "", text).casefold() for text, _, _ in rows}
    assert f"{len(KINDS)} kinds" in page
