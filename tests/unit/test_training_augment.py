"""Variants of the domain's texts."""

from hypothesis import given
from hypothesis import strategies as st

from training.augment import variants

TEXTS = ["@user your crew was great, but my bag is lost!", "When does gate 4 open?", "thank you", "", "late. Again."]


def test_variants_are_as_many_as_asked_for_and_the_same_for_the_same_seed() -> None:
    made = variants(TEXTS, 40, seed=1)
    assert len(made) == 200
    assert made == variants(TEXTS, 40, seed=1)
    assert made != variants(TEXTS, 40, seed=2)


def test_variants_splice_drop_mistype_and_lose_case_and_punctuation() -> None:
    made = variants(TEXTS, 400, seed=1)
    assert len(set(made)) > 100
    assert any("bag is lost!" in text and "When does gate" in text for text in made)
    assert any(text and text == text.lower() and "great" in text and "," not in text for text in made)
    assert any("@user" in text and "your crew" not in text for text in made)
    letters = {"".join(sorted(word)) for text in TEXTS for word in text.split()}
    words = {word for text in TEXTS for word in text.split()}
    typed = {word for text in made for word in text.split() if word not in words}
    assert any("".join(sorted(word)) in letters for word in typed)


@given(st.lists(st.text(max_size=60), min_size=1, max_size=5), st.integers(0, 2**32))
def test_any_text_has_variants(texts: list[str], seed: int) -> None:
    assert len(variants(texts, 3, seed)) == 3 * len(texts)
