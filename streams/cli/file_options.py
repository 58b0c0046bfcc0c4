"""The options of commands that read files of transcripts, and what such a command says of what it left out."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from streams.files.faults import Faults
    from streams.files.vendor_file import LeftOutCounts, Vendor

FileFormat = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help="csv, jsonl, lines, json, or a vendor's (docs/ingest.md). Default: what the file's ending says, else its "
        "content; of standard input its start.",
    ),
]
MappingFile = Annotated[
    Path | None,
    typer.Option("--mapping", metavar="FILE", help="A TOML file that says where a format of your own has what."),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Of the file: cp1252, utf-16. Default: what its byte order mark says, else UTF-8."
    ),
]
OnError = Annotated[
    Literal["stop", "skip"],
    typer.Option(help="At a row that cannot be read: stop, or skip it, count it and say where and why."),
]
RoleMap = Annotated[
    list[str] | None,
    typer.Option(
        "--role-map", metavar="WHO=ROLE", help="Whose a speaker or channel is: spk_0=agent, channel:1=customer."
    ),
]
TimeFormat = Annotated[
    str | None,
    typer.Option(
        metavar="FORMAT", help="How the times are written: '%d/%m/%Y %H:%M', excel, or a unit: s, ms, us, ns."
    ),
]
TimeBase = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="When a conversation began whose turns tell only offsets: 2026-01-31T12:00:00Z. In a recording "
        "numbers are seconds; --time-format ms says others.",
    ),
]


def vendor(mapping: Path | None, role_map: Iterable[str] | None, time_base: str | None = None) -> "Vendor":
    """What the options say of a vendor's files. Raises UsageError: an option or the mapping file is wrong."""
    from streams.files.formats.mapping import parse_mapping
    from streams.files.formats.roles import parse_roles
    from streams.files.vendor_file import Vendor

    described = None if mapping is None else parse_mapping(_read(mapping), str(mapping))
    base_ms = None if time_base is None else _milliseconds(time_base)
    return Vendor(mapping=described, roles=parse_roles(role_map or []), base_ms=base_ms)


def encoding_name(name: str | None) -> str | None:
    """The encoding that `--encoding` names. Raises UsageError: there is none of that name."""
    from recordings.encoding import encoding_name as known

    return None if name is None else known(name)


def tell_faults(faults: "Faults") -> None:
    """Says on standard error which rows could not be read; nothing if all could."""
    for line in faults.lines():
        tell_notice(line)


def tell_notice(line: str) -> None:
    """Says it on standard error; a line that begins with a space belongs to the one before."""
    typer.echo(line if line.startswith(" ") else f"edgewise: {line}", err=True)


def tell_left_out(counts: "LeftOutCounts") -> None:
    """Says on standard error what was left out, such as `3 blank, 1 private`; nothing if nothing was."""
    if told := ", ".join(f"{count:,} {why}" for why, count in counts.items() if count):
        typer.echo(f"edgewise: left out, as no turns: {told}", err=True)


def _read(path: Path) -> str:
    from schemas.errors import UsageError

    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"--mapping {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"--mapping {path}: not UTF-8") from None


def _milliseconds(text: str) -> int:
    from schemas.errors import UsageError
    from streams.files.formats.error import FormatError
    from streams.files.formats.field import Field
    from streams.files.formats.times import moment

    try:
        found = moment(Field(text, f"--time-base {text}"))
    except FormatError as error:
        raise UsageError(str(error)) from None
    if found is None:
        raise UsageError("--time-base: give a time, such as 2026-01-31T12:00:00Z")
    return found
