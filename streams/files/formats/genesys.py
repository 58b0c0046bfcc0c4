"""Genesys Cloud: the transcript of a communication, as Speech and Text Analytics stores it.

| Genesys | turn |
|---|---|
| `conversationId` | conversation_id |
| `communicationId`, `transcriptId` and the phrase's place | event_id |
| `transcripts[].phrases[].decoratedText`, else `text` | text |
| `phrases[].startTimeMs`, since 1970 | occurred_at |
| `phrases[].participantPurpose`: external is the customer, internal the agent | role |
| `mediaType` | channel |
| `transcripts[].language` | language |
| `analytics.sentiment[]` of the same time, `confidence`, `duration` | attributes `vendor_sentiment`, `vendor_confidence`, `duration_ms` |

A transfer gives several transcripts, and all are read. A conversation with several communications is several files;
their turns are numbered in each, and as one, by time, where one file or one replay has them all. `phraseIndex` of a
sentiment does not count phrases of this list, hence the match by time.
"""  # noqa: E501

from collections.abc import Mapping
from typing import Final

from schemas.records import Role
from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.field import Field, has, lists
from streams.files.formats.roles import role_word
from streams.files.formats.times import epoch, offset
from streams.files.formats.turn import Hints, Reading
from streams.files.formats.words import channel_word, language_tag

NAME: Final = "genesys"

ROLES: Final[Mapping[str, Role]] = {
    "external": "customer", "customer": "customer", "internal": "agent", "agent": "agent", "user": "agent",
    "acd": "system", "ivr": "bot", "bot": "bot", "botflow": "bot", "workflow": "system", "voicemail": "system",
}  # fmt: skip


def looks_like(value: object) -> bool:
    """Whether it has a conversation's id and transcripts that have phrases."""
    phrases = (has(entry, ["phrases"]) for entry in lists(value, "transcripts"))
    return has(value, ["conversationId"]) and any(phrases)


def read(value: object, hints: Hints) -> Reading:
    """The turns of one communication. Raises FormatError."""
    stored = Field(value).object()
    conversation = Conversation(
        NAME,
        hints,
        conversation_id(stored.at("conversationId"), hints),
        channel=channel_word(stored.at("mediaType").text()),
    )
    communication = stored.at("communicationId").id()
    for place, transcript in enumerate(stored.at("transcripts").required().items()):
        _add_transcript(conversation, transcript, f"{communication}/{transcript.at('transcriptId').id() or place}")
    return conversation.reading()


def _add_transcript(conversation: Conversation, transcript: Field, within: str) -> None:
    sentiments = {
        (entry.at("startTimeMs").plain(), entry.at("participant").plain()): entry.at("sentiment").plain()
        for entry in transcript.at("analytics").at("sentiment").items()
    }
    language = language_tag(transcript.at("language").text())
    for place, phrase in enumerate(transcript.at("phrases").items()):
        purpose = phrase.at("participantPurpose").id()
        text = phrase.at("decoratedText").text() or phrase.at("text").required().text()
        conversation.add(
            Utterance(
                text=text,
                id=f"{within}/{place}",
                at=epoch(phrase.at("startTimeMs"), "ms"),
                duration=offset(phrase.at("duration").at("milliseconds"), "ms"),
                role=role_word(purpose, ROLES),
                speaker_id=purpose,
                language=language,
                attributes={
                    "vendor_sentiment": sentiments.get((phrase.at("startTimeMs").plain(), purpose)),
                    "vendor_confidence": phrase.at("confidence").plain(),
                },
            )
        )
