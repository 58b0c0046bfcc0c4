"""Labelled texts from files, and the same texts as speech recognition without punctuation writes them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from models.redaction import KINDS, Span
from schemas.errors import UsageError
from training.redaction.figures import Labelled

_CONVERSATION = re.compile(r"<TURN>.*")
_PIECE = re.compile(r"[^\W\d_]+|\d+")


def read(path: Path) -> list[Labelled]:
    """The texts of a JSON lines file: `id`, `text`, `spans` of `start`, `end`, `kind`.

    Kinds that redaction does not look for are left out.
    An id such as "<CONV>a<TURN>3" names a conversation and its turn; another is a conversation of its own.

    Raises UsageError: the file can't be read, or a line is none of these.
    """
    texts = []
    try:
        with path.open(encoding="utf-8-sig") as file:
            for line in file:
                row = json.loads(line)
                found = [
                    Span(each["start"], each["end"], each["kind"]) for each in row["spans"] if each["kind"] in KINDS
                ]
                texts.append(Labelled(_CONVERSATION.sub("", row["id"]), row["text"], tuple(found)))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise UsageError(f"{path}, line {len(texts) + 1}: not a JSON object with id, text and spans") from None
    return texts


def without_punctuation(texts: list[Labelled]) -> Iterator[Labelled]:
    """`texts` in small letters, without punctuation; digits that touch letters are parted from them.

    This is what the service chats here look like: "jane.doe7@gmail.com" is "janedoe 7 gmailcom".
    """
    for item in texts:
        parts: list[str] = []
        places: dict[int, int] = {}  # of each character of the text, in what is made of it
        length, last = 0, -1
        for match in _PIECE.finditer(item.text):
            between = item.text[last : match.start()] if last >= 0 else ""
            touches = last >= 0 and not any(char.isspace() for char in between)
            both_letters = touches and match[0].isalpha() and item.text[last - 1].isalpha()
            both_digits = touches and match[0].isdigit() and item.text[last - 1].isdigit()
            if parts and not (both_letters or both_digits):
                parts.append(" ")
                length += 1
            piece = match[0].lower()
            if len(piece) != len(match[0]):
                piece = match[0]
            for place in range(len(piece)):
                places[match.start() + place] = length + place
            parts.append(piece)
            length += len(piece)
            last = match.end()
        spans = []
        for span in item.spans:
            kept = [places[place] for place in range(span.start, span.end) if place in places]
            if kept:
                spans.append(Span(kept[0], kept[-1] + 1, span.kind))
        yield Labelled(item.conversation, "".join(parts), tuple(spans))
