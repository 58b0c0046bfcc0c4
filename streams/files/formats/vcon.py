"""vCon (IETF, draft-ietf-vcon-vcon-container), versions 0.0.1 to 0.5.0, and the conserver's without a version.

| vCon | turn |
|---|---|
| `uuid` | conversation_id |
| the place of the dialog, or of the analysis and the entry in it | event_id |
| `dialog[].body` of the type `text` (plain, HTML or a mail of several parts, as it is or base64url) | text |
| `analysis[].body` of the types `transcript` and `wtf_transcription`: see below | text |
| `dialog[].start`, and within a transcript `start` | occurred_at |
| `parties[]` by the dialog's `originator`, else the first of its `parties`: `role`, `meta.role`, else `name` | role |
| voice of a recording; email where a text has a `message_id` or its parties have only `mailto`; else chat | channel |
| `parties[].name` | attribute `speaker` |
| `transcript.language` of the extension WTF | language |

A transcript's body is the vendor's own. Known are a list of turns with `text` or `message`, and `speaker`, `party` or
`parties`; the extension WTF (`segments[]`, whose `speaker` may have a label in `speakers`); and what Deepgram answers.
Of several transcripts of one dialog the redacted one is read, else the last, and the others are left out as repeated.
Dialogs without a text are events.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from schemas.records import Role
from streams.files.formats import deepgram
from streams.files.formats.conversation import Conversation, Utterance, conversation_id
from streams.files.formats.error import FormatError
from streams.files.formats.field import Field, has
from streams.files.formats.mail_parts import is_of_parts, shown_part
from streams.files.formats.roles import role_word
from streams.files.formats.times import moment as time_of
from streams.files.formats.times import offset
from streams.files.formats.turn import Hints, Reading
from streams.files.formats.words import language_tag

NAME: Final = "vcon"

_WTF: Final = "wtf_transcription"


def looks_like(value: object) -> bool:
    """Whether it is a vCon, be it signed, encrypted or without a version."""
    if has(value, ["vcon"]) or has(value, ["uuid", "parties", "dialog"]):
        return True
    return has(value, ["payload", "signatures"]) or has(value, ["ciphertext", "recipients"])


def read(value: object, hints: Hints) -> Reading:
    """The turns of one vCon. Raises FormatError: also for one that is signed or encrypted."""
    vcon = Field(value).object()
    if has(value, ["payload", "signatures"]):
        raise FormatError("a signed vCon (JWS): verify it, and give what its payload holds")
    if has(value, ["ciphertext"]):
        raise FormatError("an encrypted vCon (JWE): decrypt it first")
    conversation = Conversation(NAME, hints, conversation_id(vcon.at("uuid"), hints))
    vcon.at("parties").required()
    dialogs = vcon.at("dialog").items()
    texts = {place for place, dialog in enumerate(dialogs) if dialog.at("type").text() == "text"}
    chosen = _transcripts(conversation, vcon, texts)
    for place, dialog in enumerate(dialogs):
        if place in texts:
            conversation.add(_text(vcon, dialog, place))
        elif place not in chosen:
            conversation.leave_out("event")
    for place, (number, analysis) in chosen.items():
        dialog = dialogs[place] if 0 <= place < len(dialogs) else Field(None, "dialog")
        start = time_of(dialog.at("start"))
        before = start or None
        for entry, utterance in enumerate(_transcript(vcon, analysis)):
            at = utterance.at
            if at is None and start and utterance.offset is not None:
                at = start + utterance.offset
            before = before if at is None else at  # a vendor leaves out single times: it was with the one before it
            conversation.add(replace(utterance, id=f"a{number}/{entry}", at=before, channel="voice"))
    return conversation.reading()


def _transcripts(conversation: Conversation, vcon: Field, texts: set[int]) -> Mapping[int, tuple[int, Field]]:
    """The transcript to read of each dialog, by the dialog's place, with its own place; -1 where it names none."""
    chosen: dict[int, tuple[int, Field]] = {}
    for number, analysis in enumerate(vcon.at("analysis").items()):
        kind = analysis.at("type").text()
        if not kind.startswith(("transcript", _WTF)):
            continue
        dialog = analysis.at("dialog")
        named = dialog.first() if isinstance(dialog.value, list) else dialog
        place = named.whole()
        place = -1 if place is None else place
        if place in texts:
            conversation.leave_out("repeated")
        elif place not in chosen:
            chosen[place] = (number, analysis)
        else:
            conversation.leave_out("repeated")
            if "redacted" in kind or "redacted" not in chosen[place][1].at("type").text():
                chosen[place] = (number, analysis)
    return chosen


