"""Mapping files: a user's description, in TOML, of a format that is not built in; docs/ingest.md shows all it may say.

Needed are `source`, `turn.each` and `turn.text`. Paths are dotted; those of a turn start at the turn, those of a
conversation at the conversation.
"""

import re
import tomllib
from collections.abc import Mapping
from typing import Any, Final, get_args

from schemas.errors import UsageError
from schemas.records import Channel, Role
from streams.files.formats.description import HERE, Description
from streams.files.formats.roles import ROLES
from streams.files.formats.times import PER_MS
from streams.files.formats.words import language_tag

_CONVERSATION: Final[Mapping[str, str]] = {
    "each": "conversations", "id": "conversation_id", "start": "start", "channel": "conversation_channel",
    "language": "conversation_language",
}  # fmt: skip
_TURN: Final[Mapping[str, str]] = {
    "each": "turns", "text": "text", "id": "id", "number": "number", "time": "time", "offset": "offset", "role": "role",
    "speaker": "speaker", "speaker_id": "speaker_id", "channel_id": "channel_id", "language": "turn_language",
    "final": "final", "private": "private",
}  # fmt: skip
_TABLES: Final = ("conversation", "turn", "all", "roles", "attributes")
_CHANNELS: Final = get_args(Channel)
_PATH: Final = re.compile(r"[^.\s]+(?:\.[^.\s]+)*")
_LONGEST_NAME: Final = 60


def parse_mapping(text: str, where: str) -> Description:
    """The description that a mapping file's `text` is; `where` is the file, for errors.

    Raises UsageError: it is no TOML, lacks what is needed, has a key that means nothing, or a value of a wrong kind.
    """
    try:
        tables: dict[str, Any] = tomllib.loads(text.removeprefix("\ufeff"))
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise UsageError(f"{where}: not TOML: {error}") from None
    _known(tables, {"source", *_TABLES}, "", where)
    for name in _TABLES:
        if not isinstance(tables.get(name, {}), dict):
            raise UsageError(f"{where}: {name} is a table: write [{name}]")
    found: dict[str, Any] = {"source": _source(tables, where)}
    for table, names in (("conversation", _CONVERSATION), ("turn", _TURN)):
        found |= _paths(tables.get(table, {}), names, table, where)
    for needed in ("each", "text"):
        if _TURN[needed] not in found:
            raise UsageError(f"{where}: turn.{needed} is missing: it says where the {_NEEDED[needed]}")
    found |= _rest_of_turn(tables.get("turn", {}), where)
    found |= _of_all(tables.get("all", {}), where)
    found["words"] = _roles(tables.get("roles", {}), where)
    found["attributes"] = _paths(tables.get("attributes", {}), None, "attributes", where)
    return Description(**found)


_NEEDED: Final = {"each": "list of turns is, or is '.'", "text": "text of a turn is"}


def _source(tables: Mapping[str, Any], where: str) -> str:
    source = tables.get("source")
    if not isinstance(source, str) or not source.strip() or len(source) > _LONGEST_NAME:
        raise UsageError(f"{where}: source is the vendor's name, a text of up to {_LONGEST_NAME} characters")
    return source.strip()


def _paths(table: Mapping[str, Any], names: Mapping[str, str] | None, at: str, where: str) -> dict[str, str]:
    """The table's paths by our names; any name is allowed where `names` is None."""
    if names is not None:
        others = {"offset_unit", "html"} if at == "turn" else set()
        _known(table, {*names, *others}, f"{at}.", where)
    found = {}
    for name, path in table.items():
        if names is not None and name not in names:
            continue
        here = name == "each" and path == HERE
        if not isinstance(path, str) or not (here or _PATH.fullmatch(path)):
            raise UsageError(f"{where}: {at}.{name} is a path: names with a dot between them, such as call.id")
        found[name if names is None else names[name]] = path
    return found


def _rest_of_turn(turn: Mapping[str, Any], where: str) -> dict[str, Any]:
    unit, html = turn.get("offset_unit", "s"), turn.get("html", False)
    if not isinstance(unit, str) or unit not in PER_MS:
        raise UsageError(f"{where}: turn.offset_unit is one of {', '.join(PER_MS)}")
    if not isinstance(html, bool):
        raise UsageError(f"{where}: turn.html is true or false")
    return {"offset_unit": unit, "html": html}


def _of_all(table: Mapping[str, Any], where: str) -> dict[str, Any]:
    _known(table, {"channel", "language"}, "all.", where)
    channel, language = table.get("channel", "unknown"), table.get("language")
    if channel not in _CHANNELS:
        raise UsageError(f"{where}: all.channel is one of {', '.join(_CHANNELS)}")
    tag = language_tag(language) if isinstance(language, str) else None
    if language is not None and tag is None:
        raise UsageError(f"{where}: all.language is a language such as en or en-US")
    return {"channel": channel, "language": tag}


def _roles(table: Mapping[str, Any], where: str) -> dict[str, Role]:
    for word, role in table.items():
        if role not in ROLES:
            raise UsageError(f"{where}: roles.{word} is one of {', '.join(ROLES)}")
    return {re.sub(r"[\s\-]+", "_", word.strip().lower()): role for word, role in table.items()}


def _known(table: Mapping[str, Any], allowed: set[str], at: str, where: str) -> None:
    for name in table:
        if name not in allowed:
            raise UsageError(f"{where}: there is no {at}{name}; there are {', '.join(sorted(allowed))}")
