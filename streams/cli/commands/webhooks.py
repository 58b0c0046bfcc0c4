"""`edgewise alerts test-webhooks`."""

import typer


def test_webhooks() -> None:
    """Send each webhook of EDGEWISE_WEBHOOKS a message that says that it is a test, and show what it answers.

    It is sent whatever alerts a webhook wants. PagerDuty is told at once that it is over: no incident stays open.
    Exit code 0 only when every webhook has taken it.

    Example: [bold]EDGEWISE_WEBHOOKS=webhooks.toml edgewise alerts test-webhooks[/]
    """
    import asyncio
    from pathlib import Path

    from schemas.errors import UsageError
    from streams.cli.context import start
    from streams.cli.table import print_table
    from streams.webhooks.post import Poster
    from streams.webhooks.trial import Tried, try_out
    from streams.webhooks.webhook import load_webhooks

    settings = start()
    if settings.webhooks is None:
        raise UsageError("webhooks is not set: name the file of webhooks by EDGEWISE_WEBHOOKS, see docs/alerts.md")
    webhooks = load_webhooks(Path(settings.webhooks))

    async def run() -> list[Tried]:
        async with Poster() as poster:
            return await try_out(webhooks, poster)

    tried = asyncio.run(run())
    print_table(
        ("webhook", "kind", "taken", "answer"),
        *(
            (each.webhook.name, each.webhook.kind, "yes" if each.is_good else "no",
             ", ".join(outcome.detail for outcome in each.outcomes))
            for each in tried
        ),
    )  # fmt: skip
    if not all(each.is_good for each in tried):
        raise typer.Exit(1)
