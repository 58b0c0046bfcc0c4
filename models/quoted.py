"""What a person wrote in a mail, without the mail that is quoted under it and without the signature.

A quoted mail is another person's words, or the same words again: scored, they decide the answer.
"""

import re
from itertools import takewhile
from typing import Final

# "On Tue, 3 Mar 2026 at 10:00, Acme <a@example.com> wrote:", in the languages that mail programs write it in. The line
# is often folded: up to three lines are looked at together.
_ATTRIBUTION: Final = re.compile(
    r"(?:On\b.{4,300}\bwrote|Am\b.{4,300}\bschrieb\b.{0,120}|Le\b.{4,300}\ba écrit|El\b.{4,300}\bescribió|"
    r"Il\b.{4,300}\bha scritto|Op\b.{4,300}\bschreef\b.{0,120}|Em\b.{4,300}\bescreveu|"
    r"(?:Den|På)\b.{4,300}\bskrev\b.{0,120}|W dniu\b.{4,300}\bnapisał\(?a?\)?|"
    r"\d{4}[-./]\d{1,2}[-./]\d{1,2}\b.{0,200}<[^<>\s]+@[^<>\s]+>)\s*:",
    re.IGNORECASE,
)
_ATTRIBUTION_BEGINS: Final = re.compile(r"(?:On|Am|Le|El|Il|Op|Em|Den|På|W dniu)\b|\d{4}[-./]", re.IGNORECASE)
# "On that day I wrote:" is the writer's own: a mail program writes a year, a time or an address.
_DATED: Final = re.compile(r"(?!.*\bI wrote)(?=.*(?:\b\d{4}\b|\d{1,2}[:.]\d{2}|@))", re.IGNORECASE)
_DIVIDER: Final = re.compile(
    r"(?:-{2,}|_{2,}|\*{2,})\s*(?:original|forwarded|ursprüngliche|weitergeleitete|mensaje|message|messaggio|"
    r"oorspronkelijk|mensagem)\b.{0,40}(?:-{2,}|_{2,}|\*{2,})|Begin forwarded message:|"
    r"#{2}-.{0,120}-#{2}",
    re.IGNORECASE,
)
# A line of Outlook's header. One or two of them are anybody's: "From: London", "To: Paris", "A: " for a speaker.
_HEADER: Final = re.compile(
    r"\*?(?:(?P<sender>From|Von|De|Da|Van)|(?P<date>Date|Datum)|(?P<subject>Sent|Subject|Gesendet|Betreff|Envoyé|Objet|"
    r"Enviado|Asunto|Inviato|Oggetto|Verzonden|Onderwerp)|(?P<other>To|Cc|Reply-To|An|À|Para|A|Aan))\s?:\*?\s*\S.{0,400}",
    re.IGNORECASE,
)
_LINES_OF_A_HEADER: Final = 5
_RULE: Final = re.compile(r"[_=]{10,}|-{20,}")

_DEVICE: Final = re.compile(
    r"(?:Sent (?:from|via|using)|Get Outlook for|Gesendet (?:von|mit)|Von meinem .{2,30} gesendet|Envoyé (?:de|depuis)|"
    r"Enviado (?:desde|do)|Inviato (?:da|dal)|Verzonden (?:vanaf|met))\b.{0,80}",
    re.IGNORECASE,
)
_OF_A_DEVICE: Final = re.compile(r"\b(?:my|meinem|mon|mi|meu|mio|mijn|app)\b", re.IGNORECASE)
_CLOSING: Final = re.compile(
    r"(?:(?:kind|best|warm|many|with kind|with best)?\s*regards|best wishes|(?:yours )?(?:sincerely|faithfully|truly)"
    r"(?: yours)?|yours (?:sincerely|faithfully|truly)|cheers|mit freundlichen grüßen|viele grüße|cordialement|"
    r"saludos|un saludo|cordiali saluti|met vriendelijke groet(?:en)?)\s*[,.!]?",
    re.IGNORECASE,
)
_LINES_OF_A_SIGNATURE: Final = 8
_CHARACTERS_OF_A_SIGNATURES_LINE: Final = 60
# What ends what a mail says, on however many lines it goes on.
_DISCLAIMER: Final = re.compile(
    r"(?:please |kindly )?(?:excuse|forgive)\b.{0,40}\b(?:brevity|typos?|errors|mistakes|spelling)\b|disclaimer\b|"
    r"please (?:consider|think of) the environment|"
    r"(?:this (?:e-?mail|message|communication)|the (?:information|contents?)|if you)\b.{0,200}"
    r"\b(?:confidential|privileged|intended (?:only|solely|for|recipient)|viruses)\b|"
    r"confidential(?:ity)?\b.{0,20}(?:notice|:)",
    re.IGNORECASE,
)
_POSTSCRIPT: Final = re.compile(r"P\.?P?\.?S\b", re.IGNORECASE)
# RFC 3676, 4.3. Without the space it may be a dash on a line of its own.
_SEPARATOR: Final = "-- "

