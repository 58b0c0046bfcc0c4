"""A mail of several parts (MIME, RFC 2045 and 2046) as the one that a reader sees."""

import email
from collections.abc import Iterator
from email.message import Message
from typing import Final

from streams.files.formats.error import FormatError

_PACKED: Final = frozenset({"base64", "quoted-printable"})


def is_of_parts(kind: str) -> bool:
    """Whether a text of the media type `kind` is a mail as it was sent: with parts, or with headers of its own."""
    return kind.lower().startswith(("multipart/", "message/rfc822"))


def shown_part(text: str, kind: str, path: str = "") -> tuple[str, bool]:
    """The plain text of the mail `text`, else its HTML, and whether it is HTML; "" where it has neither.

    `kind` is its media type, with the boundary of its parts. Raises FormatError: it is nested too deep.
    """
    # What `kind` says in several lines is one header: a line of its own would end it.
    head = "" if kind.lower().startswith("message/") else f"Content-Type: {' '.join(kind.split())}\n\n"
    try:
        parts = list(_texts(email.message_from_bytes((head + text).encode())))
    except RecursionError:
        raise FormatError("a mail of parts that are nested too deep", path) from None
    return next(iter(sorted(parts, key=lambda part: part[1])), ("", False))


def _texts(mail: "Message[str, str]") -> Iterator[tuple[str, bool]]:
    for part in mail.walk():
        kind = part.get_content_type()
        if kind not in {"text/plain", "text/html"} or part.get_content_disposition() == "attachment":
            continue
        if text := _decoded(part).strip():
            yield text, kind == "text/html"


def _decoded(part: "Message[str, str]") -> str:
    """The part's characters. What is not packed into ASCII is what it is: its charset was that of the mail's bytes."""
    content = part.get_payload(decode=True)
    if not isinstance(content, bytes):
        return ""
    packed = str(part.get("Content-Transfer-Encoding", "")).strip().lower() in _PACKED
    try:
        return content.decode((packed and part.get_content_charset()) or "utf-8", "replace")
    except (LookupError, ValueError):  # a charset that there is not, or that is no name
        return content.decode("utf-8", "replace")
