"""`edgewise ingest`."""


def ingest() -> None:
    """Take events over HTTP until Ctrl-C or SIGTERM: our JSON, and vendors' webhooks.

    A request is answered once Kafka has its events. Sent again, they make no second ones.

    Example: [bold]edgewise ingest[/]
    """
    import asyncio

    from streams.cli.context import start
    from streams.config.tracing import traced
    from streams.ingest.server import serve

    settings = start()
    with traced(settings, "ingest"):
        asyncio.run(serve(settings))
