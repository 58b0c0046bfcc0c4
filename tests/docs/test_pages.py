"""The front door is short and true: its links, its picture, and the limits that the models' cards state too."""

import json
import re

import pytest

from models.long_text import what_is_read
from tests.docs.pages import PAGES, REPOSITORY, read

CARDS = [str(path.relative_to(REPOSITORY)) for path in sorted((REPOSITORY / "models/artifacts").glob("*/CARD.md"))]
PICTURE = REPOSITORY / "docs" / "demo.svg"


def anchors(text: str) -> set[str]:
    """The anchors of the page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", [*PAGES, "CHANGELOG.md", "results/report.md", *CARDS])
def test_every_link_leads_somewhere(page: str) -> None:
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", read(page)):
        path, _, anchor = target.partition("#")
        if re.match(r"https?:", target):
            continue
        found = (REPOSITORY / page).parent / path if path else REPOSITORY / page
        if not found.exists() or (anchor and anchor not in anchors(found.read_text("utf-8"))):
            broken.append(target)
    assert broken == []


def test_the_readme_is_a_front_door() -> None:
    assert len(read("README.md").split()) < 900


def test_the_picture_is_small_and_from_a_run_that_was_verified() -> None:
    drawn = PICTURE.read_text("utf-8").replace("\xa0", " ").replace("&#160;", " ")
    assert len(drawn) < 100_000
    assert "verified: nothing lost, nothing twice" in drawn
    assert re.findall(r"url\(['\"]?http|@import|(?<![\w.])/(?:home|root|tmp|work|Users)/", drawn) == []


@pytest.mark.parametrize("card", [card for card in CARDS if (REPOSITORY / card).with_name("manifest.json").exists()])
def test_readme_and_cards_say_the_same_of_long_texts(card: str) -> None:
    manifest = json.loads((REPOSITORY / card).with_name("manifest.json").read_text("utf-8"))
    sentence = what_is_read(manifest["long_text"], manifest["max_tokens"], weighed="weighing" in manifest)
    assert sentence in read(card)
    said = re.search(r"a text of more than \d+ tokens( in pieces of at most \d+)?", sentence)
    assert said is not None
    assert said[0] in " ".join(read("README.md").split())


@pytest.mark.parametrize("page", [*PAGES, *CARDS])
def test_every_file_that_is_named_is_there(page: str) -> None:
    folders = "schemas|models|streams|training|edgewise|tests|deploy|benchmarks|samples|docs"
    named = re.findall(rf"`((?:{folders})/[\w./-]+\.\w+)`", read(page))
    assert [name for name in named if "NAME" not in name and not (REPOSITORY / name).exists()] == []
