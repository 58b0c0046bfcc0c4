"""vCon (IETF, draft-ietf-vcon-vcon-container), versions 0.0.1 to 0.5.0, and the conserver's without a version.

| vCon | turn |
|---|---|
| `uuid` | conversation_id |
| the place of the dialog, or of the analysis and the entry in it | event_id |
| `dialog[].body` of the type `text` (plain or HTML, as it is or base64url) | text |
| `analysis[].body` of the type `transcript`: see below | text |
| `dialog[].start`, and within a transcript `start` | occurred_at |
| `parties[]` by the dialog's `originator`, else the first of its `parties`: `role`, `meta.role`, else `name` | role |
| voice of a recording; email where a text has a `message_id` or its parties have only `mailto`; else chat | channel |
| `parties[].name` | attribute `speaker` |

A transcript's body is the vendor's own. Known are a list of turns with `text` or `message`, and `speaker`, `party` or
`parties`; the extension WTF (`segments[]`); and what Deepgram answers. Of several transcripts of one dialog the
redacted one is read, else the last, and the others are left out as repeated. Dialogs without a text are events.
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
from streams.files.formats.roles import role_word
from streams.files.formats.times import moment as time_of
from streams.files.formats.times import offset
from streams.files.formats.turn import Hints, Reading

NAME: Final = "vcon"


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
        for entry, utterance in enumerate(_transcript(vcon, analysis)):
            at = utterance.at if utterance.at is not None else start and start + (utterance.offset or 0)
            conversation.add(replace(utterance, id=f"a{number}/{entry}", at=at or None, channel="voice"))
    return conversation.reading()


def _transcripts(conversation: Conversation, vcon: Field, texts: set[int]) -> Mapping[int, tuple[int, Field]]:
    """The transcript to read of each dialog, by the dialog's place, with its own place; -1 where it names none."""
    chosen: dict[int, tuple[int, Field]] = {}
    for number, analysis in enumerate(vcon.at("analysis").items()):
        kind = analysis.at("type").text()
        if not kind.startswith("transcript"):
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
        parties = dialog.at("parties")
        party = parties.first() if isinstance(parties.value, list) else parties
    role, name = _party(vcon, party)
    people = [party.value for party in vcon.at("parties").items()]
    by_mail = all(has(each, ["mailto"]) and not has(each, ["tel"]) for each in people)
    body = _body(dialog)
    return Utterance(
        text="" if isinstance(body.value, dict | list) else body.text(),
        id=f"d{place}",
        at=time_of(dialog.at("start")),
        role=role,
        speaker=name,
        speaker_id=party.id(),
        channel="email" if people and (by_mail or dialog.at("message_id").there) else "chat",
        html=kind.startswith("text/html"),
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
    if encoding == "json":
        try:
            return Field(json.loads(text), body.path)
        except (ValueError, RecursionError):
            raise FormatError("not JSON", body.path) from None
    return Field(text, body.path)


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
    if isinstance(body.value, str):
        yield Utterance(text=body.text(), offset=0)
    elif isinstance(body.value, list):
        for entry in body.items():
            yield _entry(vcon, entry)
    elif has(body.value, ["segments"]):
        for entry in body.at("segments").items():
            yield _entry(vcon, entry)
    elif has(body.value, ["results"]):
        for place, channel in enumerate(body.at("results").at("channels").required().items()):
            yield from deepgram.spoken(channel.at("alternatives").first().required(), str(place))
    elif has(body.value, ["transcript"]) and isinstance(body.at("transcript").value, str):
        yield from deepgram.spoken(body)
    else:
        raise FormatError(
            "a transcript of an unknown kind: neither a list of turns, segments, nor Deepgram's", body.path
        )


def _entry(vcon: Field, entry: Field) -> Utterance:
    """A turn of a list: who speaks is a party's index, a party's name, a word for a role, or a label."""
    start = entry.at("start")
    moment = time_of(start) if isinstance(start.value, str) and "-" in start.value else None
    party = entry.at("party", "parties")
    party = party.first() if isinstance(party.value, list) else party
    role, name = _party(vcon, party) if party.there else ("unknown", "")
    speaker = entry.at("speaker", "role").id()
    for person in vcon.at("parties").items() if speaker and not party.there else []:
        if person.at("name").text() == speaker:
            place = person.path.rpartition("[")[2].rstrip("]")
            role, name = _party(vcon, Field(int(place)))
    return Utterance(
        text=entry.at("text", "message", "transcript").required().text(),
        at=moment,
        offset=None if moment is not None else offset(start, "s"),
        duration=offset(entry.at("duration"), "s"),
        role=role if role != "unknown" else role_word(speaker),
        speaker=name,
        speaker_id=speaker or party.id(),
        attributes={"vendor_confidence": entry.at("confidence").plain()},
    )
