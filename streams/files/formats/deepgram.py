"""Deepgram, a recorded file's results.

| Deepgram | turn |
|---|---|
| `metadata.request_id` | conversation_id |
| `results.utterances[].id`, else the place | event_id |
| `results.utterances[].transcript`; else `channels[].alternatives[0]`: its `paragraphs`, else its words by speaker | text |
| `start` in seconds from the start of the recording | occurred_at |
| `channel`, `speaker` (numbers), by the role map: `channel:0`, `speaker:0` | role |
| `channels[].detected_language` | language |
| `confidence`, `sentiment`, `sentiment_score`, `end` | attributes `vendor_confidence`, `vendor_sentiment`, `vendor_sentiment_score`, `duration_ms` |

The channel is voice. `metadata.created` is when the request was made, and so is no start.
"""  # noqa: E501

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.field import Field, has
from streams.files.formats.times import offset
from streams.files.formats.turn import Hints, Reading
from streams.files.formats.words import language_tag

NAME: Final = "deepgram"


def looks_like(value: object) -> bool:
    """Whether it has results with channels beside the metadata of a request."""
    return has(value, ["metadata", "results"]) and has(Field(value).at("results").value, ["channels"])


def read(value: object, hints: Hints) -> Reading:
    """The turns of one recording. Raises FormatError."""
    response = Field(value).object()
    results = response.at("results").object()
    conversation = Conversation(
        NAME, hints, conversation_id(response.at("metadata").at("request_id"), hints), channel="voice"
    )
    channels = results.at("channels").required().items()
    languages = [language_tag(channel.at("detected_language").text()) for channel in channels]
    if utterances := results.at("utterances").items():
        for utterance in utterances:
            number = utterance.at("channel").whole() or 0
            conversation.add(_utterance(utterance, languages[number] if number < len(languages) else None))
    else:
        for place, channel in enumerate(channels):
            for each in spoken(channel.at("alternatives").first().required(), str(place), languages[place]):
                conversation.add(each)
    return conversation.reading()


def spoken(alternative: Field, channel_id: str = "", language: str | None = None) -> Iterator[Utterance]:
    """The utterances of an alternative: its paragraphs, else runs of words of one speaker, else all of it.

    Raises FormatError: it has no `transcript`.
    """
    paragraphs = (
        alternative.at("paragraphs").at("paragraphs").items() if _is_object(alternative.at("paragraphs")) else []
    )
    words = alternative.at("words").items()
    if paragraphs:
        for paragraph in paragraphs:
            sentences = paragraph.at("sentences").required().items()
            text = " ".join(sentence.at("text").required().text() for sentence in sentences)
            yield _timed(text, paragraph, paragraph, channel_id, language, paragraph)
    elif any(word.at("speaker").there for word in words):
        for _, run in groupby(words, key=lambda word: word.at("speaker").id()):
            said = list(run)
            text = " ".join(word.at("punctuated_word", "word").required().text() for word in said)
            yield _timed(text, said[0], said[-1], channel_id, language)
    else:
        text = alternative.at("transcript").required().text()
        first, last = (words[0], words[-1]) if words else (Field(None, alternative.path),) * 2
        yield _timed(text, first, last, channel_id, language, alternative)


def _utterance(utterance: Field, language: str | None) -> Utterance:
    text = utterance.at("transcript").required().text()
    return _timed(text, utterance, utterance, utterance.at("channel").id(), language, utterance)


def _timed(
    text: str, first: Field, last: Field, channel_id: str, language: str | None, whole: Field | None = None
) -> Utterance:
    """An utterance from the start of `first` to the end of `last`; `whole` is what the vendor says of all of it."""
    begin, end = offset(first.at("start"), "s"), offset(last.at("end"), "s")
    whole = Field(None) if whole is None else whole
    return Utterance(
        text=text,
        id=whole.at("id").id(),
        offset=begin,
        duration=end - begin if begin is not None and end is not None else None,
        speaker_id=first.at("speaker").id(),
        channel_id=channel_id,
        language=language,
        attributes={
            "vendor_confidence": whole.at("confidence").plain(),
            "vendor_sentiment": whole.at("sentiment").plain(),
            "vendor_sentiment_score": whole.at("sentiment_score").plain(),
        },
    )


def _is_object(field: Field) -> bool:
    return isinstance(field.value, dict)