# Captions tell with ">>" that somebody else speaks, a mail that it is quoted twice, below what is quoted once. ">:(" is
# a face.
_QUOTED: Final = re.compile(r"\s*>(?!:'?-?[()/|@])")
_QUOTED_ONCE: Final = re.compile(r"\s*>(?!>|:'?-?[()/|@])")


def without_quotes(text: str) -> str:
    """The part of a mail's `text` that its writer wrote; "" where all of it is quoted.

    Answers between quoted lines stay. Time is linear in the text's length.
    """
    lines = [
        line if line == _SEPARATOR else line.rstrip()
        for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ]
    quoted = [False] * len(lines)
    if any(_QUOTED_ONCE.match(line) for line in lines):
        quoted = [_QUOTED.match(line) is not None for line in lines]
    following = _following(lines)
    header = _header(lines)
    last_own = max((place for place, line in enumerate(lines) if line and not quoted[place]), default=-1)
    kept: list[str] = []
    place = 0
    while place < header:
        ahead = _attribution(lines, place)
        next_ = following[place + ahead - 1] if ahead else None
        if next_ is not None and quoted[next_] and last_own >= place + ahead:
            place += ahead  # answers stand between the lines that it introduces
            continue
        if ahead or _DIVIDER.fullmatch(lines[place].strip()[:300]):
            break
        if not quoted[place]:
            kept.append(lines[place])
        place += 1
    return "\n".join(_without_signature(kept)).strip()


def _following(lines: list[str]) -> list[int | None]:
    """For each line the place of the next one that is not blank, None if there is none."""
    following: list[int | None] = [None] * len(lines)
    for place in range(len(lines) - 2, -1, -1):
        following[place] = place + 1 if lines[place + 1] else following[place + 1]
    return following


def _attribution(lines: list[str], place: int) -> int:
    """Over how many lines an attribution goes that begins here; 0 if none does."""
    if not _ATTRIBUTION_BEGINS.match(lines[place].strip()):
        return 0
    joined = ""
    for ahead, line in enumerate(lines[place : place + 3], 1):
        joined = f"{joined} {line.strip()[:300]}".strip()
        if _ATTRIBUTION.fullmatch(joined) and _DATED.search(joined):
            return ahead
    return 0


def _header(lines: list[str]) -> int:
    """The place of the first line of a quoted mail's header, or of the rule above it; behind the last where none is."""
    written = [(place, line.strip()[:400]) for place, line in enumerate(lines) if line]
    fields = [match.lastgroup if (match := _HEADER.fullmatch(line)) else None for _, line in written]
    for number, (place, line) in enumerate(written):
        first = number + 1 if _RULE.fullmatch(line) else number
        following = fields[first : first + _LINES_OF_A_HEADER]
        if following and following[0] not in {None, "other"}:
            found = list(takewhile(bool, following))
            dated = "date" in found and any("@" in line for _, line in written[first : first + len(found)])
            if "sender" in found and ("subject" in found or dated):
                return place
    return len(lines)


def _without_signature(lines: list[str]) -> list[str]:
    closings = max(1, len(lines) - _LINES_OF_A_SIGNATURE)
    mark = closing = None
    says_more, next_ = False, ""  # of what is below
    for place in range(len(lines) - 1, -1, -1):
        line = lines[place].strip()
        ends = not says_more and not _is_clause(next_)
        if lines[place] == _SEPARATOR or (ends and (line == "--" or _is_device(line))):
            mark = place
        elif ends and place >= closings and _CLOSING.fullmatch(line):
            closing = place
        if mark == place or _DISCLAIMER.match(line):
            says_more, next_ = False, ""
        elif _is_said(line) or _POSTSCRIPT.match(line):
            says_more, next_ = True, line
        else:
            next_ = line or next_
    return lines[: closing if mark is None else mark]


def _is_device(line: str) -> bool:
    if len(line) > _CHARACTERS_OF_A_SIGNATURES_LINE or not _DEVICE.fullmatch(line):
        return False
    return _OF_A_DEVICE.search(line) is not None or not (_is_said(line) or _is_clause(line))


def _is_said(line: str) -> bool:
    """Whether a line under a closing is a sentence, as in a postscript, rather than a name or an address."""
    return len(line) > _CHARACTERS_OF_A_SIGNATURES_LINE or (line[-1:] in {".", "!", "?"} and len(line.split()) >= 4)


def _is_clause(line: str) -> bool:
    """Whether a line right under a closing goes on: half of its words, four or more, have no capital."""
    words = line.split()
    return len(words) >= 4 and 2 * sum(word.islower() for word in words) >= len(words)
