"""`edgewise topics create` and `edgewise topics describe`."""

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from streams.operate.topics import TopicState

topics = typer.Typer(
    no_args_is_help=True,
    help="Create the topics, or see how they stand.\n\nExample: [bold]edgewise topics create[/]",
)


@topics.command()
def create() -> None:
    """Create the topics that are missing. One that is there is left as it is; how it differs is told.

    Example: [bold]EDGEWISE_TRANSCRIPTS_PARTITIONS=12 edgewise topics create[/]
    """
    from streams.cli.context import start
    from streams.operate.topics import create as create_topics

    for topic, created, differences in create_topics(start()):
        print(f"{topic}: {'created' if created else 'exists'}{'; differs' if differences else ''}")
        for difference in differences:
            print(f"  {difference}")


@topics.command()
def describe(
    count: Annotated[
        bool, typer.Option("--count", help="Read every topic to its end and count the records; it takes its time.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON list, a topic an object.")] = False,
) -> None:
    """Show each topic's partitions, replicas, retention and size, and how far its agent is behind.

    A broker knows offsets, not records: the markers that end transactions take some too, and so does what was aborted
    or compacted away. So there are at most as many records; --count tells them apart.

    Example: [bold]edgewise topics describe[/]

    Example: [bold]edgewise topics describe --count --json[/]
    """
    from streams.cli.context import start
    from streams.cli.table import print_table
    from streams.operate.topics import describe as describe_topics
    from streams.system.json_text import json_text

    settings = start()
    states = describe_topics(settings, count=count)
    if as_json:
        print(json_text([state._asdict() for state in states], indent=2))
        return
    sizes = ("records", "markers") if count else ("offsets",)
    rows = []
    for state in states:
        if not state.exists:
            rows.append((state.topic, "missing", "", "", *("" for _ in sizes), "", ""))
            continue
        counts = (state.records or 0, state.offsets - (state.records or 0)) if count else (state.offsets,)
        agent = "" if state.group is None else state.group.removeprefix(settings.group(""))
        lag = "" if state.lag is None else f"{state.lag:,}"
        numbers = (f"{number:,}" for number in counts)
        rows.append((state.topic, str(state.partitions), str(state.replication), _kept(state), *numbers, agent, lag))
    print_table(("topic", "parts", "replicas", "kept", *sizes, "agent", "lag"), *rows)


def _kept(state: "TopicState") -> str:
    """For how long records are kept, in words."""
    limited = state.retention_ms is not None and state.retention_ms >= 0 and "delete" in (state.cleanup or "")
    days = f"{(state.retention_ms or 0) / 86_400_000:g} d" if limited else "for ever"
    return f"latest, {days}" if "compact" in (state.cleanup or "") else days
