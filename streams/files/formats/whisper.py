"""Whisper and OpenAI's transcriptions: `verbose_json`, `diarized_json`, what whisper's command and WhisperX write.

| Whisper | turn |
|---|---|
| (none; the caller's) | conversation_id |
| `segments[].id` | event_id |
| `segments[].text` | text |
| `segments[].start` in seconds from the start of the recording | occurred_at |
| `segments[].speaker` (`agent`, `A`, `SPEAKER_00`): as a word for a role, else by the role map | role |
| `language` (`english`) | language |
| `end` | attribute `duration_ms` |

Segments that whisper itself holds for no speech are left out: `no_speech_prob` above 0.6 with `avg_logprob` below -1,
the thresholds of its own decoder (openai/whisper, `transcribe.py`). Without segments, `text` is one turn.
"""

from typing import Final

from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.field import Field, has, lists
from streams.files.formats.roles import role_word
from streams.files.formats.times import offset
from streams.files.formats.turn import Hints, Reading
from streams.files.formats.words import language_tag

NAME: Final = "whisper"

_NO_SPEECH: Final = 0.6
_LOG_PROBABILITY: Final = -1.0


def looks_like(value: object) -> bool:
    """Whether it has segments with a start and a text of their own beside all of the text, or the words of WhisperX."""
    segments = lists(value, "segments")
    whole = has(value, ["text", "segments"]) or (bool(segments) and has(value, ["word_segments"]))
    return whole and all(has(entry, ["start", "end", "text"]) for entry in segments)


def read(value: object, hints: Hints) -> Reading:
    """The turns of one recording. Raises FormatError."""
    transcription = Field(value).object()
    conversation = Conversation(
        NAME,
        hints,
        conversation_id(Field(None), hints),
        channel="voice",
        language=language_tag(transcription.at("language").text()),
    )
    segments = transcription.at("segments").items()
    for segment in segments:
        silence, likelihood = segment.at("no_speech_prob").number(), segment.at("avg_logprob").number()
        if silence is not None and likelihood is not None and silence > _NO_SPEECH and likelihood < _LOG_PROBABILITY:
            conversation.leave_out("no speech")
        else:
            conversation.add(_utterance(segment))
    if not segments:
        conversation.add(Utterance(text=transcription.at("text").required().text(), offset=0))
    return conversation.reading()


def _utterance(segment: Field) -> Utterance:
    begin, end = offset(segment.at("start"), "s"), offset(segment.at("end"), "s")
    speaker = segment.at("speaker").id()
    return Utterance(
        text=segment.at("text").required().text(),
        id=segment.at("id").id(),
        offset=begin,
        duration=end - begin if begin is not None and end is not None else None,
        role=role_word(speaker),
        speaker_id=speaker,
    )
