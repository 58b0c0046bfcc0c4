"""The table of formats: a name, how an object of it is recognised, how it is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Final

from streams.files.formats import (
    amazon_pca,
    assemblyai,
    azure_language,
    azure_speech,
    chatwoot,
    contact_lens,
    contact_lens_realtime,
    deepgram,
    deepgram_live,
    genesys,
    genesys_audiohook,
    genesys_notification,
    google_ccai,
    google_insights,
    intercom,
    srt,
    transcribe,
    twilio_conversations,
    twilio_intelligence,
    vcon,
    webvtt,
    whisper,
    zendesk,
    zendesk_events,
    zendesk_messaging,
    zoom,
)
from streams.files.formats.error import FormatError
from streams.files.formats.turn import Hints, Reading


@dataclass(frozen=True, slots=True)
class Format:
    """A vendor's format: `looks_like` never raises, `read` raises FormatError alone."""

    name: str
    description: str
    looks_like: Callable[[object], bool]
    read: Callable[[object, Hints], Reading]


def _format(module: ModuleType) -> Format:
    described = (module.__doc__ or "").partition("\n")[0].rstrip(".")
    return Format(module.NAME, described, module.looks_like, module.read)


FORMATS: Final[Mapping[str, Format]] = {
    each.name: each
    for each in map(
        _format,
        (
            contact_lens, contact_lens_realtime, transcribe, amazon_pca, genesys, genesys_notification,
            genesys_audiohook, twilio_intelligence, twilio_conversations, webvtt, srt, deepgram, deepgram_live,
            assemblyai, whisper, vcon, google_ccai, google_insights, azure_speech, azure_language, intercom, zendesk,
            zendesk_events, zendesk_messaging, chatwoot, zoom,
        ),
    )
}  # fmt: skip
"""Every format by its name; an object is of the first that recognises it. Texts are of `webvtt` and `srt`; the others
read what JSON becomes."""


def recognise(value: object) -> str | None:
    """The name of the format that `value` is of, None if of none."""
    return next((name for name, each in FORMATS.items() if each.looks_like(value)), None)


def read(value: object, hints: Hints, name: str | None = None) -> Reading:
    """The turns of an object of the format `name`, else of the one that it is recognised as.

    Raises FormatError: it is of another format than `name`, or of none that is known, or something in it is wrong.
    """
    recognised = recognise(value) if name is None or not FORMATS[name].looks_like(value) else name
    if name is None and recognised is None:
        raise FormatError("no format that is known; name it (--format), or describe it in a mapping file (--mapping)")
    if name is not None and recognised is not None and recognised != name:
        raise FormatError(f"not {name}: it looks like {recognised} ({FORMATS[recognised].description})")
    chosen = FORMATS[name or recognised or ""]
    try:
        return chosen.read(value, hints)
    except FormatError as error:
        raise FormatError(f"{chosen.name}: {error}") from None
