"""What Contact Lens and Transcribe Call Analytics have in common: an analysis whose `Transcript` is a list of turns."""

from collections.abc import Mapping
from typing import Final

from schemas.records import Role
from streams.files.formats.conversation import Conversation, Utterance
from streams.files.formats.field import Field
from streams.files.formats.roles import role_word
from streams.files.formats.times import moment, offset

ROLES: Final[Mapping[str, Role]] = {
    "agent": "agent", "supervisor": "agent", "customer": "customer", "system": "system", "custom_bot": "bot",
}  # fmt: skip


def participants(analysis: Field) -> dict[str, str]:
    """Each `ParticipantId` of `Participants[]` with its `ParticipantRole`: a chat's ids are no roles."""
    return {
        entry.at("ParticipantId").id(): entry.at("ParticipantRole").id()
        for entry in analysis.at("Participants").items()
    }


def add_segment(conversation: Conversation, segment: Field, roles: Mapping[str, str]) -> None:
    """Adds an entry of `Transcript[]`, or what stands under `Transcript` in a segment of a stream.

    A chat's joins, leaves, attachments and forms are entries, too: they are left out as events.

    Raises FormatError: it has no `Content`, or a field is of a wrong type.
    """
    if segment.at("Type").text() not in {"MESSAGE", ""} or segment.at("ContentType").text().startswith("application/"):
        conversation.leave_out("event")
        return
    speaker = segment.at("ParticipantId").id()
    role = segment.at("ParticipantRole").id() or roles.get(speaker, speaker)
    begin, end = (offset(segment.at(f"{name}OffsetMillis"), "ms") for name in ("Begin", "End"))
    conversation.add(
        Utterance(
            text=segment.at("Content").required().text(),
            id=segment.at("Id").id(),
            at=moment(segment.at("AbsoluteTime")) or moment(segment.at("Time").at("AbsoluteTime")),
            offset=begin,
            duration=end - begin if begin is not None and end is not None else None,
            role=role_word(role, ROLES),
            speaker=segment.at("DisplayName").text(),
            speaker_id=speaker or role,
            html=segment.at("ContentType").text() == "text/html",
            attributes={"vendor_sentiment": segment.at("Sentiment").plain()},
        )
    )
