import pytest

from schemas.vendor_sentiment import vendor_label


@pytest.mark.parametrize(
    ("attributes", "label"),
    [
        ({"vendor_sentiment": "NEGATIVE"}, "negative"),  # Contact Lens
        ({"vendor_sentiment": " positive"}, "positive"),  # Deepgram
        ({"vendor_sentiment": "-1"}, "negative"),  # Genesys
        ({"vendor_sentiment": "0.75"}, "positive"),
        ({"vendor_sentiment": "0"}, "neutral"),
        ({"vendor_sentiment": "MIXED"}, None),
        ({"vendor_sentiment": "nan"}, None),
        ({"vendor_sentiment": "1e999"}, None),
        ({"vendor_sentiment": "MIXED", "vendor_sentiment_score": "0.9"}, None),  # the word is the vendor's verdict
        ({"vendor_sentiment_score": "-0.3"}, "neutral"),  # Google
        ({"vendor_sentiment_score": "2.5"}, "positive"),  # PCA
        ({"label": "negative"}, None),
    ],
)
def test_a_vendors_word_or_number_is_a_label_of_ours(attributes: dict[str, str], label: str | None) -> None:
    assert vendor_label(attributes) == label
