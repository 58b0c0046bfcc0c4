"""UTF-8 that was read as Windows-1252 or Latin-1 on its way: `donâ€™t` for `don’t`."""

import re
from typing import Final

# What a continuation byte, 0x80 to 0xBF, became: a character of Windows-1252, or of Latin-1.
_BYTE_OF: Final = {chr(byte): byte for byte in range(0x80, 0xC0)} | {
    bytes([byte]).decode("cp1252"): byte for byte in range(0x80, 0xA0) if byte not in {0x81, 0x8D, 0x8F, 0x90, 0x9D}
}
_TAIL: Final = f"[{re.escape(''.join(_BYTE_OF))}]"

# How many bytes follow which first one: of Latin letters and signs, of typographic signs, of emoji. Other first bytes
# are letters that people write before a sign, as in "CAFÉ™".
_LENGTHS: Final = {"\u00c2": 2, "\u00c3": 2, "\u00e2": 3, "\u00f0": 4}
_LIKELY: Final = re.compile(f"[\u00c2\u00c3]{_TAIL}|\u00e2{_TAIL}{{2}}|\u00f0{_TAIL}{{3}}")


def without_mojibake(text: str) -> str:
    """`text` as it was meant, also where it went wrong twice. Its time is linear in the text's length."""
    if text.isascii() or _LIKELY.search(text) is None:
        return text
    kept: list[str] = []
    for character in text:
        kept.append(character)
        # What was mended may end what went wrong before that.
        while (length := _ends(kept)) and (mended := _decoded(kept[-length:])) is not None:
            kept[-length:] = mended
    return "".join(kept)


def _ends(kept: list[str]) -> int:
    """The length of what may be one character's bytes at the end of `kept`, 0 if nothing is."""
    if kept[-1] not in _BYTE_OF:
        return 0
    return next((length for length in (2, 3, 4) if len(kept) >= length and _LENGTHS.get(kept[-length]) == length), 0)


def _decoded(characters: list[str]) -> str | None:
    first, *rest = characters
    if not all(character in _BYTE_OF for character in rest):
        return None
    try:
        return bytes([ord(first), *(_BYTE_OF[character] for character in rest)]).decode("utf-8")
    except UnicodeDecodeError:
        return None
