"""`edgewise topics create` and `edgewise topics describe`."""

from typing import Annotated

import typer

topics = typer.Typer(no_args_is_help=True, help="Create the topics, or see how they stand.")


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
    as_json: Annotated[bool, typer.Option("--json", help="As a JSON list, a topic an object.")] = False,
) -> None:
    """Show each topic's partitions, replicas, retention and records, and how far its agent is behind.

    Example: [bold]edgewise topics describe[/]
    """
    import json

    from streams.cli.context import start
    from streams.cli.table import print_table
    from streams.operate.topics import describe as describe_topics

    states = describe_topics(start())
    if as_json:
        print(json.dumps([state._asdict() for state in states], indent=2))
        return
    rows = [("topic", "partitions", "replicas", "cleanup", "kept", "records", "group", "lag")]
    for state in states:
        if not state.exists:
            rows.append((state.topic, "missing", "", "", "", "", "", ""))
            continue
        days = "" if state.retention_ms is None or state.retention_ms < 0 else f"{state.retention_ms / 86_400_000:g} d"
        kept = "for ever" if state.cleanup == "compact" else days
        lag = "" if state.lag is None else f"{state.lag:,}"
        counts = (str(state.partitions), str(state.replication))
        rows.append((state.topic, *counts, state.cleanup or "", kept, f"{state.records:,}", state.group or "", lag))
    print_table(*rows)
