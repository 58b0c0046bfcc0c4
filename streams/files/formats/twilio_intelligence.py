"""Twilio Conversation Intelligence (Voice Intelligence): the sentences of a transcript.

| Twilio | turn |
|---|---|
| `transcript.sid`, else the `GT…` in `meta.url` | conversation_id |
| `sentences[].sid` | event_id |
| `sentences[].transcript` | text |
| `sentences[].sentence_index` | turn |
| `transcript.media_start_time` and `start_time` in seconds, which may be a text or null | occurred_at |
| `transcript.channel.participants[].role` by `media_channel`, else by the role map: `channel:1` | role |
| `transcript.language_code` | language |
| `confidence`, `end_time` | attributes `vendor_confidence`, `duration_ms` |

The API gives sentences without their transcript. Put the transcript beside them, as `transcript`, to have a start, a
language and roles. The channel is voice.
"""

import re
from typing import Final

from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.field import Field, has, lists
from streams.files.formats.roles import role_word
from streams.files.formats.times import moment, offset
from streams.files.formats.turn import Hints, Reading
from streams.files.formats.words import language_tag

NAME: Final = "twilio-intelligence"

_TRANSCRIPT: Final = re.compile(r"/Transcripts/(GT[0-9a-fA-F]{32})(?:/|$)")


def looks_like(value: object) -> bool:
    """Whether it is a page of sentences."""
    sentences = lists(value, "sentences")
    return any(has(entry, ["media_channel", "transcript"]) for entry in sentences) or (
        has(value, ["sentences", "meta"]) and not sentences
    )


def read(value: object, hints: Hints) -> Reading:
    """The turns of one page of sentences. Raises FormatError."""
    page = Field(value).object()
    transcript = page.at("transcript")
    meta = page.at("meta").at("url")
    named = _TRANSCRIPT.search(meta.text())
    own = transcript.at("sid") if transcript.there else Field(named[1] if named else None, meta.path)
    conversation = Conversation(
        NAME,
        hints,
        conversation_id(own, hints),
        channel="voice",
        language=language_tag(transcript.at("language_code").text()),
        start=moment(transcript.at("media_start_time")),
    )
    roles = {
        person.at("channel_participant").id(): person.at("role").text()
        for person in transcript.at("channel").at("participants").items()
    }
    for sentence in page.at("sentences").required().items():
        begin, end = offset(sentence.at("start_time"), "s"), offset(sentence.at("end_time"), "s")
        channel = sentence.at("media_channel").id()
        conversation.add(
            Utterance(
                text=sentence.at("transcript").required().text(),
                id=sentence.at("sid").id(),
                number=sentence.at("sentence_index").whole(),
                offset=begin,
                duration=end - begin if begin is not None and end is not None else None,
                role=role_word(roles.get(channel, "")),
                channel_id=channel,
                attributes={"vendor_confidence": sentence.at("confidence").plain()},
            )
        )
    return conversation.reading()
