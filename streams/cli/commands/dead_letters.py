"""`edgewise dead-letters list`, `show`, `redrive` and `drop`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from streams.cli.user import printable, user_name

if TYPE_CHECKING:
    from schemas.dead_letter import Letter, State
    from streams.config.settings import Settings
    from streams.kafka.client import Cluster
    from streams.operate.dead_letter_box import Selection
    from streams.operate.redrive import Outcome

dead_letters = typer.Typer(
    no_args_is_help=True,
    help="See what could not be used, and put it back or drop it.\n\n"
    "Example: [bold]edgewise dead-letters list --since -1d[/]",
)

Places = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID]...", help="Ids such as 0:17, or where the record stood, such as transcripts[3]@41."),
]
Reasons = Annotated[list[str] | None, typer.Option("--reason", help="Only with this reason; several: any of them.")]
Topics = Annotated[list[str] | None, typer.Option("--topic", help="Only from this topic (without the prefix).")]
Since = Annotated[str | None, typer.Option(metavar="TIME", help="Only what failed at or after it (ISO 8601, or -5m).")]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Only what failed before it (ISO 8601, or -5m).")]
Everything = Annotated[bool, typer.Option("--all", help="All that are open, when nothing else says which.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say which it would be, and do nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
Again = Annotated[bool, typer.Option("--again", help="Also those that were redriven or dropped before.")]


@dead_letters.command("list")
def list_(
    places: Places = None,
    reason: Reasons = None,
    topic: Topics = None,
    since: Since = None,
    until: Until = None,
    state: Annotated[Literal["open", "redriven", "dropped", "all"], typer.Option(help="What became of it.")] = "open",
    as_json: Annotated[bool, typer.Option("--json", help="As JSON lines, with the marks.")] = False,
) -> None:
    """List dead letters: where from, why, how often tried. Never what customers wrote.

    Example: [bold]edgewise dead-letters list --reason unknown_schema --since 2026-01-31[/]
    """
    import json

    from streams.cli.context import start
    from streams.kafka.client import Cluster
    from streams.operate.dead_letter_box import survey

    chosen = _selection(places, reason, topic, since, until, None if state == "all" else state)
    letters = survey(Cluster(start()), chosen)
    if as_json:
        for letter in letters:
            print(json.dumps(_json(letter)))
    else:
        _print(letters)


@dead_letters.command()
def show(
    place: Annotated[str, typer.Argument(metavar="ID", help="Such as 0:17, or transcripts[3]@41.")],
    payload: Annotated[bool, typer.Option("--payload", help="Also the bytes: what customers wrote.")] = False,
) -> None:
    """Show a dead letter: its key, its headers, what was done with it, and its bytes if asked for.

    Example: [bold]edgewise dead-letters show 0:17 --payload[/]
    """
    from schemas.errors import UsageError
    from streams.cli.context import start
    from streams.kafka.client import Cluster
    from streams.operate.dead_letter_box import contents, survey

    cluster = Cluster(start())
    letters = survey(cluster, _selection([place], None, None, None, None, None))
    if not letters:
        raise UsageError(f"there is no dead letter {place}")
    for letter in letters:
        for content in contents(cluster, {letter.id}):
            for name, value in _fields(letter):
                print(f"{name:<10} {value}")
            print(f"{'key':<10} {_shown(content.key)}")
            for header, bytes_ in content.headers:
                print(f"{'header':<10} {_shown(header.encode(errors='replace'))}: {_shown(bytes_)}")
            if payload:
                _print_payload(cluster.settings, letter.topic, content.value)


@dead_letters.command()
def redrive(  # noqa: PLR0913, PLR0917 - an option each
    places: Places = None,
    reason: Reasons = None,
    topic: Topics = None,
    since: Since = None,
    until: Until = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    again: Again = False,
) -> None:
    """Send dead letters to the topics that they came from: the same key, bytes and headers, each once.

    Do it when the cause is mended: what fails again comes back as a new dead letter, with one attempt more.

    Example: [bold]edgewise dead-letters redrive --reason unknown_schema --dry-run[/]
    """
    from streams.cli.context import start
    from streams.kafka.client import Cluster
    from streams.operate import redrive as redriving

    cluster = Cluster(start())
    letters = _chosen(cluster, (places, reason, topic, since, until), everything, again)
    if letters and _agreed(letters, "redrive", dry_run, yes):
        _report(redriving.redrive(cluster, letters, by=user_name(), again=again), "redriven")


@dead_letters.command()
def drop(  # noqa: PLR0913, PLR0917 - an option each
    why: Annotated[str, typer.Option(metavar="TEXT", help="Why; kept with it.")],
    places: Places = None,
    reason: Reasons = None,
    topic: Topics = None,
    since: Since = None,
    until: Until = None,
    everything: Everything = False,
    dry_run: DryRun = False,
    yes: Yes = False,
    again: Again = False,
) -> None:
    """Mark dead letters as dropped: nobody needs to see to them any more. They stay, for the audit.

    Example: [bold]edgewise dead-letters drop 0:17 --why "a test message"[/]
    """
    from streams.cli.context import start
    from streams.kafka.client import Cluster
    from streams.operate import redrive as redriving

    cluster = Cluster(start())
    letters = _chosen(cluster, (places, reason, topic, since, until), everything, again)
    if letters and _agreed(letters, "drop", dry_run, yes):
        _report(redriving.drop(cluster, letters, by=user_name(), why=why, again=again), "dropped")


def _selection(
    places: Sequence[str] | None,
    reasons: Sequence[str] | None,
    topics: Sequence[str] | None,
    since: str | None,
    until: str | None,
    state: "State | None",
) -> "Selection":
    """The letters meant. Raises UsageError: there is no such reason, topic or time, or what should be an id is none."""
    from typing import get_args

    from schemas.codec import DeadLetterReason
    from schemas.dead_letter import parse_place
    from schemas.errors import UsageError
    from schemas.topics import TOPICS
    from streams.cli.decision_options import moment
    from streams.operate.dead_letter_box import Selection

    for option, given, allowed in (
        ("--reason", reasons, get_args(DeadLetterReason)),
        ("--topic", topics, tuple(TOPICS)),
    ):
        for name in given or ():
            if name not in allowed:
                raise UsageError(f"{option} {name}: it is one of {', '.join(allowed)}")
    return Selection(
        reasons=frozenset(reasons or ()),
        topics=frozenset(topics or ()),
        since_ms=None if since is None else moment("--since", since),
        until_ms=None if until is None else moment("--until", until),
        places=frozenset(map(parse_place, places or ())),
        state=state,
    )


def _chosen(
    cluster: "Cluster",
    given: tuple[list[str] | None, list[str] | None, list[str] | None, str | None, str | None],
    everything: bool,
    again: bool,
) -> "list[Letter]":
    """The letters to work on: by id whatever their state, which is then refused by name, else the open ones.

    Raises UsageError: none was named, or there is none of an id.
    """
    from schemas.dead_letter import parse_place
    from schemas.errors import UsageError
    from streams.operate.dead_letter_box import survey

    if everything == any(given):
        raise UsageError("say which dead letters: ids, --reason, --topic, --since or --until; or else --all, for all")
    selection = _selection(*given, None if again or given[0] else "open")
    letters = survey(cluster, selection)
    met = {letter.id for letter in letters} | {(each.topic, each.partition, each.offset) for each in letters}
    for text, place in zip(given[0] or (), map(parse_place, given[0] or ()), strict=True):
        if place not in met:
            raise UsageError(f"there is no dead letter {text}, or it does not fit the other options")
    if not letters:
        print("No open dead letter fits." if not again else "No dead letter fits.")
    return letters


def _agreed(letters: "Sequence[Letter]", verb: str, dry_run: bool, yes: bool) -> bool:
    """Whether to go on: by the options, or by what the user answers."""
    from collections import Counter

    if dry_run or not yes:
        _print(letters)
    if dry_run:
        print(f"Dry run: {len(letters):,} dead letters to {verb}; nothing was done.")
        return False
    topics = ", ".join(
        f"{count:,} of {name}" for name, count in sorted(Counter(each.topic for each in letters).items())
    )
    return yes or typer.confirm(f"{verb.capitalize()} {len(letters):,} dead letters ({topics})?", abort=True)


def _report(outcome: "Outcome", what: str) -> None:
    print(f"{len(outcome.done):,} dead letters were {what}.")
    for letter, why in sorted(outcome.refused.items()):
        typer.echo(f"edgewise: dead letter {letter} was left as it was: {why}", err=True)
    if outcome.left:
        names = ", ".join(map(str, outcome.left[:20])) + (", …" if len(outcome.left) > 20 else "")
        typer.echo(
            f"edgewise: {len(outcome.left):,} were left alone, for somebody else saw to them meanwhile, or retention "
            f"removed them: {names}",
            err=True,
        )
    if outcome.left or outcome.refused:
        raise typer.Exit(1)


def _print(letters: "Sequence[Letter]") -> None:
    from streams.cli.table import print_table
    from streams.system.clock import iso

    rows: list[tuple[str, ...]] = [("id", "failed", "reason", "from", "agent", "attempts", "bytes", "state")]
    for each in letters:
        reason, origin, agent = map(printable, (each.reason, each.origin, each.agent))
        size = "none" if each.size is None else f"{each.size:,}"
        rows.append((str(each.id), iso(each.at_ms), reason, origin, agent, str(each.attempts), size, each.state))
    print_table(*rows)


def _json(letter: "Letter") -> dict[str, object]:
    from dataclasses import asdict

    marks = [{"action": mark.action, "at_ms": mark.at_ms, "by": mark.by, "why": mark.why} for mark in letter.marks]
    plain = {"id": str(letter.id), "before": None if letter.before is None else str(letter.before), "marks": marks}
    return asdict(letter) | plain | {"state": letter.state}


def _fields(letter: "Letter") -> list[tuple[str, str]]:
    from streams.system.clock import iso

    return [
        ("id", str(letter.id)),
        ("failed", iso(letter.at_ms)),
        ("from", f"{letter.origin}, there since {iso(letter.timestamp_ms)}"),
        ("reason", printable(f"{letter.reason}: {letter.detail}")),
        ("agent", printable(letter.agent)),
        ("attempts", f"{letter.attempts}" + (f", before as {letter.before}" if letter.before else "")),
        ("state", letter.state),
        *(
            (mark.action, printable(f"{iso(mark.at_ms)} by {mark.by}" + (f": {mark.why}" if mark.why else "")))
            for mark in letter.marks
        ),
    ]


def _shown(value: bytes | None) -> str:
    """Bytes of whoever fed the line: as text where it is plain, so that nothing can steer the terminal."""
    if value is None:
        return "none"
    text = value.decode(errors="replace")
    return text if text.isprintable() and "\ufffd" not in text else f"0x{value.hex()}"


def _print_payload(settings: "Settings", topic: str, value: bytes | None) -> None:
    """The value, in hexadecimal and, where it can be read by now, as a record."""
    import json
    from dataclasses import asdict

    from schemas.codec import DecodeError
    from schemas.topics import TOPICS
    from streams.config.codecs import codec

    if value is None:
        print("No value.")
        return
    print(f"{len(value):,} bytes:")
    for start in range(0, len(value), 16):
        row = value[start : start + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        print(f"{start:08x}  {row.hex(' '):<47}  {text}")
    try:
        record = codec(settings, TOPICS[topic]).decode(value)
    except DecodeError as error:
        print(printable(f"Not readable: {error}"))
    else:
        plain = {name: field.hex() if isinstance(field, bytes) else field for name, field in asdict(record).items()}
        print(json.dumps(plain, ensure_ascii=False, indent=2))
