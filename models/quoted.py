"""What a person wrote in a mail, without the mail that is quoted under it and without the signature.

A quoted mail is another person's words, or the same words again: scored, they decide the answer.
"""

import re
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
# Outlook's header: two or more of these lines in a row.
_HEADER: Final = re.compile(
    r"\*?(?:From|Sent|To|Cc|Date|Subject|Reply-To|Von|Gesendet|An|Datum|Betreff|De|Envoyé|À|Objet|Enviado|Para|Asunto|"
    r"Da|Inviato|A|Oggetto|Van|Verzonden|Aan|Onderwerp)\s?:\*?\s*\S.{0,400}",
    re.IGNORECASE,
)
_RULE: Final = re.compile(r"[_=]{10,}|-{20,}")

_DEVICE: Final = re.compile(
    r"(?:Sent (?:from|via|using)|Get Outlook for|Gesendet (?:von|mit)|Von meinem .{2,30} gesendet|Envoyé (?:de|depuis)|"
    r"Enviado (?:desde|do)|Inviato (?:da|dal)|Verzonden (?:vanaf|met))\b.{0,80}",
    re.IGNORECASE,
)
_CLOSING: Final = re.compile(
    r"(?:(?:kind|best|warm|many|with kind|with best)?\s*regards|best wishes|(?:yours )?(?:sincerely|faithfully|truly)"
    r"(?: yours)?|yours (?:sincerely|faithfully|truly)|cheers|mit freundlichen grüßen|viele grüße|cordialement|"
    r"saludos|un saludo|cordiali saluti|met vriendelijke groet(?:en)?)\s*[,.!]?",
    re.IGNORECASE,
)
_LINES_OF_A_SIGNATURE: Final = 8
_CHARACTERS_OF_A_SIGNATURES_LINE: Final = 60


def without_quotes(text: str) -> str:
    """The part of a mail's `text` that its writer wrote; "" where all of it is quoted.

    Answers between quoted lines stay. Time is linear in the text's length.
    """
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    following = _following(lines)
    last_own = max((place for place, line in enumerate(lines) if line and not _is_quoted(line)), default=-1)
    kept: list[str] = []
    place = 0
    while place < len(lines):
        line = lines[place]
        ahead = _attribution(lines, place)
        if ahead and _is_quoted(following[place + ahead - 1]) and last_own >= place + ahead:
            place += ahead  # answers stand between the lines that it introduces
            continue
        if ahead or _DIVIDER.fullmatch(line.strip()[:300]) or _is_header(line.strip(), following[place].strip()):
            break
        if not _is_quoted(line):
            kept.append(line)
        place += 1
    return "\n".join(_without_signature(kept)).strip()


def _following(lines: list[str]) -> list[str]:
    """For each line the next one after it that is not blank, "" if there is none."""
    following = [""] * len(lines)
    for place in range(len(lines) - 2, -1, -1):
        following[place] = lines[place + 1] or following[place + 1]
    return following


def _is_quoted(line: str) -> bool:
    return line.lstrip().startswith(">")


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


def _is_header(line: str, following: str) -> bool:
    begins = _RULE.fullmatch(line) or _HEADER.fullmatch(line[:400])
    return bool(begins and _HEADER.fullmatch(following[:400]))


def _without_signature(lines: list[str]) -> list[str]:
    for place, line in enumerate(lines):
        if line == "--" or _DEVICE.fullmatch(line.strip()[:200]):
            return lines[:place]
    for place in range(max(1, len(lines) - _LINES_OF_A_SIGNATURE), len(lines)):
        if _CLOSING.fullmatch(lines[place].strip()) and not any(_is_said(line) for line in lines[place + 1 :]):
            return lines[:place]
    return lines


def _is_said(line: str) -> bool:
    """Whether a line under a closing is a sentence, as in a postscript, rather than a name or an address."""
    return len(line) > _CHARACTERS_OF_A_SIGNATURES_LINE or (line[-1:] in {".", "!", "?"} and len(line.split()) >= 4)
