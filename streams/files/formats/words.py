"""Vendors' words for channels and languages as the schema's."""

import re
from collections.abc import Mapping
from typing import Final

from schemas.records import Channel

_CHANNELS: Final[Mapping[Channel, str]] = {
    "voice": (
        "audio call callback inbound_call outbound_call phone phone_call recording telephony transcript voice voicemail"
    ),
    "chat": (
        "any_channel apple_business_chat chat conversation line live_chat message messaging native_messaging rcs sms "
        "telegram text viber web_messaging web_widget webchat webmessaging wechat whatsapp"
    ),
    "email": "email e_mail mail",
    "social": "facebook facebook_page instagram instagram_dm social tiktok twitter twitter_dm twitter_profile x_corp",
}
_CHANNEL_OF: Final[Mapping[str, Channel]] = {word: name for name, words in _CHANNELS.items() for word in words.split()}

_TAG: Final = re.compile(r"([a-z]{2,3})((?:[-_][a-z0-9]{1,8}){0,4})", re.IGNORECASE)

# Whisper names languages in English.
_LANGUAGES: Final[Mapping[str, str]] = {
    "arabic": "ar", "bengali": "bn", "bulgarian": "bg", "catalan": "ca", "chinese": "zh", "croatian": "hr",
    "czech": "cs", "danish": "da", "dutch": "nl", "english": "en", "estonian": "et", "finnish": "fi", "french": "fr",
    "german": "de",
    "greek": "el", "hebrew": "he", "hindi": "hi", "hungarian": "hu", "indonesian": "id", "italian": "it",
    "japanese": "ja", "korean": "ko", "latvian": "lv", "lithuanian": "lt", "malay": "ms", "norwegian": "no",
    "persian": "fa", "polish": "pl", "portuguese": "pt", "romanian": "ro", "russian": "ru", "serbian": "sr",
    "slovak": "sk", "slovenian": "sl", "spanish": "es", "swedish": "sv", "tamil": "ta", "thai": "th", "turkish": "tr",
    "ukrainian": "uk", "urdu": "ur", "vietnamese": "vi", "welsh": "cy",
}  # fmt: skip


def channel_word(word: str) -> Channel:
    """The channel that a vendor's `word` means, such as `VOICE` or `Channel::WebWidget`; `unknown` if none."""
    name = word.rpartition("::")[2]
    name = re.sub(r"(?<=[a-z])(?=[A-Z])|[\s\-]+", "_", name[:60].strip()).lower()
    return _CHANNEL_OF.get(name, "unknown")


def language_tag(word: str) -> str | None:
    """A vendor's language as BCP 47: `en-us`, `en_US` and `english` are `en-US`, `en-US` and `en`. None if unknown."""
    word = word.strip()
    if word.lower() in _LANGUAGES:
        return _LANGUAGES[word.lower()]
    match = _TAG.fullmatch(word)
    if match is None or match[1].lower() in {"und", "mul", "zxx"}:  # BCP 47's own words for none
        return None
    subtags = [part.upper() if len(part) == 2 else part.title() if len(part) == 4 else part
               for part in re.split("[-_]", match[2])[1:]]  # fmt: skip
    return "-".join([match[1].lower(), *subtags])