def _text(vcon: Field, dialog: Field, place: int) -> Utterance:
    kind = dialog.at("mediatype", "mimetype").text()
    party = dialog.at("originator")
    if not party.there:
        party = _first(dialog.at("parties"))
    role, name = _party(vcon, party)
    people = [party.value for party in vcon.at("parties").items()]
    by_mail = all(has(each, ["mailto"]) and not has(each, ["tel"]) for each in people)
    body = _body(dialog)
    text, is_html = "" if isinstance(body.value, dict | list) else body.text(), kind.startswith("text/html")
    if is_of_parts(kind):
        text, is_html = shown_part(text, kind, body.path)
    return Utterance(
        text=text,
        id=f"d{place}",
        at=time_of(dialog.at("start")),
        role=role,
        speaker=name,
        speaker_id=party.id(),
        channel="email" if people and (by_mail or dialog.at("message_id").there) else "chat",
        html=is_html,
    )


def _body(holder: Field) -> Field:
    """What `body` holds: decoded from base64url or JSON, as `encoding` says."""
    body, encoding = holder.at("body"), holder.at("encoding").text().lower()
    if not isinstance(body.value, str):
        return body
    text = body.text()
    if encoding == "base64url":
        try:
            text = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        except (binascii.Error, ValueError):
            raise FormatError("not base64url of UTF-8", body.path) from None
    return _json(text, body.path) if encoding == "json" else Field(text, body.path)


def _json(text: str, path: str) -> Field:
    try:
        return Field(json.loads(text), path)
    except (ValueError, RecursionError):
        raise FormatError("not JSON", path) from None


def _party(vcon: Field, party: Field) -> tuple[Role, str]:
    """The role and the name of the party with the index that `party` holds; unknown and "" where it holds none."""
    place = party.whole()
    parties = vcon.at("parties").items()
    if place is None or place >= len(parties):
        return "unknown", ""
    person = parties[place]
    name = person.at("name").text()
    meta = person.at("meta")
    word = person.at("role").text() or (meta.at("role").text() if isinstance(meta.value, dict) else "")
    return role_word(word or name), name


def _transcript(vcon: Field, analysis: Field) -> Iterator[Utterance]:
    """The utterances of a transcript. Raises FormatError: its body is of no known kind."""
    body = _body(analysis)
    if isinstance(body.value, str) and body.value.lstrip().startswith(("{", "[")):  # whatever `encoding` says
        body = _json(body.value, body.path)
    if isinstance(body.value, str):
        yield Utterance(text=body.text(), offset=0)
    elif isinstance(body.value, list):
        for entry in body.items():
            yield _entry(vcon, entry, Field(None))
    elif has(body.value, ["segments"]):
        spoken = (
            language_tag(body.at("transcript").at("language").text()) if _is_object(body.at("transcript")) else None
        )
        for entry in body.at("segments").items():
            yield replace(_entry(vcon, entry, body.at("speakers")), language=spoken)
    elif has(body.value, ["results"]):
        for place, channel in enumerate(body.at("results").at("channels").required().items()):
            yield from deepgram.spoken(channel.at("alternatives").first().required(), str(place))
    elif has(body.value, ["transcript"]) and isinstance(body.at("transcript").value, str):
        yield from deepgram.spoken(body)
    else:
        raise FormatError(
            "a transcript of an unknown kind: neither a list of turns, segments, nor Deepgram's", body.path
        )


def _entry(vcon: Field, entry: Field, speakers: Field) -> Utterance:
    """A turn of a list: who speaks is a party's index, a party's name, a word for a role, or a label.

    `speakers` has more of each label: how it is called.
    """
    start = entry.at("start")
    moment = time_of(start) if isinstance(start.value, str) and "-" in start.value else None
    party = _first(entry.at("party", "parties"))
    role, name = _party(vcon, party) if party.there else ("unknown", "")
    speaker = entry.at("speaker", "role").id()
    more = speakers.at(speaker) if _is_object(speakers) else Field(None)
    called = (more.at("label").text() if _is_object(more) else "") or speaker
    for place, person in enumerate(vcon.at("parties").items() if called and not party.there else []):
        if person.at("name").text() == called:
            role, name = _party(vcon, Field(place))
    return Utterance(
        text=entry.at("text", "message", "transcript").required().text(),
        at=moment,
        offset=None if moment is not None else offset(start, "s"),
        duration=offset(entry.at("duration"), "s"),
        role=role if role != "unknown" else role_word(called),
        speaker=name or (called if called != speaker else ""),
        speaker_id=speaker or party.id(),
        attributes={"vendor_confidence": entry.at("confidence").plain()},
    )


def _first(parties: Field) -> Field:
    """The first index of `parties`, which is one, a list, or a list of them for each channel of a recording."""
    while isinstance(parties.value, list):
        parties = parties.first()
    return parties


def _is_object(field: Field) -> bool:
    return isinstance(field.value, dict)
